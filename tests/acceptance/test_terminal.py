"""What is drawn on a terminal, what goes into pipes, and what happens when the other end of a pipe goes away."""

from __future__ import annotations

import os
import pty
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.runs import ANALYZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.commands import Rfav

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*[0-9]m")


def lines_of(drawn: str) -> list[str]:
    """The lines that were drawn, also those that were drawn over, without what steers the terminal."""
    return re.split(r"[\r\n]+", ESCAPE.sub("", drawn))


@pytest.fixture
def broken_pipe() -> Iterator[int]:
    """A pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


def test_pipes_get_plain_text(rfav: Rfav, folder: Path) -> None:
    for arguments in (ANALYZE, ["show"], ["show", "--epochs"], ["doctor"], ["--help"], ["analyze", "--help"]):
        done = rfav(folder, *arguments, environment={"TERM": "xterm-256color"})
        assert done.code == 0
        assert "\x1b" not in done.out + done.err


def test_a_bar_is_drawn_on_a_terminal(rfav: Rfav, folder: Path) -> None:
    code, drawn = rfav.on_terminal(folder, *ANALYZE, columns=60)
    assert code == 0
    lines = lines_of(drawn)
    assert any("samples/s" in line and "/5" in line for line in lines)
    assert not any(line.startswith("1/5 epoch") for line in lines)
    assert "rfav.h5: 5 epochs, 3 layers, 120 samples" in lines
    assert max(len(line) for line in lines if not line.startswith(("looked at", "note:"))) <= 60


def test_the_bar_goes_to_stderr_alone(rfav: Rfav, folder: Path) -> None:
    code, drawn, out = rfav.on_terminal_but_for_stdout(folder, *ANALYZE, columns=60)
    assert (code, out) == (0, "rfav.h5: 5 epochs, 3 layers, 120 samples\n")
    assert "samples/s" in drawn


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_tables_fit_the_terminal(rfav: Rfav, measured: Path, columns: int) -> None:
    for arguments in (["show"], ["show", "--epochs"], ["doctor"]):
        code, drawn = rfav.on_terminal(measured, *arguments, columns=columns)
        assert code == 0
        assert max(map(len, lines_of(drawn))) <= columns
    assert COLOUR.search(rfav.on_terminal(measured, "show", columns=columns)[1])


def test_no_color_takes_the_colours_away(rfav: Rfav, folder: Path) -> None:
    for arguments in (ANALYZE, ["show"], ["doctor"], ["--help"]):
        code, drawn = rfav.on_terminal(folder, *arguments, columns=80, NO_COLOR="1")
        assert code == 0
        assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", drawn)


def test_a_dumb_terminal_gets_plain_text(rfav: Rfav, folder: Path) -> None:
    for arguments in (ANALYZE, ["show"], ["doctor"]):
        code, drawn = rfav.on_terminal(folder, *arguments, columns=80, TERM="dumb")
        assert code == 0
        assert "\x1b" not in drawn
    assert "1/5 epoch -1" in rfav.on_terminal(folder, *ANALYZE, "--fresh", columns=80, TERM="dumb")[1]


def test_quiet_draws_nothing(rfav: Rfav, folder: Path) -> None:
    assert rfav.on_terminal(folder, *ANALYZE, "-q", columns=80) == (0, "")


@pytest.mark.parametrize("arguments", [["show"], ["show", "-f", "json"], ["doctor"], ["--help"]])
def test_a_reader_that_goes_away_is_no_fault(
    rfav: Rfav, measured: Path, broken_pipe: int, arguments: list[str]
) -> None:
    done = rfav(measured, *arguments, out=broken_pipe)
    assert (done.code, done.err) == (0, "")


@pytest.fixture(params=["pipe", "terminal", "disk"])
def unread(request: pytest.FixtureRequest) -> Iterator[int]:
    """What cannot be written to: a pipe that nobody reads, a terminal that hung up, a full disk."""
    if request.param == "disk":
        if not Path("/dev/full").exists():
            pytest.skip("there is no /dev/full")
        write = os.open("/dev/full", os.O_WRONLY)
    else:
        read, write = os.pipe() if request.param == "pipe" else pty.openpty()
        os.close(read)
    yield write
    os.close(write)


def test_a_run_goes_on_when_nobody_reads_its_messages(rfav: Rfav, folder: Path, unread: int) -> None:
    done = rfav(folder, *ANALYZE, err=unread)
    assert (done.code, done.out) == (0, "rfav.h5: 5 epochs, 3 layers, 120 samples\n")
    assert (folder / "rfav.h5").is_file()


def test_an_error_that_nobody_reads_is_still_one(rfav: Rfav, folder: Path, unread: int) -> None:
    assert rfav(folder, "show", "other.h5", err=unread).code == 2


def test_a_terminal_that_hangs_up_ends_nothing(rfav: Rfav, folder: Path) -> None:
    read, write = pty.openpty()
    os.close(read)
    assert rfav(folder, *ANALYZE, out=write, err=write).code == 0
    assert rfav(folder, "show", out=write, err=write).code == 0
    os.close(write)
