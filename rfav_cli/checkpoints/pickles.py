"""Reads what torch.save wrote as data: nothing in a file is run unless the user says that the file is their own."""

from __future__ import annotations

import io
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints.integrity import check_archive, check_members
from rfav_cli.checkpoints.known_names import RunsCodeError, meaning
from rfav_cli.checkpoints.opened import Clipped, Opened, opened
from rfav_cli.checkpoints.saved import Saved
from rfav_cli.checkpoints.storages import LegacyStorages, Storages, ZipStorages
from rfav_cli.checkpoints.unpickler import DataUnpickler
from rfav_cli.checkpoints.zips import UNREADABLE, ZIP_MAGIC, open_archive, read_member
from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.text import printable, what_it_says
from rfav_cli.user_code import importable

if TYPE_CHECKING:
    from collections.abc import Iterator

_PICKLE_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001


def is_torch_save(path: Path) -> bool:
    """Whether a file looks like one of torch.save's: its zip format (also cut off), or a pickle, its older format."""
    with open_regular(path) as file:
        head = file.read(4)
        if head != ZIP_MAGIC:
            return head.startswith(_PICKLE_MAGIC)
        try:
            with open_archive(path, file) as archive:
                names = [name.partition("/")[2] for name in archive.namelist()]
        except (CheckpointError, *UNREADABLE):
            return True
    return "data.pkl" in names and not any(name == "constants.pkl" or name.startswith("code/") for name in names)


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive does."""
    with open_regular(path) as file:
        return file.read(4) == ZIP_MAGIC


@contextmanager
def saved(path: Path, trust: bool) -> Iterator[Saved]:
    """What torch.save was given, its tensors on the CPU, while the file is open.

    Objects are read as data (see `unpickler`): each becomes a `StandIn` that holds what the file says of it.

    Args:
        path: a file of torch.save.
        trust: let the pickle make the objects themselves, which may run any code; classes are looked for in the
            current folder, too, and all numbers are read at once.

    Raises:
        CheckpointError: the file is damaged, names what only code that runs has a use for, or changes meanwhile.
    """
    with opened(path) as file, ExitStack() as stack:
        with _told(path, trust):
            found = _load_trusted(file) if trust else stack.enter_context(_load(file))
        yield found


def load_pickle(path: Path, trust: bool) -> Any:
    """All that torch.save was given; as `saved` reads it, without the checksums.

    Raises:
        CheckpointError: as `saved` raises it.
    """
    with saved(path, trust) as found:
        found.fill_all()
        return found.content


def load_part(path: Path, content: bytes) -> Any:
    """What torch.save put into a part of a file, an archive; as `load_pickle` reads one, never trusted.

    Args:
        path: the file, for messages.
        content: the part.

    Raises:
        CheckpointError: as `load_pickle` raises it, or a checksum is wrong.
    """
    with _told(path, trust=False):
        try:
            with _load(Opened(path, io.BytesIO(content))) as part:
                part.fill_all()
                part.digest()
                return part.content
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


def _load_trusted(file: Opened) -> Saved:
    if file.read(0, min(4, file.size)) == ZIP_MAGIC:
        check_archive(file.path, file.file)
    file.file.seek(0)
    with importable(Path.cwd()):
        content = torch.load(file.file, map_location="cpu", weights_only=False)
    return Saved(content, Storages(file))


@contextmanager
def _load(file: Opened) -> Iterator[Saved]:
    if file.read(0, min(4, file.size)) != ZIP_MAGIC:
        yield _load_legacy(file)
        return
    with open_archive(file.path, file.file) as archive:
        members = check_members(file.path, archive)
        summed = any(member.CRC for member in members)
        if not summed:  # written without checksums: they are not compared
            for member in members:
                del member.CRC
        folder, slash, _ = members[0].filename.partition("/")
        root = folder + slash if slash else ""
        content = read_member(archive, f"{root}data.pkl")
        storages = ZipStorages(file, archive, root, summed=summed)
        made = DataUnpickler(io.BytesIO(content), meaning, storages.take, len(content)).load()
        yield Saved(made, storages)


def _load_legacy(file: Opened) -> Saved:
    storages = LegacyStorages(file)
    file.file.seek(0)
    pickles = Clipped(file.file, file.size)

    def load() -> Any:
        return DataUnpickler(pickles, meaning, storages.take, file.size).load()

    if load() != _LEGACY_MAGIC or load() != _LEGACY_VERSION:
        raise CheckpointError(f"{file.path}: not written by torch.save", "Save it again, or leave it out.")
    load()  # what machine it was written on
    content = load()
    storages.locate(load(), file.file.tell())
    return Saved(content, storages)
