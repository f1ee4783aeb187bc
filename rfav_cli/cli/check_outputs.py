"""Where the results of `rfav check` go: one format to stdout, any number of them to files."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from rfav_cli.atomic import write_whole
from rfav_cli.cli.output import emit
from rfav_cli.errors import OutputError
from rfav_cli.records import CheckReport
from rfav_cli.render.base import Screen
from rfav_cli.render.check import CHECK_FORMATS, render_check
from rfav_cli.text import what_it_says


def printed_and_written(outputs: Sequence[str], printed: str) -> tuple[str, dict[Path, str]]:
    """The format that is printed, and that of each file.

    Args:
        outputs: FORMAT:FILE or FORMAT.
        printed: the format where none of them is printed.

    Raises:
        typer.BadParameter: there is no such format, several are to be printed, or two are to go to one file.
    """
    written: dict[Path, str] = {}
    alone = []
    for text in outputs:
        name, _, file = text.partition(":")
        if name not in CHECK_FORMATS:
            raise typer.BadParameter(
                f"--output {text!r}: no format of {', '.join(CHECK_FORMATS)}, as in sarif:out.sarif"
            )
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


def write_outputs(report: CheckReport, printed: str, written: Mapping[Path, str]) -> None:
    """Write the files, all of them or none, then print.

    Raises:
        OutputError: one cannot be written.
    """
    contents = {path: [render_check(report, name, Screen()).encode()] for path, name in written.items()}
    try:
        write_whole(contents)
    except OSError as error:
        raise OutputError(
            f"--output: {error.filename}: {what_it_says(error)}", "Name a file that can be written."
        ) from None
    emit(render_check(report, printed, Screen.of(sys.stdout)))
