"""`rfav check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from rfav_cli.cli.groups import PRINTED, format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Check, Options, group, option

EXAMPLES = (
    "rfav check rfav.h5 --min-accuracy 0.5 --output sarif:rfav.sarif",
    "rfav check runs/exp1 --model nets.py:make_net --probe held_out/",
)


@group
class Printed(Options):
    """What is told of a check."""

    format: str = format_of("rfav_cli.render.check:CHECK_FORMATS", "text")
    outputs: tuple[str, ...] = option(
        default=(),
        help="FORMAT:FILE writes a file besides; can be repeated. FORMAT alone is printed. As a key: outputs.",
        names=("--output", "-o"),
        panel=PRINTED,
        metavar="FORMAT[:FILE]",
        several=True,
    )
    exit_zero: bool = option(
        default=False, help="End with exit code 0 whatever is found, for steps that only upload.", panel=PRINTED
    )
    explain: str | None = option(
        default=None, help="Print what a rule means and what to do, and nothing else.", panel=PRINTED, metavar="RULE"
    )
    quiet: bool = option(
        default=False, help="Say nothing while checkpoints are analysed.", names=("--quiet", "-q"), panel=PRINTED
    )


@takes(Check, Printed)
def check(options: Check, printed: Printed) -> None:
    """Decide whether a model may go on: 0 clean, 1 flagged, 2 where anything that was asked cannot be said."""
    from rfav_cli.cli.check_messages import exit_code, reporting, say_what_became_of
    from rfav_cli.cli.check_outputs import printed_and_written, write_outputs
    from rfav_cli.cli.places import configured_at
    from rfav_cli.commands.check import explain, run

    if printed.explain is not None:
        emit(explain(printed.explain))
        return
    first, written = printed_and_written(printed.outputs, printed.format)
    paths = [options.paths] if isinstance(options.paths, (str, Path)) else options.paths
    with reporting([str(path) for path in paths], quiet=printed.quiet) as report:
        done = run(replace(options, place=configured_at("check"), report=report))
    write_outputs(done, first, written)
    say_what_became_of(done, None if options.write_baseline is None else Path(options.write_baseline))
    raise typer.Exit(exit_code(done, exit_zero=printed.exit_zero))
