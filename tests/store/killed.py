"""Writes a small store again and again, each time in a child that is killed at the moment asked for.

Run as a program: each line of its input is "PATH EPOCHS SECONDS"; each line of its output is "STATUS ACKNOWLEDGED...",
where STATUS is how the child ended and ACKNOWLEDGED are the epochs whose commit it was told of. It forks, so that a
child starts within a millisecond.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from rfav_cli.store import StoreWriter, pack
from tests.store.example import make_run, measure_little


def write(path: Path, epochs: int, acknowledge: int) -> None:
    """Write what the store does not have yet, packing on the way and at the end."""
    writer = StoreWriter.open(path, make_run())
    for epoch in range(epochs):
        if epoch not in writer.committed:
            writer.append(measure_little(epoch))
        os.write(acknowledge, b"%d " % epoch)
        if epoch % 6 == 5:
            pack(path)
    pack(path)


def run(path: Path, epochs: int, seconds: float) -> str:
    """Fork a child that writes, and kill it after so many seconds; never for a negative number."""
    read, acknowledge = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write(path, epochs, acknowledge)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(acknowledge)
    if seconds >= 0:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as pipe:
        acknowledged = pipe.read().decode()
    return f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])} {acknowledged}"


if __name__ == "__main__":
    for line in sys.stdin:
        path, epochs, seconds = line.rsplit(" ", 2)
        print(run(Path(path), int(epochs), float(seconds)), flush=True)
