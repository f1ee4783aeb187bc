"""`rfav show --watch`: drawn anew on a terminal; in a pipe, a block whenever there are new epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rfav_cli.cli.output import emit
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.records import History

INTERVAL = 0.5
"""Seconds between two looks at the store."""


def follow(path: Path, shown: Callable[[History], str]) -> None:
    """Show a store whenever it has more, until Ctrl-C, or until nobody reads.

    Args:
        path: the store, there or not.
        shown: from what the store holds to the text for this stdout.
    """
    console = Console(highlight=False)
    terminal = console.is_terminal and not console.is_dumb_terminal
    try:
        _on_terminal(path, shown, console) if terminal else _in_pipe(path, shown)
    except KeyboardInterrupt:
        return


def _on_terminal(path: Path, shown: Callable[[History], str], console: Console) -> None:
    """Draw on a screen of its own; what stood there last stays when it ends."""
    from rfav_cli.commands.show import follow as histories

    text = ""
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            live.update(Text(_waiting(path)), refresh=True)
            for history in histories(path, interval=INTERVAL):
                if history is not None:
                    text = shown(history)
                    live.update(_fitted(text, console.height), refresh=True)
    finally:
        emit(text)


def _in_pipe(path: Path, shown: Callable[[History], str]) -> None:
    """A block whenever there are new epochs."""
    from rfav_cli.commands.show import follow as histories

    waiting, between = False, ""
    for history in histories(path, interval=INTERVAL):
        if history is None:
            if not waiting:
                emit(f"{_waiting(path)}\n", err=True)
            waiting = True
        elif not emit(between + shown(history)):
            return
        else:
            between = "\n"


def _waiting(path: Path) -> str:
    return f"{printable(path, 1000)}: has no epoch yet; waiting for the first one (Ctrl-C ends)"


def _fitted(text: str, height: int) -> Text:
    """As many lines as there is room for; the screen cannot be scrolled."""
    lines = text.splitlines()
    if len(lines) > height - 1:
        room = max(height - 2, 1)
        lines = [*lines[:room], f"({len(lines) - room} more lines; `rfav show` has all of them)"]
    return Text.from_ansi("\n".join(lines))
