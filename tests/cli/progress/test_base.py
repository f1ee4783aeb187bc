"""What all reporters are: lines, and a bar where there is a terminal to draw it on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from rich.progress import ProgressColumn, TextColumn

from rfav_cli.cli.progress.base import LONGEST, BarReporter, Messages

if TYPE_CHECKING:
    from collections.abc import Iterator


class Reporter(BarReporter):
    waiting = ("waiting", "")

    def _columns(self) -> Iterator[ProgressColumn]:
        yield TextColumn("{task.description}")


@pytest.mark.parametrize(
    ("terminal", "options", "bar"),
    [("xterm", {}, True), ("dumb", {}, False), ("xterm", {"quiet": True}, False), ("xterm", {"beside": True}, False)],
)
def test_a_bar_is_for_a_terminal_that_can_draw_it(
    monkeypatch: pytest.MonkeyPatch, terminal: str, options: dict[str, bool], bar: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", terminal)
    with Reporter(**options) as reporter:
        assert (reporter._bar is not None) is bar


def test_what_files_say_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter() as reporter:
        reporter.say("a\x1b[31mb [red]c")
        reporter.say("x" * 2 * LONGEST)
    first, second = capsys.readouterr().err.splitlines()
    assert first == r"a\x1b[31mb [red]c"
    assert len(second) <= LONGEST


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(quiet=True) as reporter:
        reporter.say("anything")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_the_width_is_that_of_the_terminal_that_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl
    import pty
    import struct
    import termios

    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 61, 0, 0))
    with os.fdopen(theirs, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        assert Messages().size == (61, 24)
        monkeypatch.setenv("COLUMNS", "70")
        assert Messages().size.width == 70
    os.close(ours)
