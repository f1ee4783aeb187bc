"""`--output FORMAT:FILE`: what is written besides what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rfav_cli.cli.groups import PRINTED
from rfav_cli.options import Options, group, option

if TYPE_CHECKING:
    from collections.abc import Sequence


@group
class Besides(Options):
    """What is written besides."""

    outputs: tuple[str, ...] = option(
        default=(),
        help="FORMAT:FILE writes a file besides, in place of another such file; can be repeated. FORMAT alone is "
        "printed. As a key: outputs.",
        names=("--output", "-o"),
        panel=PRINTED,
        metavar="FORMAT[:FILE]",
        several=True,
        from_project="inside",
    )


def printed_and_written(outputs: Sequence[str], printed: str, formats: Sequence[str]) -> tuple[str, dict[Path, str]]:
    """The format that is printed, and that of each file.

    Args:
        outputs: FORMAT:FILE or FORMAT.
        printed: the format where none of them is printed.
        formats: all there are.

    Raises:
        typer.BadParameter: there is no such format, several are to be printed, or two are to go to one file.
    """
    written: dict[Path, str] = {}
    alone = []
    for text in outputs:
        name, _, file = text.partition(":")
        if name not in formats:
            raise typer.BadParameter(f"--output {text!r}: no format of {', '.join(formats)}, as in sarif:out.sarif")
        if ":" not in text:
            alone.append(name)
        elif not file:
            raise typer.BadParameter(f"--output {text!r}: names no file")
        elif Path(file) in written:
            raise typer.BadParameter(f"--output {text!r}: another format goes to that file")
        else:
            written[Path(file)] = name
    if len(alone) > 1:
        raise typer.BadParameter(f"--output: only one format can be printed, not {' and '.join(alone)}")
    return (alone or [printed])[0], written
