"""`rfav init`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Init

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.records import Choice, Recognised

EXAMPLES = (
    "rfav init runs/exp1 --model nets.py:make_net --probe held_out/",
    "rfav init runs/exp1 --model nets.py:make_net --probe held_out/ --ci github --dry-run",
)


@takes(Init)
def init(options: Init) -> None:
    """Look at a folder of checkpoints, write what was recognised into pyproject.toml, and say what to type next."""
    from rfav_cli.commands.init import run
    from rfav_cli.render.project import made, recognised

    def show(found: Recognised) -> None:
        emit(recognised(found))

    asks = sys.stdin.isatty() and sys.stderr.isatty()
    done = run(replace(options, on_recognised=show, ask=_asked if asks else None))
    emit(made(done))


def _asked(name: str, choices: Sequence[Choice]) -> str:
    """What the user says an option is to be; the likeliest choice at once on Return."""
    what = {"model": "What makes the net (--model)", "probe": "Where are held-out samples (--probe)"}[name]
    likeliest = choices[0].value if choices else None
    return str(typer.prompt(what, default=likeliest, err=True)).strip()
