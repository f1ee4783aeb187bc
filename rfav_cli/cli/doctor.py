"""`rfav doctor`."""

from __future__ import annotations

import sys

import typer

from rfav_cli.cli.groups import format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Doctor, Options, group

EXAMPLES = ("rfav doctor runs/exp1 --format json", "rfav doctor rfav.h5")


@group
class Printed(Options):
    """What is printed of the findings."""

    format: str = format_of("rfav_cli.render:FINDING_FORMATS")


@takes(Doctor, Printed)
def doctor(options: Doctor, printed: Printed) -> None:
    """Say what this machine has: Python, torch, devices, extras, and whether a store can be written here.

    Of a store, say instead whether it is as it was written: every value is read, and held against its checksum.
    """
    from rfav_cli.commands.doctor import run
    from rfav_cli.render import Screen, render_findings

    findings = run(options)
    emit(render_findings(findings, printed.format, screen=Screen.of(sys.stdout)))
    if any(finding.state == "damaged" for finding in findings):
        raise typer.Exit(2)
