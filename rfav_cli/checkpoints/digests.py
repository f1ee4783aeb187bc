"""What tells two checkpoints of one name apart: the digest of what they are read from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.checkpoints import formats

if TYPE_CHECKING:
    from pathlib import Path


def digest_of(path: Path) -> str:
    """The SHA-256, in hex, of a file, or of the names and digests of a folder's files that hold weights.

    Raises:
        OSError: it cannot be read.
        CheckpointError: the folder is no checkpoint.
    """
    files = sorted(formats.weight_files(path))
    remote.bring(path, files)
    if not path.is_dir():
        return _of_file(path)
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{_of_file(file)} {file.relative_to(path).as_posix()}\n".encode())
    return whole.hexdigest()


def _of_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
