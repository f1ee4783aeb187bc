"""The test's side of the fork server: runs `rfav` and looks at what it left."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.acceptance.fork_server import PID_OR_STATUS, USAGE

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

    from tests.acceptance.faults import Fault

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
"""What commands see of the environment, so that neither a terminal nor a CI service of the tester's changes them."""

PATIENCE = 60.0
"""Seconds after which a command that has not done what is waited for is a failure."""


@dataclass(frozen=True)
class Done:
    """A command that has ended.

    Attributes:
        code: its exit code; negative: ended by that signal.
        out: what it printed.
        err: the same on stderr.
        cpu: seconds that it took, with the processes that it waited for.
        memory: the most bytes that it held.
    """

    code: int
    out: str
    err: str
    cpu: float = 0.0
    memory: int = 0

    def json(self) -> Any:
        """All of stdout as one JSON document."""
        return json.loads(self.out)


class Running:
    """A command that has been started, its output in files."""

    def __init__(self, told: int, streams: Mapping[str, Path]) -> None:
        self._told = told
        self._streams = streams
        self.pid = self._number()

    def _number(self) -> int:
        ready, _, _ = select.select([self._told], [], [], PATIENCE)
        assert ready, f"the command has not ended: {self.output('err')!r}"
        data = os.read(self._told, PID_OR_STATUS.size)
        assert data, "the fork server has died"
        number: int = PID_OR_STATUS.unpack(data)[0]
        return number

    def output(self, name: str) -> str:
        """What has been printed so far."""
        path = self._streams.get(name)
        return path.read_text(encoding="utf-8", errors="surrogateescape") if path else ""

    def wait_for(self, text: str) -> None:
        """Wait until the text stands on stderr."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.output("err"):
            assert time.monotonic() < deadline, f"{text!r} is not in {self.output('err')!r}"
            time.sleep(0.002)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> Done:
        code = os.waitstatus_to_exitcode(self._number())
        cpu, memory = USAGE.unpack(os.read(self._told, USAGE.size))
        os.close(self._told)
        return Done(code, self.output("out"), self.output("err"), cpu, memory * 1024)


class Rfav:
    """Runs `rfav` in a folder."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._scratch = tempfile.TemporaryDirectory()
        self._count = 0
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.fork_server", str(theirs.fileno())],
            cwd=ROOT,
            env=ENVIRONMENT,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def close(self) -> None:
        self._socket.close()
        self._server.wait(PATIENCE)
        self._scratch.cleanup()

    def start(
        self,
        folder: Path,
        *arguments: str | Path,
        unprivileged: bool = False,
        largest_file: int | None = None,
        environment: Mapping[str, str] = {},
        fault: Fault | None = None,
        watched: Mapping[str, Any] | None = None,
        **fds: int,
    ) -> Running:
        """Start a command that can make files of so many bytes at most, as if the disk were full then.

        `fault` is what goes wrong at one of its calls of the system.

        `out`, `err` are descriptors for its streams in place of files.
        `watched` says in what file (`log`) everything is noted that no file may bring about, and after how many
        `seconds` the command is ended. `out`, `err` are descriptors for its streams in place of files.
        """
        self._count += 1
        paths = {name: Path(self._scratch.name) / f"{self._count}.{name}" for name in ("out", "err") if name not in fds}
        with contextlib.ExitStack() as stack:
            opened = {name: stack.enter_context(path.open("wb")).fileno() for name, path in paths.items()}
            stdin = stack.enter_context(Path(os.devnull).open("rb")).fileno()
            told, tell = os.pipe()
            request = {
                "arguments": [os.fspath(argument) for argument in arguments],
                "folder": os.fspath(folder),
                "environment": ENVIRONMENT | dict(environment),
                "unprivileged": unprivileged,
                "largest_file": largest_file,
                "fault": None if fault is None else asdict(fault),
                "watched": watched,
            }
            streams = opened | fds
            socket.send_fds(self._socket, [json.dumps(request).encode()], [stdin, streams["out"], streams["err"], tell])
            os.close(tell)
            return Running(told, paths)

    def __call__(self, folder: Path, *arguments: str | Path, **more: Any) -> Done:
        """Run a command to its end."""
        return self.start(folder, *arguments, **more).wait()

    def on_terminal(self, folder: Path, *arguments: str | Path, columns: int, **environment: str) -> tuple[int, str]:
        """Run a command on a terminal of its own; give its exit code and all that it drew."""
        done, drawn = self._drawn(folder, *arguments, columns=columns, streams=("out", "err"), **environment)
        return done.code, drawn

    def on_terminal_but_for_stdout(self, folder: Path, *arguments: str | Path, columns: int) -> tuple[int, str, str]:
        """The same with stdout going elsewhere; give the exit code, what was drawn, and stdout."""
        done, drawn = self._drawn(folder, *arguments, columns=columns, streams=("err",))
        return done.code, drawn, done.out

    def _drawn(
        self, folder: Path, *arguments: str | Path, columns: int, streams: tuple[str, ...], **environment: str
    ) -> tuple[Done, str]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        drawn = bytearray()
        reader = threading.Thread(target=_read_all, args=(ours, drawn))
        reader.start()
        environment = {"TERM": "xterm-256color"} | environment
        running = self.start(folder, *arguments, environment=environment, **dict.fromkeys(streams, theirs))
        os.close(theirs)
        done = running.wait()
        reader.join(PATIENCE)
        os.close(ours)
        return done, drawn.decode()


def _read_all(descriptor: int, into: bytearray) -> None:
    with contextlib.suppress(OSError):  # how Linux says that the other end of a terminal is closed
        while data := os.read(descriptor, 1 << 16):
            into.extend(data)
