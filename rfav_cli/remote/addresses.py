"""What is an address of a remote file, and how it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "hf": "huggingface_hub",
    "http": "",
    "https": "",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "sftp": "paramiko",
    "memory": "",
}
"""How an address begins -> the package that its filesystem needs beside the extra `remote`."""
WEB = frozenset({"http", "https"})
"""Where what follows a question mark is no part of a name, and a folder is a page of links."""
_CONTAINER = frozenset({"az", "abfs", "abfss"})
"""Where what stands before an "at" is no user."""
# A Path makes one slash of two.
_ADDRESS = re.compile(rf"(?P<protocol>{'|'.join(PACKAGES)}):/{{1,2}}(?P<rest>[^/].*)", re.DOTALL | re.IGNORECASE)
_IN_TEXT = re.compile(rf"(?:{'|'.join(PACKAGES)})://[^\s'\"<>]+", re.IGNORECASE)


def address_of(path: str | Path) -> str | None:
    """The whole address where a path is one, else None."""
    found = _ADDRESS.fullmatch(str(path))
    return f"{found['protocol'].lower()}://{found['rest']}" if found else None


def protocol_of(address: str) -> str:
    """How an address begins."""
    return address.partition("://")[0]


def without_secrets(text: str) -> str:
    """A text whose addresses have no user, password or query.

    >>> without_secrets("cannot open https://me:secret@example.org/a.pt?signature=abc")
    'cannot open https://example.org/a.pt'
    """
    return _IN_TEXT.sub(lambda found: _public(found[0]), text)


def _public(address: str) -> str:
    protocol, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    if protocol.lower() not in _CONTAINER:
        host = host.rpartition("@")[2]
    elif ":" in host.rpartition("@")[0]:
        host = f"{host.partition(':')[0]}@{host.rpartition('@')[2]}"
    whole = host + slash + path
    if protocol.lower() in WEB or re.search(r"\?[^/]*=", whole):
        whole = re.split(r"[?#]", whole, maxsplit=1)[0]
    return f"{protocol}://{whole}"
