"""The formats of `rfav show`; a new one is one new file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rfav_cli.errors import RfavError
from rfav_cli.render.screen import Screen

if TYPE_CHECKING:
    from rfav_cli.records import History, Verdict

FORMATS = ("table", "json", "csv", "markdown")
"""Stems of the files in this folder; each has `render(history, verdict, *, epochs, screen) -> str`."""


def render(
    history: History,
    verdict: Verdict,
    output_format: str = "table",
    *,
    epochs: bool = False,
    screen: Screen | None = None,
) -> str:
    """What `rfav show` prints.

    Args:
        history: what a store holds.
        verdict: what became of the run.
        output_format: a name in `FORMATS`.
        epochs: a row an epoch instead of a row a layer, where the format has rows.
        screen: what the text is for; 80 columns of plain text by default.

    Raises:
        RfavError: there is no such format.
    """
    if output_format not in FORMATS:
        raise RfavError(f"--format: there is no {output_format!r:.60}", f"Give one of: {', '.join(FORMATS)}.")
    module = import_module(f"{__name__}.{output_format}")
    text: str = module.render(history, verdict, epochs=epochs, screen=screen or Screen())
    return text
