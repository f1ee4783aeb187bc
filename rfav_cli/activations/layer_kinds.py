"""What holds for a layer of any net: its filters, its positions, and why it cannot be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.records import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

UNUSED = "the forward does not reach it"
PARTIAL = "only some samples reach it"
ALONE = "its weights are used without the module"
QUANTISED = "its weights are quantised"
COMPUTED = "{} with a computed weight"
"""What a convolution is called whose weight is neither a layer's nor a parameter's."""
LAZY = "its weights are not in the checkpoint: a lazy layer without its shape"

NOT_FIRST = "the batch is not its first axis"

DENSE = ("Linear", *PARTS)
"""Kinds of layers of which each neuron has one weight for each number that the layer is given."""


def channel_dim(kind: str) -> int:
    """Where the channels lie in the output of a layer of this kind ("Conv2d", "ConvTranspose1d", "Linear", ...)."""
    return -1 if kind in DENSE else 1


def positions(kind: str, shape: Sequence[int]) -> tuple[int, ...]:
    """The axes of an output that are neither samples nor channels."""
    return tuple(shape[1:-1] if kind in DENSE else shape[2:])


def filter_rows(kind: str, weight: Tensor, groups: int) -> Tensor:
    """The weights of each filter in a row, for Eq. 6, apart from the net: `grouped_filters`, detached and float32."""
    return grouped_filters(kind, weight.detach().float(), groups)


def grouped_filters(kind: str, weight: Tensor, groups: int) -> Tensor:
    """The weights of each filter in a row, group by group.

    Args:
        kind: of the layer.
        weight: (D, C / groups, *kernel), transposed (C, D / groups, *kernel), or (D, C) of a linear layer.
        groups: of a convolution, else 1.

    Returns:
        (groups, D / groups, weights of one filter).
    """
    rows = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    # Transposed, each group of C / groups inputs has its own D / groups filters.
    return (rows.transpose(1, 2) if kind.startswith("ConvTranspose") else rows).flatten(2)


def are_steps_first(kind: str, shapes: Sequence[Sequence[int]], samples: int) -> bool:
    """Whether the outputs of a linear layer are (T, n, D): the steps first, as recurrent nets of torch's have them."""
    return kind == "Linear" and all(len(s) == 3 and s[0] != samples and s[1] == samples for s in shapes)


def problem_of_shapes(kind: str, shapes: Sequence[Sequence[int]], samples: int) -> str:
    """Why a layer whose uses in one forward give outputs of these shapes cannot be measured; empty where it can."""
    for shape in shapes:
        axes = 2 if kind in DENSE else int(kind[-2]) + 2
        fits = len(shape) >= axes if kind in DENSE else len(shape) == axes
        if not fits or shape[0] != samples:
            return f"its output for {samples} samples is {tuple(shape)}: {NOT_FIRST}"
    if len({positions(kind, shape) for shape in shapes}) > 1:
        return "its uses in one forward have different numbers of positions"
    return ""
