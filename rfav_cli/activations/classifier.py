"""Which layer is the classifier: the one whose output is the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import interpolate, logsigmoid

from rfav_cli.chance import drawn_from
from rfav_cli.inputs import copied, device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from rfav_cli.activations.network import Activation, Network
    from rfav_cli.inputs import Inputs

_EQUAL = 1e-5
"""Largest difference of equal numbers, relative to the largest; or some roundings of their type, where that is more."""
_PROPORTIONAL = 1e-3
"""Largest difference of proportional numbers, relative to the largest of what the samples differ by."""
_VARYING = 1e-4
"""Least that the samples differ by, relative to the largest number, for proportional numbers to say something."""

_SMOOTH = ("linear", "bilinear", "trilinear")
"""How maps of one, two and three axes are enlarged."""

_MOST = 2**22
"""Numbers of the scores that are compared; of large outputs fewer samples."""

_LAST: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda values: values,
    lambda values: values.softmax(1),
    lambda values: values.log_softmax(1),
    torch.sigmoid,
    logsigmoid,
    torch.tanh,
)
"""What nets apply to the numbers of a classifier, (n, C, *positions), to make scores of them."""


def find_classifier(network: Network, inputs: Inputs, scores: Tensor) -> str:
    """Find the layer whose output is a net's scores, with another forward.

    It is so up to a bias for each class, a positive factor (a temperature), a ReLU, the batch normalisation that
    follows, the shape, a mean or maximum over positions or the choice of one of them, a change of resolution, a
    softmax, sigmoid or tanh, and what else the layer gives beside them. So a 1x1 convolution before a global pooling is
    one, and a layer whose output is split into two heads. There is none where the scores are cosines, the sum of what
    two layers give, or the output of what cannot be measured.

    Args:
        network: in the state in which it gave the scores, in a block of `drawn_from(0, device)`.
        inputs: (n, ...) on its device.
        scores: (n, ...) of these samples: a row of scores, one score, or scores at each position.

    Returns:
        The name of the layer; of several, the last in forward order. Empty where there is none.
    """
    count = max(1, _MOST // max(1, scores[0].numel()))
    forms = _forms(scores[:count].detach().cpu())
    found = ""

    def compare(activation: Activation) -> bool:
        nonlocal found
        values = activation.values[:count].movedim(activation.channel_dim, 1)
        if any(_may_give(values, form) for form in forms):
            seen = [values, *([] if activation.norm is None else [activation.plain()[:count]])]
            if any(_gives(given.detach().cpu(), form) for given in seen for form in forms):
                found = activation.layer
        return False

    with drawn_from(0, device(inputs)):
        network.forward(copied(inputs), compare)  # a net may work on its input in place
    return found


def _forms(scores: Tensor) -> list[Tensor]:
    """Scores as (n, C, *positions): the classes are their second axis, or their last."""
    if scores[0].numel() == scores.shape[1:2].numel():  # one score, or a row of them
        return [scores.reshape(len(scores), -1)]
    return [scores, scores.movedim(-1, 1)]


def _may_give(values: Tensor, scores: Tensor) -> bool:
    if len(values) != len(scores):  # only some samples reach the layer
        return False
    same = values.shape[1] == scores.shape[1] or values[0].numel() == scores[0].numel()
    return same or (scores.ndim == 2 and values[0].numel() == values.shape[1] > scores.shape[1])


def _gives(values: Tensor, scores: Tensor) -> bool:
    """Whether scores (n, C, *positions) are what a layer gives, (n, D, *positions)."""
    rounding = max(_EQUAL, 16 * max(torch.finfo(numbers.dtype).eps for numbers in (values, scores)))
    values, scores = values.double(), scores.double()
    if values[0].numel() == scores[0].numel():
        orders = (values, values.movedim(1, -1))
        if any(_are_same(order.flatten(1), scores.flatten(1), rounding) for order in orders):
            return True
    if values.shape[1] != scores.shape[1]:
        return _are_a_part(values.flatten(1), scores, rounding)
    # Zeros are the ReLU of anything below 0, and say nothing.
    for used in (values, values.relu()) if scores.any() else (values,):
        for fitted in _fitted(used, scores.shape[2:]):
            if any(_are_same(last(fitted), scores, rounding) for last in _LAST):
                return True
        pooled = scores.ndim < used.ndim and scores.ndim == 2
        if pooled and any(_is_at_a_position(last(used.flatten(2)), scores, rounding) for last in _LAST):
            return True
    return False


def _fitted(values: Tensor, positions: torch.Size) -> Iterator[Tensor]:
    """A layer's values (n, C, *its positions) at the positions of the scores, in the ways in which nets do it."""
    if values.shape[2:] == positions:
        yield values
    elif not positions:
        yield values.flatten(2).mean(2)
        yield values.flatten(2).amax(2)
    elif len(positions) == values.ndim - 2 and len(positions) <= len(_SMOOTH):
        yield interpolate(values, positions, mode="nearest")
        for corners in (False, True):
            yield interpolate(values, positions, mode=_SMOOTH[len(positions) - 1], align_corners=corners)


def _are_same(values: Tensor, scores: Tensor, rounding: float) -> bool:
    """Whether two (n, C, *positions) are the same numbers, or proportional but for a bias for each class."""
    largest = float(scores.nan_to_num(0, 0, 0).abs().max())
    if torch.allclose(values, scores, rtol=0, atol=rounding * largest, equal_nan=True):
        return True
    others = [axis for axis in range(scores.ndim) if axis != 1]
    varying = values - values.mean(others, keepdim=True)
    wanted = scores - scores.mean(others, keepdim=True)
    spread = float(wanted.abs().max())
    if wanted.numel() < wanted.shape[1] + 3 or not spread > max(_VARYING, rounding) * largest:
        return False
    factor = float((varying * wanted).sum() / (varying * varying).sum())
    return factor > 0 and float((varying * factor - wanted).abs().max()) <= max(_PROPORTIONAL, rounding) * spread


def _are_a_part(values: Tensor, scores: Tensor, rounding: float) -> bool:
    """Whether scores (n, C) are some neighbouring ones of what a layer gives, (n, D)."""
    if scores.ndim > 2 or values.shape[1] * scores.shape[1] > _MOST:
        return False
    parts = values.unfold(1, scores.shape[1], 1).movedim(1, 2)
    return any(_is_at_a_position(last(parts), scores, rounding) for last in _LAST)


def _is_at_a_position(values: Tensor, scores: Tensor, rounding: float) -> bool:
    """Whether scores (n, C) are what a layer gives at one of its positions, (n, C, P)."""
    differences = (values - scores[:, :, None]).abs().amax((0, 1))
    return bool((differences <= rounding * scores.abs().max()).any())
