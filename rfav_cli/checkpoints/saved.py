"""What a file of weights holds, whose numbers are read when they are asked for: those of an optimizer never are."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor

from rfav_cli.checkpoints.stand_ins import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.checkpoints.storages import Storages

T = TypeVar("T")
_SINGLE = 16
"""Bytes of the widest number. A storage of one is read with the pickle: it may be the epoch."""


class Saved:
    """What a file of tensors holds, as far as it has been read.

    Attributes:
        content: all of it; the numbers of its tensors mean nothing until they are filled, save those of single ones.
    """

    def __init__(self, content: Any, storages: Storages) -> None:
        self.content = content
        self._storages = storages
        storages.fill_all(_SINGLE)

    def fill(self, *parts: Any) -> None:
        """Read the numbers of all tensors in parts of the content.

        Raises:
            CheckpointError: the file ends before.
        """
        self._storages.fill(instances_in(parts, Tensor))

    def fill_all(self) -> None:
        """Read all numbers. Raises as `fill` does."""
        self._storages.fill_all()

    def digest(self) -> str:
        """The SHA-256 of the file, in hex, with its checksums compared; what was read is not read again.

        Raises:
            CheckpointError: a checksum is wrong, or the file is damaged.
        """
        whole = hashlib.sha256()
        self._storages.compare(whole.update)
        return whole.hexdigest()


def instances_in(content: Any, kind: type[T]) -> Iterator[T]:
    """What is of a kind in mappings, lists and objects that were read as data, however deep; each is seen once."""
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if not isinstance(value, kind | dict | list | tuple | StandIn) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, kind):
            yield value
        if isinstance(value, StandIn):
            waiting += (value.args, value.state, value.items, value.entries)
        elif isinstance(value, dict):
            waiting += dict.values(value)
        elif isinstance(value, list | tuple):
            waiting += value
