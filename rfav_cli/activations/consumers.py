"""What takes the outputs of layers in a forward: told from its operators, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from rfav_cli.activations.nonlinearities import nonlinearity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rfav_cli.records import Nonlinearity

aten = torch.ops.aten
NORMS = {aten.native_batch_norm, aten.cudnn_batch_norm, aten.miopen_batch_norm}
"""Batch normalisation; the first that it gives is what it makes of the first that it takes."""
INFERENCE_NORM = aten._native_batch_norm_legit_no_training
NORMALISING = {
    *NORMS,
    INFERENCE_NORM,
    aten._native_batch_norm_legit,
    aten.native_layer_norm,
    aten.native_group_norm,
    aten.batch_norm,
    aten.instance_norm,
    aten.layer_norm,
    aten.group_norm,
}
"""What divides by how much its input varies, so that the scale of this is free; the last four in inference mode."""
REARRANGED = {
    aten.view,
    aten._unsafe_view,
    aten._reshape_alias,
    aten.alias,
    aten.detach,
    aten.permute,
    aten.transpose,
    aten.t,
    aten.squeeze,
    aten.unsqueeze,
    aten.clone,
}
"""What gives the same numbers, all of them, in another shape or another place."""


class _Value:
    """An output of a layer or of the normalisation after it, and what took it in turn."""

    def __init__(self, output: Tensor) -> None:
        self.output = output
        self.memory = output.untyped_storage().data_ptr()
        self.overwritten = False
        self.normalised = False
        self.consumers: list[Nonlinearity | _Value | None] = []


class Consumers:
    """Notes which operators take the outputs of layers, while the operators of one forward are seen.

    An output that goes into one nonlinearity and nowhere else has that nonlinearity after it. One that something else
    takes as well (a residual sum, a gate, a second branch), that is an output of the net, or that goes through anything
    but a batch normalisation and a change of shape before, has none that is known.
    """

    def __init__(self) -> None:
        self._uses: dict[str, list[_Value]] = {}
        self._held: dict[int, tuple[Tensor, _Value]] = {}  # with the tensors: an id says nothing once one is gone

    def add(self, layer: str, output: Tensor) -> None:
        """Begin to follow the output of one use of a layer."""
        held = self._held.get(id(output))
        value = held[1] if held else _Value(output)
        self._uses.setdefault(layer, []).append(value)
        self._held[id(output)] = (output, value)

    def see(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> None:
        """Take note of an operator that has run."""
        if not self._held:
            return
        operator = func.overloadpacket
        for tensor, value in list(self._held_inputs((args, kwargs))):
            is_first = bool(args) and tensor is args[0]
            if operator in REARRANGED and is_first:
                self._held.setdefault(id(result), (result, value))
                continue
            consumer: Nonlinearity | _Value | None = nonlinearity_of(func, args, kwargs) if is_first else None
            if operator in {*NORMS, INFERENCE_NORM} and tensor is value.output and is_first:
                consumer = _Value(result[0])
                self._held[id(result[0])] = (result[0], consumer)
            value.consumers.append(consumer)
            value.normalised |= operator in NORMALISING and is_first
            # What reads the same memory from now on reads what was written there.
            value.overwritten |= operator.__name__.endswith("_") and is_first

    def finish(self, returned: Any) -> None:
        """Take note of what the net returned."""
        for _, value in self._held_inputs(returned):
            value.consumers.append(None)

    def nonlinearity(self, layer: str, *, normalised: bool) -> Nonlinearity | None:
        """What follows every use of a layer, or None where that is not known, or not the same.

        Args:
            layer: its name.
            normalised: a batch normalisation of the layer's outputs stands in between, and its scale is known.
        """
        following = {_after(value, normalised) for value in self._uses.get(layer, [])}
        return following.pop() if len(following) == 1 else None

    def normalised(self, layer: str) -> bool:
        """Whether an output of a layer goes into a normalisation, as it is or in another shape."""
        return any(value.normalised for value in self._uses.get(layer, []))

    def _held_inputs(self, tree: Any) -> Iterator[tuple[Tensor, _Value]]:
        """Each tensor in there that holds an output which was not written over."""
        for tensor in {id(leaf): leaf for leaf in tree_leaves(tree) if id(leaf) in self._held}.values():
            value = self._held[id(tensor)][1]
            if not (value.overwritten and tensor.untyped_storage().data_ptr() == value.memory):
                yield tensor, value


def _after(value: _Value, normalised: bool) -> Nonlinearity | None:
    if len(value.consumers) != 1:
        return None
    (only,) = value.consumers
    if isinstance(only, _Value):
        return _after(only, normalised=False) if normalised else None
    return None if normalised else only
