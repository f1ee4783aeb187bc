"""Files from anyone, opened once: only what is a regular file, so that no FIFO, device or folder is waited for.

Who checks a file and then uses it opens it here once, and does both on what it has in hand: under the same name there
may be another file a moment later.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISREG, "a file"),
)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class NotRegularError(OSError):
    """What lies under a name is no regular file."""


def open_regular(path: Path, *, follow: bool = True) -> IO[bytes]:
    """Open a regular file to read its bytes; it is never waited for.

    Args:
        path: the file.
        follow: through a link as well; without, a link is refused.

    Raises:
        NotRegularError: something else lies there; its `strerror` says what.
        OSError: there is no such file, or it may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _AT_ONCE | (0 if follow else _NO_LINK))
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise NotRegularError(errno.EINVAL, "is a link, not a regular file", str(path)) from None
        if error.errno == errno.ENXIO:  # a socket
            raise NotRegularError(errno.EINVAL, "is a socket, not a regular file", str(path)) from None
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise NotRegularError(errno.EINVAL, f"is {what_it_is(mode)}, not a regular file", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def what_it_is(mode: int) -> str:
    """What `st_mode` says of a place, with its article.

    >>> what_it_is(stat.S_IFIFO)
    'a FIFO'
    """
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
