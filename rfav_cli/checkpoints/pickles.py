"""Reads what torch.save wrote as data: nothing in a file is run unless the user says that the file is their own."""

from __future__ import annotations

import pickle
import re
import threading
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.checkpoints.integrity import UNREADABLE, check_packing, is_packed
from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_MAGIC = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_SCALAR_CODES = re.compile(r"[?bhilqBHILQefd]|[biuf]\d{1,2}")

# torch keeps the classes that an unpickling may use in one set for the whole process: one reader at a time.
_allowing = threading.Lock()


class _Dtype:
    """Stands in for numpy.dtype while a file is read, so that no state that a file gives reaches numpy."""

    def __init__(self, code: str = "", *_: object) -> None:
        self.code = code

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.byte_order = state[1] if len(state) > 1 else None


def _scalar(dtype: _Dtype, raw: object = b"") -> int | float | bool | None:
    """Stands in for numpy's scalar: a number, or None for anything that is no plain number."""
    # With protocol 2, as torch.save uses, bytes come as the text of their latin-1 decoding or as bytes.
    data = raw.encode("latin-1") if isinstance(raw, str) else raw
    if not isinstance(data, bytes) or not isinstance(dtype.code, str) or not _SCALAR_CODES.fullmatch(dtype.code):
        return None
    form = np.dtype(dtype.code).newbyteorder(">" if dtype.byte_order == ">" else "<")
    number: int | float | bool | None = np.frombuffer(data, form)[0].item() if len(data) == form.itemsize else None
    return number


_NUMPY: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Dtype, "numpy.dtype"),
    (_scalar, "numpy.core.multiarray.scalar"),
    (_scalar, "numpy._core.multiarray.scalar"),
]


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

    Args:
        path: a file of torch.save.
        trust: let the pickle make any object, which may run any code.

    Raises:
        CheckpointError: the file is damaged, or needs more than tensors, numbers and containers.
    """
    mapped = is_zip(path)
    if mapped and is_packed(path):
        check_packing(path)
        mapped = False
    try:
        with _allowing, torch.serialization.safe_globals(_NUMPY):
            return torch.load(path, map_location="cpu", weights_only=not trust, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from None
    except Exception as error:
        if trust and isinstance(error, (ImportError, AttributeError)):
            remedy = "Run where the code that it was saved by can be imported."
            raise CheckpointError(f"{path}: {what_it_says(error)}", remedy) from error
        if isinstance(error, MemoryError):
            raise CheckpointError(f"{path}: too little memory to read it", remedy_for(error, "")) from error
        # A damaged pickle makes the machine that reads it fail in any way there is.
        raise CheckpointError(
            f"{path}: damaged or cut off, or not written by torch.save", "Copy or save the file again, or leave it out."
        ) from error


def needed_class(error: Exception) -> str:
    """What a pickle needs that could run code, where that is why it was refused; fit for a message."""
    message = str(error)
    name = re.search(r"GLOBAL ([\w.]+)", message) or re.search(r"<(?:class|function) '?([\w.]+)", message)
    return printable(name[1]) if name and isinstance(error, pickle.UnpicklingError) else ""


def _refusal(path: Path, error: pickle.UnpicklingError) -> CheckpointError:
    needed = needed_class(error)
    if not needed:
        return CheckpointError(f"{path}: damaged, or not written by torch.save", "Save it again, or leave it out.")
    return CheckpointError(
        f"{path}: needs {needed}, which could run code",
        "Save the net's state_dict() instead, or give --i-trust-this-pickle when the file is your own.",
    )
