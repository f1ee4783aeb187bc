"""The formats of checkpoints, which are files or folders; a new one is one new file and one line here.

A format that gives state_dicts needs no more than that: `state_dicts.payload_of` takes what it read.
"""

from __future__ import annotations

import contextlib
import stat
import zipfile
from importlib import import_module
from typing import TYPE_CHECKING, cast

from rfav_cli import isolation, remote
from rfav_cli.checkpoints.zips import UNREADABLE
from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.files.regular import open_regular, what_it_is
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import FolderFormat, Format, ReadOptions
    from rfav_cli.records import Payload

FILES = {
    "state_dict": "state_dicts",
    "safetensors": "safetensors",
    "torchscript": "TorchScript",
    "exported": "exported programs",
}
"""Stem of the file in this folder -> what messages call such checkpoints. Each is a `Format`; the first that recognises
a file's content reads it."""
PROGRAMS = frozenset({"torchscript", "exported"})
"""Those of them that bring code, which the command line runs in a child process."""
FOLDERS = {
    "huggingface": "folders of transformers or accelerate",
    "distcp": "folders of torch.distributed.checkpoint",
    "deepspeed": "folders of DeepSpeed",
}
"""The same of checkpoints that are folders; each is a `FolderFormat`."""
FORMATS = FILES | FOLDERS


def format_of(path: Path) -> str:
    """The format of a checkpoint, a file or a folder, told by its content.

    Raises:
        CheckpointError: it is missing, empty, cannot be read, or is of no format that is known.
    """
    remote.bring(path)
    try:
        status = path.stat()
        folder = stat.S_ISDIR(status.st_mode)
        if not folder and not stat.S_ISREG(status.st_mode):
            kind = what_it_is(status.st_mode)
            raise CheckpointError(f"{path}: is {kind}, not a regular file", "Leave it out, or give the file itself.")
        if not folder and status.st_size == 0:
            raise CheckpointError(f"{path}: the file is empty", "Leave it out, or save it again.")
        for name in FOLDERS if folder else FILES:
            if _format(name).recognises(path):
                return name
    except OSError as error:
        remedy = remedy_for(error, "Try again, or copy it elsewhere.")
        raise CheckpointError(f"{path}: cannot be read: {what_it_says(error)}", remedy) from error
    *others, last = FORMATS.values()
    raise CheckpointError(
        f"{path}: {'a folder that is ' if folder else ''}not a checkpoint", f"Give {', '.join(others)} or {last}."
    )


def is_checkpoint_folder(path: Path) -> bool:
    """Whether a path is a folder that is one checkpoint; false for a file, and for a folder with checkpoints in it."""
    if not path.is_dir():
        return False
    try:
        format_of(path)
    except CheckpointError:
        return False
    return True


def weight_files(path: Path) -> list[Path]:
    """The files that a checkpoint is read from: itself, or those of a folder that hold weights.

    Raises:
        CheckpointError: the folder is no checkpoint.
        OSError: it cannot be read.
    """
    return cast("FolderFormat", _format(format_of(path))).weight_files(path) if path.is_dir() else [path]


def read(path: Path, options: ReadOptions) -> Payload:
    """Read a checkpoint of any format, told by its content.

    Raises:
        CheckpointError: it is missing, empty, cut off, or of no format that is known.
    """
    name = _brought(path)
    if name not in PROGRAMS:
        return _format(name).read(path, options)
    import torch  # who only lists files needs none

    graph = _bytes_of_graph(path) if name == "exported" and isolation.is_child() else 0
    on_cpu = options.device.type == "cpu"
    with isolation.loading(path, threads=torch.get_num_threads(), on_cpu=on_cpu, graph=graph):
        return _format(name).read(path, options)


def stored_epoch(path: Path, options: ReadOptions) -> int | None:
    """The epoch that a checkpoint of any format holds, or None.

    Raises:
        CheckpointError: as for `read`, but not each fault is found.
    """
    return _format(_brought(path)).stored_epoch(path, options)


def _brought(path: Path) -> str:
    """The format of a checkpoint whose weights are here."""
    name = format_of(path)
    if remote.is_place(path):
        remote.bring(path, weight_files(path))
    return name


def _bytes_of_graph(path: Path) -> int:
    """How much an exported program says of its graph; nothing where that cannot be told."""
    with contextlib.suppress(OSError, *UNREADABLE), open_regular(path) as file, zipfile.ZipFile(file) as archive:
        return sum(info.compress_size for info in archive.infolist() if info.filename.endswith(".json"))
    return 0


def _format(name: str) -> Format:
    return cast("Format", import_module(f"{__name__}.{name}"))
