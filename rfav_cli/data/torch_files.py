"""Tensors that `torch.save` wrote, as samples: read as data by the machine that reads checkpoints; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.checkpoints.arrays import bytes_of, tensor_of
from rfav_cli.checkpoints.pickles import load_pickle
from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.data.declared import refuse_swelling
from rfav_cli.errors import CheckpointError, SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

REMEDY = "Save a dict of tensors, or (images, labels)."


def tensors(path: Path) -> Mapping[str, Any]:
    """What a file holds by its name: a tensor, a pair of samples and labels, or a dictionary.

    Raises:
        SampleError: the file is damaged, or holds something else.
    """
    try:
        content = load_pickle(path, trust=False)
    except CheckpointError as error:
        raise SampleError(error.what, REMEDY) from error
    if isinstance(content, torch.Tensor):
        return {"images": content}
    if isinstance(content, StandIn) and (array := tensor_of(content)) is not None:
        return {"images": array}
    if isinstance(content, (tuple, list)) and len(content) == 2:
        return _with_arrays(path, {"images": content[0], "labels": content[1]})
    if isinstance(content, dict):
        return _with_arrays(path, {str(key): value for key, value in dict.items(content)})
    raise SampleError(f"{printable(path)}: holds a {printable(type(content).__name__)}", REMEDY)


def _with_arrays(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Values with arrays of numpy as tensors; each is a copy, and many may be of the same bytes of the file."""
    whole = 0
    for name, value in values.items():
        if isinstance(value, StandIn):
            whole += len(bytes_of(value))
            refuse_swelling(printable(path), whole, path.stat().st_size)
            array = tensor_of(value)
            values[name] = value if array is None else array
    return values


def as_array(path: Path, name: str, tensor: torch.Tensor) -> NDArray[Any]:
    """A tensor as an array that shares its memory where it can.

    Raises:
        SampleError: it repeats few numbers many times.
    """
    stored, samples = tensor.untyped_storage().nbytes(), len(tensor) if tensor.ndim else 0
    where = f"{printable(path)}: {printable(repr(name))}"
    refuse_swelling(where, tensor.numel() * tensor.element_size(), stored, samples)
    plain = tensor.detach().resolve_conj().resolve_neg()
    array: NDArray[Any] = (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()
    return array
