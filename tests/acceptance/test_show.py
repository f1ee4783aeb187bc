"""`rfav show --watch` beside a writer."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import time
from typing import TYPE_CHECKING

from rfav_cli.store import StoreWriter, pack
from tests.acceptance.commands import PATIENCE
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.commands import Rfav, Running


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def blocks(running: Running) -> int:
    return running.output("out").count("verdict:")


def test_a_block_for_each_new_epoch_and_ctrl_c_is_no_fault(rfav: Rfav, tmp_path: Path) -> None:
    running = rfav.start(tmp_path, "show", "--watch", "run.h5")
    running.wait_for("run.h5: has no epoch yet; waiting")
    writer = StoreWriter.open(tmp_path / "run.h5", make_run())
    for number, epoch in enumerate((-1, 0, 1), 1):
        writer.append(measure(epoch))
        wait_until(lambda number=number: blocks(running) == number)
    pack(tmp_path / "run.h5")  # nothing new, so no block
    time.sleep(1.2)
    running.send(signal.SIGINT)
    done = running.wait()
    assert done.code == 0
    assert done.out.count("verdict:") == 3
    assert "3 epochs (-1 to 1)" in done.out
    assert "\x1b" not in done.out
    assert len(done.err.splitlines()) == 1


def test_it_ends_when_nobody_reads(rfav: Rfav, tmp_path: Path) -> None:
    read, write = os.pipe()
    running = rfav.start(tmp_path, "show", "--watch", "run.h5", out=write)
    os.close(write)
    running.wait_for("waiting")
    os.close(read)
    StoreWriter.open(tmp_path / "run.h5", make_run()).append(measure(0))
    assert running.wait().code == 0


def test_what_is_no_store_is_said(rfav: Rfav, tmp_path: Path) -> None:
    (tmp_path / "run.h5").write_text("no store")
    done = rfav(tmp_path, "show", "--watch", "run.h5")
    assert (done.code, done.out) == (2, "")
    assert "run.h5" in done.err


def test_a_terminal_is_drawn_on_and_keeps_the_last_picture(rfav: Rfav, tmp_path: Path) -> None:
    writer = StoreWriter.open(tmp_path / "run.h5", make_run())
    writer.append(measure(0))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    drawn = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # how Linux says that the other end of a terminal is closed
            while data := os.read(ours, 1 << 16):
                drawn.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    terminal = {"TERM": "xterm-256color"}
    running = rfav.start(tmp_path, "show", "--watch", "run.h5", environment=terminal, out=theirs, err=theirs)
    os.close(theirs)
    wait_until(lambda: b"1 epoch (0)" in drawn)
    writer.append(measure(1))
    wait_until(lambda: b"2 epochs (0 to 1)" in drawn)
    running.send(signal.SIGINT)
    assert running.wait().code == 0
    reader.join(PATIENCE)
    os.close(ours)
    screen, _, after = drawn.partition(b"\x1b[?1049l")  # back from the screen of its own
    assert b"\x1b[?1049h" in screen
    assert b"2 epochs (0 to 1)" in after
    assert b"Traceback" not in drawn
