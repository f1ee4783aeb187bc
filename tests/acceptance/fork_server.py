"""Starts `rfav` processes without paying for the import of torch each time.

A process that has imported all that `rfav` uses forks for each command. The command is a real process: it has a pid,
its own folder, environment and streams.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
import types
from typing import Any, NoReturn

import rfav_cli
import rfav_cli.cli
from rfav_cli.cli import supervisor
from tests.acceptance import faults
from tests.corpus import audit

PID_OR_STATUS = struct.Struct("i")
USAGE = struct.Struct("dq")
"""Seconds of CPU and the most KiB of memory that a command took, with those of the processes that it waited for."""


def serve(connection: socket.socket) -> None:
    """Start a command a request until the other side has gone.

    A request is JSON with `arguments`, `folder`, `environment`, `unprivileged`, `largest_file`, `fault` and `watched`,
    and four descriptors: stdin, stdout, stderr and the one that is told the pid of the command, then its exit status as
    `os.waitpid` gives it, and what it took.
    """
    for module in pkgutil.walk_packages(rfav_cli.__path__, "rfav_cli."):
        if module.name != "rfav_cli.__main__" and not module.name.startswith("rfav_cli.training.integrations."):
            with contextlib.suppress(ImportError):  # what needs an extra that is not installed
                importlib.import_module(module.name)
    for name in ("torch._dynamo", "torch._export.serde.serialize", "torch.export.pt2_archive._package"):
        importlib.import_module(name)  # what torch imports on use
    with contextlib.redirect_stdout(io.StringIO()):
        rfav_cli.cli.run(["--help"])  # typer imports the most of itself on use
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 4)
        if not message:
            return
        if os.fork() == 0:
            connection.close()
            _supervise(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _supervise(request: dict[str, Any], descriptors: list[int]) -> None:
    """Fork the command, wait for it and tell how it ended; returns in the command itself alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, told = descriptors
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _become_command(request, streams)
    os.write(told, PID_OR_STATUS.pack(pid))
    for stream in streams:
        os.close(stream)
    if request["watched"]:
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, request["watched"]["seconds"])
    _, status, usage = os.wait4(pid, 0)
    os.write(told, PID_OR_STATUS.pack(status) + USAGE.pack(usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
    os._exit(0)


def _become_command(request: dict[str, Any], streams: list[int]) -> NoReturn:
    os.setsid()
    # What is started in the background of a script ignores Ctrl-C, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name in (
        (1, "stdout"),
        (2, "stderr"),
    ):  # those of the server know another terminal; nothing reads stdin
        buffer = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        text = io.TextIOWrapper(buffer, "utf-8", line_buffering=name == "stderr" or os.isatty(number))
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)
    if request["unprivileged"]:
        _drop_capabilities()
    if request["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)
    if request["fault"] is not None:
        faults.install(faults.Fault(**request["fault"]), request["folder"])
    if request["watched"]:
        audit.watch(request["watched"]["log"], request["folder"])
        if not request["watched"]["whole"]:
            # A child that is forked has torch already; what starts it and waits for it is the command itself.
            supervisor.subprocess = types.SimpleNamespace(Popen=Forked, TimeoutExpired=subprocess.TimeoutExpired)  # type: ignore[assignment]
    sys.argv = ["rfav", *request["arguments"]]
    try:
        rfav_cli.cli.main()
    except SystemExit as end:
        os._exit(end.code)  # the interpreter would take its time to take all of torch apart


def _drop_capabilities() -> None:
    """Take from root what lets it write where nobody may; another user could not read a checkout in root's home."""
    version_3 = 0x20080522
    header, nothing = (ctypes.c_uint32 * 2)(version_3, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")


class Forked:
    """Stands in for `subprocess.Popen` where a command starts itself again: forks, in place of a new interpreter."""

    def __init__(self, command: list[str], env: dict[str, str], **_: Any) -> None:
        self._code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.environ.clear()
            os.environ.update(env)
            sys.argv = ["rfav", *command[command.index("-c") + 2 :]]
            try:
                rfav_cli.cli.main()
            except SystemExit as end:
                os._exit(end.code)  # type: ignore[arg-type]
            except BaseException:
                traceback.print_exc()
            os._exit(70)

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("rfav", timeout or 0)
            time.sleep(0.005)
        assert self._code is not None
        return self._code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
