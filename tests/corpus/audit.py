"""Notes what no file may bring about, in the process that reads it; imports nothing but Python's own."""

from __future__ import annotations

import os
import sys
from typing import Any

ALWAYS = {
    *("os.system", "os.exec", "os.spawn", "os.forkpty", "pty.spawn", "os.startfile", "webbrowser.open"),
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.Request", "ftplib.connect", "smtplib.connect"),
    "pickle.find_class",
}
"""Events of Python's own audit that nothing in a file has to do with."""
ELSEWHERE = {
    *("os.remove", "os.rmdir", "os.rename", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate"),
    *("shutil.rmtree", "shutil.move", "shutil.copyfile", "os.utime", "os.setxattr"),
}
"""Events whose first arguments are paths, which may be below the command's own folder alone."""
OF_TORCH = (["/sbin/ldconfig", "-p"], ["uname", "-p"])
"""What a process runs as it imports torch."""
CANARY = "corpus_canary"
"""The module that hostile files name, to be imported by who follows them."""
SECRET = "elsewhere"
"""The folder beside that of a case, which hostile files lead to; nothing in it may be opened."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def watch(log: str, home: str) -> None:
    """From here on note in a file each forbidden event of this process, a line each.

    Args:
        log: the file; it is appended to.
        home: the folder below which files may be written.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    home = os.path.realpath(home)

    def note(event: str, args: tuple[Any, ...]) -> None:
        if (event in ALWAYS or event in ELSEWHERE or event in _SOME) and _is_forbidden(event, args, home):
            os.write(descriptor, f"{event} {args!r:.200}\n".encode("utf-8", "replace"))

    sys.addaudithook(note)


_SOME = {"open", "import", "subprocess.Popen", "os.posix_spawn", "ctypes.dlopen"}


def _is_forbidden(event: str, args: tuple[Any, ...], home: str) -> bool:
    if event == "import":
        return str(args[0]).partition(".")[0] == CANARY
    if event in ("subprocess.Popen", "os.posix_spawn"):  # but for the command line, which runs programs apart
        command = [str(part) for part in args[1]] if isinstance(args[1], list | tuple) else []
        if command in OF_TORCH:
            return False
        return command[:1] != [sys.executable] or "from rfav_cli.cli import main" not in " ".join(command[:4])
    if event == "ctypes.dlopen":  # torch's own, and this process, by which a child asks to end with its parent
        return args[0] not in (None, "libdl.so.2") and not str(args[0]).startswith(sys.prefix)
    if event == "open":
        return _opens_elsewhere(args, home)
    if event in ELSEWHERE:
        return any(isinstance(path, str | bytes | os.PathLike) and not _below(path, home) for path in args[:2])
    return True


def _opens_elsewhere(args: tuple[Any, ...], home: str) -> bool:
    path, mode, flags = args
    if not isinstance(path, str | bytes | os.PathLike):  # a descriptor that is open already
        return False
    real = os.path.realpath(os.fsdecode(path))
    if real.startswith(f"{home.rpartition(os.sep)[0]}{os.sep}{SECRET}"):
        return True
    writes = (isinstance(mode, str) and any(letter in mode for letter in "wax+")) or bool((flags or 0) & _WRITES)
    return writes and real not in ("/dev/null",) and not _below(real, home)


def _below(path: Any, home: str) -> bool:
    return os.path.realpath(os.fsdecode(path)).startswith(home + os.sep) or os.path.realpath(os.fsdecode(path)) == home
