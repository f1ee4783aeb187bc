"""Reads what torch.save wrote as data: nothing in a file is run unless the user says that the file is their own."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from contextlib import contextmanager
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints.integrity import UNREADABLE, check_members, check_packing, is_packed
from rfav_cli.checkpoints.known_names import RunsCodeError, meaning
from rfav_cli.checkpoints.storages import LegacyStorages, ZipStorages, read_member
from rfav_cli.checkpoints.unpickler import DataUnpickler
from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.text import printable, what_it_says
from rfav_cli.user_code import importable

if TYPE_CHECKING:
    from collections.abc import Iterator

ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001


def is_torch_save(path: Path) -> bool:
    """Whether a file looks like one of torch.save's: its zip format (also cut off), or a pickle, its older format."""
    with path.open("rb") as file:
        head = file.read(4)
    if head != ZIP_MAGIC:
        return head.startswith(_PICKLE_MAGIC)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
    except UNREADABLE:
        return True
    return "data.pkl" in names and not any(name == "constants.pkl" or name.startswith("code/") for name in names)


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(4) == ZIP_MAGIC


def load_pickle(path: Path, trust: bool) -> Any:
    """What torch.save was given, its tensors on the CPU and, from a zip archive without compression, mapped from it.

    Objects are read as data (see `unpickler`): each becomes a `StandIn` that holds what the file says of it.

    Args:
        path: a file of torch.save.
        trust: let the pickle make the objects themselves, which may run any code; classes are looked for in the
            current folder, too.

    Raises:
        CheckpointError: the file is damaged, or names what only code that runs has a use for.
    """
    with _told(path, trust):
        if trust:
            return _load_trusted(path)
        with path.open("rb") as file:
            mapped = mmap(file.fileno(), 0, access=ACCESS_COPY)  # tensors of it keep it open
            return _load_zip(path, file, mapped) if mapped[:4] == ZIP_MAGIC else _load_legacy(path, mapped)


def load_part(path: Path, content: bytes) -> Any:
    """What torch.save put into a part of a file, an archive; as `load_pickle` reads one, never trusted.

    Args:
        path: the file, for messages.
        content: the part.

    Raises:
        CheckpointError: as `load_pickle` raises it.
    """
    with _told(path, trust=False):
        try:
            return _load_zip(path, io.BytesIO(content), bytearray(content))
        except RunsCodeError as error:
            raise CheckpointError(
                f"{path}: needs {printable(error.name)}, which could run code", "Leave it out."
            ) from None


@contextmanager
def _told(path: Path, trust: bool) -> Iterator[None]:
    """What pickles make of themselves, in words."""
    try:
        yield
    except CheckpointError:
        raise
    except RunsCodeError as error:
        raise CheckpointError(
            f"{path}: needs {printable(error.name)}, which could run code",
            "Save the net's state_dict() instead, or give --i-trust-this-pickle when the file is your own.",
        ) from None
    except MemoryError as error:
        raise CheckpointError(f"{path}: too little memory to read it", remedy_for(error, "")) from error
    except Exception as error:
        if trust and isinstance(error, (ImportError, AttributeError)):
            remedy = "Run where the code that it was saved by can be imported, or leave out --i-trust-this-pickle."
            raise CheckpointError(f"{path}: {what_it_says(error)}", remedy) from error
        # A damaged pickle makes the machine that reads it fail in any way there is.
        raise CheckpointError(
            f"{path}: damaged or cut off, or not written by torch.save", "Copy or save the file again, or leave it out."
        ) from error


def _load_trusted(path: Path) -> Any:
    mapped = is_zip(path)
    if mapped and is_packed(path):
        check_packing(path)
        mapped = False
    with importable(Path.cwd()):
        return torch.load(path, map_location="cpu", weights_only=False, mmap=mapped)


def _load_zip(path: Path, file: IO[bytes], mapped: mmap | bytearray) -> Any:
    with zipfile.ZipFile(file) as archive:
        members = check_members(path, archive)
        if not any(member.CRC for member in members):  # written without checksums: they are not compared
            for member in members:
                del member.CRC
        folder, slash, _ = members[0].filename.partition("/")
        root = folder + slash if slash else ""
        content = read_member(archive, f"{root}data.pkl")
        storages = ZipStorages(path, archive, mapped, root)
        return DataUnpickler(io.BytesIO(content), meaning, storages.take, len(content)).load()


def _load_legacy(path: Path, mapped: mmap) -> Any:
    storages = LegacyStorages(path, len(mapped))

    def load() -> Any:
        return DataUnpickler(mapped, meaning, storages.take, len(mapped)).load()

    if load() != _LEGACY_MAGIC or load() != _LEGACY_VERSION:
        raise CheckpointError(f"{path}: not written by torch.save", "Save it again, or leave it out.")
    load()  # what machine it was written on
    content = load()
    storages.fill(load(), mapped)
    return content


def needed_class(error: Exception) -> str:
    """What a pickle needs that could run code, where that is why it was refused; fit for a message."""
    message = str(error)
    name = re.search(r"GLOBAL ([\w.]+)", message) or re.search(r"<(?:class|function) '?([\w.]+)", message)
    return printable(name[1]) if name and isinstance(error, pickle.UnpicklingError) else ""
