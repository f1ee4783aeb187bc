"""A small forward of which everything is kept, to be held against another one."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from rfav_cli.activations.class_scores import tensors
from rfav_cli.chance import drawn_from, positions
from rfav_cli.inputs import copied, count, device

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rfav_cli.activations.network import Activation, Network
    from rfav_cli.inputs import Inputs

OUTPUT = ""
"""What a recording calls the net's output, which is no layer."""

SMALL = 1e-3
"""A layer's values are not taken for smaller than this part of a typical layer's: rounding is as large as theirs."""

COARSE = 30.0
"""How many times as large rounding may be in nets that compute in half precision as in those that do not."""


@dataclass(frozen=True)
class Recording:
    """What one forward gave.

    Attributes:
        samples: n.
        uses: layer -> of each of its uses, its values as they were; in the order of their first use, also of layers
            that cannot be measured. The net's output is among them as the last: its tensors of floating-point numbers.
        drew: the forward drew random numbers.
    """

    samples: int
    uses: dict[str, list[Tensor]]
    drew: bool = False

    @classmethod
    def of(cls, samples: int, output: Any, uses: Mapping[str, list[Tensor]] | None = None) -> Recording:
        """What a forward gave of its layers, and what it returned, of which a copy is kept."""
        kept = [tensor.detach().clone() for tensor in _tensors(output) if tensor.is_floating_point()]
        return cls(samples, {**(uses or {}), OUTPUT: kept})

    def rows(self, rows: slice) -> Recording:
        """The same of some samples, for what has the samples as its first axis."""
        return Recording(
            len(range(self.samples)[rows]),
            {
                name: [value[rows] for value in values if value.ndim and len(value) == self.samples]
                for name, values in self.uses.items()
            },
        )

    def reached_by_all(self, layer: str, uses: int) -> bool:
        """Whether a layer was used so many times, each time by all samples."""
        values = self.uses.get(layer, [])
        return len(values) == uses and all(value.ndim and len(value) == self.samples for value in values)

    def says_something(self) -> bool:
        """Whether each layer has some finite values, so that another forward can be held against this one."""
        return all(bool(value.isfinite().any()) for values in self.uses.values() for value in values)

    def share(self, layer: str) -> float:
        """How long a layer's values are along their first axis, all uses together, for each sample of the batch."""
        return sum(len(value) if value.ndim else 0 for value in self.uses.get(layer, [])) / self.samples


def record(network: Network, inputs: Inputs, seed: int = 0) -> Recording:
    """Run samples, which stay as they are, with random numbers that follow from the seed."""
    uses: dict[str, list[Tensor]] = {}

    def keep(activation: Activation) -> bool:
        uses.setdefault(activation.layer, []).append(activation.values.detach().clone())
        return False

    with drawn_from(seed, device(inputs)):
        before = positions(device(inputs))
        output = network.forward(copied(inputs), keep, unmeasured=True)
        drew = positions(device(inputs)) != before
    return replace(Recording.of(count(inputs), output, uses), drew=drew)


def differences(first: Recording, second: Recording) -> dict[str, float]:
    """By how much each layer's values differ between two forwards of the same samples.

    Returns:
        Layer -> root mean square of the difference, relative to that of the values; infinite where they differ in
        number, shape or what is finite. Only layers that both forwards used. In nets of half precision a difference is
        divided by `COARSE`.
    """
    sizes = {
        name: max((_size(value.nan_to_num(0.0, 0.0, 0.0)) for value in values), default=0.0)
        for name, values in first.uses.items()
    }
    typical = statistics.median(sizes.values())
    found, rounding = {}, 1.0
    for name, values in first.uses.items():
        others = second.uses.get(name)
        if any(value.dtype.itemsize < torch.float32.itemsize for value in values):
            rounding = COARSE
        if others is None:
            continue
        if [value.shape for value in values] != [other.shape for other in others]:
            found[name] = float("inf")
            continue
        size = max(sizes[name], SMALL * typical) or 1.0
        gaps = [_size(_gap(value, other)) for value, other in zip(values, others, strict=True)]
        found[name] = max((float("inf") if math.isnan(gap) else gap for gap in gaps), default=0.0) / size / rounding
    return found


def _gap(first: Tensor, second: Tensor) -> Tensor:
    """The difference, 0 where both are the same or no number."""
    same = (first == second) | (first.isnan() & second.isnan())
    return torch.where(same, 0.0, first.to(second.dtype) - second)


def _size(values: Tensor) -> float:
    """The root mean square."""
    if not values.numel():
        return 0.0
    return float(torch.linalg.vector_norm(values.cpu().double())) / math.sqrt(values.numel())


def _tensors(output: Any) -> Iterator[Tensor]:
    leaves: Sequence[Any] = tree_leaves(output)
    for leaf in leaves:
        yield from (tensor for _, tensor in tensors(leaf))
