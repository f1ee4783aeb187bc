"""Whether two checkpoints hold the same weights, whatever else is in them, and under whatever prefix."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rfav_cli.checkpoints.contents import state_dicts_of
from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions

Tensors = dict[str, Tensor]


class Copies:
    """Compares checkpoints; those that were read last stay open.

    Args:
        options: how they are read.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._tensors_of = lru_cache(maxsize=2)(self._read)

    def original_of(self, path: Path, others: Sequence[Path]) -> Path | None:
        """The first of some checkpoints whose weights another one holds, too; None where none has them."""
        return next((other for other in others if self.same_weights(path, other)), None)

    def same_weights(self, path: Path, other: Path) -> bool:
        """Whether the foremost weights of a checkpoint are among those of another. What cannot be read has none."""
        try:
            mine, theirs = self._tensors_of(path), self._tensors_of(other)
            if not mine or not theirs:  # programs
                return not mine and not theirs and digest_of(path) == digest_of(other)
        except (CheckpointError, OSError):
            return False
        return any(_is_within(mine[0], each) for each in theirs)

    def _read(self, path: Path) -> list[Tensors]:
        """The tensors of each state_dict."""
        found = state_dicts_of(path, self._options)
        return [
            {name: value for name, value in candidate.weights.items() if isinstance(value, Tensor)}
            for candidate in found
        ]


def _is_within(mine: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> bool:
    """Whether the tensors of one state_dict are in another, where all names may have a prefix more or less."""
    first = min(mine)
    for name in theirs:
        if name == first or name.endswith(f".{first}"):
            prefix = name.removesuffix(first)
            pairs = [(value, theirs.get(prefix + own)) for own, value in mine.items()]
        elif first.endswith(f".{name}"):
            prefix = first.removesuffix(name)
            pairs = [(value, theirs.get(own.removeprefix(prefix))) for own, value in mine.items()]
        else:
            continue
        if all(value is not None and value.shape == own.shape for own, value in pairs):
            ordered = sorted(pairs, key=lambda pair: pair[0].numel())
            return all(value is not None and _equal(own, value) for own, value in ordered)
    return False


def _equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same bytes; NaN equals itself."""
    plain = all(t.layout == torch.strided and not t.is_quantized and not t.is_meta for t in (one, other))
    if not plain or one.dtype != other.dtype:
        return False
    return torch.equal(*(t.detach().contiguous().reshape(-1).view(torch.uint8) for t in (one, other)))
