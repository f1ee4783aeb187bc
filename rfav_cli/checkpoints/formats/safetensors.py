"""Safetensors: a JSON header and the bytes of tensors, with nothing to run in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from rfav_cli.checkpoints import state_dicts
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload

_LONGEST_HEADER = 100_000_000


def recognises(path: Path) -> bool:
    """Whether the file begins with the length of a JSON header and its brace."""
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def read(path: Path, _: ReadOptions) -> Payload:
    """Read the weights, which stay in the file until they are used.

    Raises:
        CheckpointError: the file is damaged or holds no weights, or the package that reads it is not there.
    """
    return replace(state_dicts.payload_of(path, weights_of(path)), epoch=stored_number(path, "epoch"))


def weights_of(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by their names; they stay in it until they are used.

    Raises:
        CheckpointError: the file is damaged, or the package that reads it is not there.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise CheckpointError(
            f"{path}: reading safetensors needs a package that is not installed",
            "pip install 'rfav-cli[safetensors]'",
        ) from error
    try:
        weights: dict[str, Tensor] = load_file(path)
    except (SafetensorError, ValueError, TypeError, RuntimeError) as error:  # the last of shapes that torch has not
        raise CheckpointError(f"{path}: damaged or cut off", "Copy or save the file again, or leave it out.") from error
    return weights


def stored_epoch(path: Path, _: ReadOptions) -> int | None:
    """The `epoch` in the header's `__metadata__`, where the one who saved the file put a whole number there."""
    return stored_number(path, "epoch")


def stored_number(path: Path, *names: str) -> int | None:
    """The first whole number by one of some names in the header's `__metadata__`, whose values are text."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            metadata = json.loads(file.read(length)).get("__metadata__", {}) if length <= _LONGEST_HEADER else {}
        told = [metadata[name] for name in names if name in metadata]
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None  # a damaged header, which reading will tell
    numbers = [
        int(text) for text in told if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10
    ]
    return next(iter(numbers), None)
