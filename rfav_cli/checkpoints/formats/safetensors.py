"""Safetensors: a JSON header and the bytes of tensors, with nothing to run in it."""

from __future__ import annotations

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
    return state_dicts.payload_of(path, weights_of(path))


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


def stored_epoch(_: Path, __: ReadOptions) -> None:
    """None: the format has no place for one."""
