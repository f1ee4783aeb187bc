"""Which layer a tensor in an operator belongs to, told by where its numbers lie in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from rfav_cli.activations.layer_kinds import COMPUTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

Place = tuple[int, tuple[int, ...], tuple[int, ...]]


def _place(tensor: Tensor) -> Place:
    """Where a tensor's numbers lie; the stride of a dimension of one says nothing."""
    strides = tuple(stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size > 1)
    return tensor.data_ptr(), tuple(tensor.shape), strides


class WeightNames:
    """Which layer a weight belongs to.

    Args:
        tensors: parameters and buffers with their dotted names.
        constants: tensors without a name, as a frozen archive has them: layers are numbered by kind instead.
        functional: modules that are known to lend their weight to a function and are never called themselves.

    Attributes:
        borrowed: what an operator took that is no layer's own: a weight, or a layer whose weight it is.
    """

    def __init__(
        self,
        tensors: Iterable[tuple[str, Tensor]],
        constants: Iterable[Tensor] = (),
        functional: frozenset[str] = frozenset(),
    ) -> None:
        self._names: dict[Place, str] = {}
        self._storages: dict[int, str] = {}
        for name, tensor in tensors:
            self._names.setdefault(_place(tensor), name)
            self._storages.setdefault(tensor.untyped_storage().data_ptr(), name)
        self._constants = {constant.untyped_storage().data_ptr() for constant in constants}
        self._functional = functional
        self._numbered: dict[Place, str] = {}
        self._counts: dict[str, int] = {}
        self.borrowed: dict[str, None] = {}

    def layer(self, weight: Tensor, kind: str) -> str | None:
        """The name of the layer that has this weight, or None for what is no layer's weight."""
        owner, _, attribute = self._names.get(_place(weight), "").rpartition(".")
        if owner and attribute == "weight" and owner not in self._functional:
            return owner
        storage = weight.untyped_storage().data_ptr()
        if storage in self._constants or (attribute == "weight" and not owner):
            return self._number(weight, kind)
        if name := self._storages.get(storage):
            self._borrow(name)
        elif kind != "Linear":
            self.borrowed.setdefault(COMPUTED.format(kind))
        return None

    def borrow(self, operator: str, arguments: Iterable[object]) -> None:
        """Note the weights among the arguments of an operator that does the work of several layers at once."""
        tensors = [argument for argument in arguments if isinstance(argument, torch.Tensor) and argument.dim() > 1]
        names = [name for tensor in tensors if (name := self._names.get(_place(tensor)))]
        for name in names or [operator]:
            self._borrow(name)

    def _borrow(self, name: str) -> None:
        owner, _, attribute = name.rpartition(".")
        self.borrowed.setdefault(owner if owner and attribute == "weight" else name)

    def _number(self, weight: Tensor, kind: str) -> str:
        place = _place(weight)
        if place not in self._numbered:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._numbered[place] = f"{kind.lower()}_{self._counts[kind]}"
        return self._numbered[place]

    def is_bias(self, tensor: object, layer: str, channels: int) -> bool:
        """Whether a tensor that is added to a product is the bias of that layer."""
        if not isinstance(tensor, torch.Tensor) or tensor.shape != (channels,):
            return False
        name = self._names.get(_place(tensor))
        return name in (f"{layer}.bias", "bias") or tensor.untyped_storage().data_ptr() in self._constants
