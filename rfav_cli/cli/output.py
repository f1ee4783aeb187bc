"""Printing for commands, whose exit code stands even when the reader has gone away."""

import contextlib
import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rfav_cli.records import History


def emit(text: str, *, err: bool = False) -> bool:
    """Print a text that ends as it should, on stdout or stderr; False where nobody reads it.

    When nobody reads the stream any more, the text is dropped and the command goes on, so that it decides its exit code
    whether its output was read or not. Commands print with nothing else.
    """
    try:
        typer.echo(text, err=err, nl=False)
    except OSError as error:
        if not err and not is_unread(error):
            raise
        forget(2 if err else 1)  # an error that cannot be told is still one by its exit code
        return False
    return True


def held(store: object, history: "History") -> str:
    """What a store holds, in words: "rfav.h5: 29 epochs, 5 layers, 1,000 samples"."""
    from rfav_cli.render.base import count
    from rfav_cli.text import printable

    sizes = (len(history), history.unit), (len(history.run.layers), "layer"), (history.run.probe.size, "sample")
    return f"{printable(store, 2000)}: {', '.join(count(*size) for size in sizes)}"


def is_unread(error: OSError) -> bool:
    """Whether nobody is there any more to read stdout: its pipe is closed, or its terminal has hung up."""
    return isinstance(error, BrokenPipeError) or (error.errno == errno.EIO and stat.S_ISCHR(os.fstat(1).st_mode))


def open_closed() -> None:
    """Let what goes to a stream that was closed before the start (`rfav … >&-`) go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the process


def flushed() -> bool:
    """Whether what was printed on stdout could be written, if anybody is there to read it."""
    try:
        sys.stdout.flush()
    except OSError as error:
        unread = is_unread(error)
        forget(1)
        return unread
    return True


def forget(*descriptors: int) -> None:
    """Nobody takes these streams any more: what is printed goes nowhere, and Python's own flush at exit cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in descriptors:
        os.dup2(nowhere, stream)
        with contextlib.suppress(OSError, ValueError):  # one that has another descriptor, as in a child, or none
            os.dup2(nowhere, (sys.stdin, sys.stdout, sys.stderr)[stream].fileno())
    os.close(nowhere)
