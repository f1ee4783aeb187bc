"""Whether two checkpoints hold the same weights, whatever else is in them, and under whatever prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rfav_cli.checkpoints.contents import Comparable, comparable
from rfav_cli.checkpoints.digests import digest_of
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions

Tensors = Mapping[str, Tensor]


class Copies:
    """Compares checkpoints, of which no more is read than tells them apart.

    Args:
        options: how they are read.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._options = options

    def original_of(self, path: Path, others: Sequence[Path]) -> Path | None:
        """The first of some checkpoints whose weights another one holds, too; None where none has them.

        Those meant are the foremost weights of the one. What cannot be read has none.
        """
        if not others:
            return None
        try:
            with comparable(path, self._options) as mine:
                return next((other for other in others if self._holds(other, path, mine)), None)
        except (CheckpointError, OSError):
            return None

    def same_weights(self, path: Path, other: Path) -> bool:
        """Whether the foremost weights of a checkpoint are among those of another."""
        return self.original_of(path, [other]) is not None

    def _holds(self, other: Path, path: Path, mine: Comparable) -> bool:
        try:
            with comparable(other, self._options) as theirs:
                if not mine.state_dicts or not theirs.state_dicts:  # programs
                    return not mine.state_dicts and not theirs.state_dicts and digest_of(path) == digest_of(other)

                def equal(own: Tensor, value: Tensor) -> bool:
                    mine.fill(own)
                    theirs.fill(value)
                    return _equal(own, value)

                return any(_is_within(mine.state_dicts[0], each, equal) for each in theirs.state_dicts)
        except (CheckpointError, OSError):
            return False


def _is_within(mine: Tensors, theirs: Tensors, equal: Callable[[Tensor, Tensor], bool]) -> bool:
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
            return all(value is not None and equal(own, value) for own, value in ordered)
    return False


def _equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same bytes; NaN equals itself."""
    plain = all(t.layout == torch.strided and not t.is_quantized and not t.is_meta for t in (one, other))
    if not plain or one.dtype != other.dtype:
        return False
    return torch.equal(*(t.detach().contiguous().reshape(-1).view(torch.uint8) for t in (one, other)))
