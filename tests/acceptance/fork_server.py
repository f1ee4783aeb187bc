"""Starts `rfav` processes without paying for the import of torch each time.

A process that has imported all that `rfav` uses forks for each command. The command is a real process: it has a pid,
its own folder, environment and streams.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import socket
import struct
import sys
from typing import Any, NoReturn

PID_OR_STATUS = struct.Struct("i")


def serve(connection: socket.socket) -> None:
    """Start a command a request until the other side has gone.

    A request is JSON with `arguments`, `folder`, `environment` and `user`, and four descriptors: stdin, stdout, stderr
    and the one that is told the pid of the command, then its exit status as `os.waitpid` gives it.
    """

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
    os.write(told, PID_OR_STATUS.pack(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _become_command(request: dict[str, Any], streams: list[int]) -> NoReturn:
    os.setsid()
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        buffer = (
            io.BufferedReader(io.FileIO(number, mode, closefd=False))
            if mode == "r"
            else io.BufferedWriter(io.FileIO(number, mode, closefd=False))
        )
        text = io.TextIOWrapper(buffer, "utf-8", line_buffering=name == "stderr" or os.isatty(number))
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)
    if request["user"]:
        os.setgroups([])
        os.setgid(request["user"])
        os.setuid(request["user"])
    sys.argv = ["rfav", *request["arguments"]]

    from rfav_cli.cli import main

    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code)  # the interpreter would take its time to take all of torch apart


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
