"""What tells two checkpoints of one name apart: the digest of what they are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.opened import digest_of_folder, opened

if TYPE_CHECKING:
    from pathlib import Path


def digest_of(path: Path) -> str:
    """The SHA-256, in hex, of a file, or of the names and digests of a folder's files that hold weights.

    Raises:
        OSError: it cannot be read.
        CheckpointError: the folder is no checkpoint, or a file changes meanwhile.
    """
    files = sorted(formats.weight_files(path))
    remote.bring(path, files)
    if not path.is_dir():
        return _of_file(path)
    return digest_of_folder(path, {file: _of_file(file) for file in files})


def _of_file(path: Path) -> str:
    with opened(path) as file:
        return file.digest()
