"""What every statistic does: take in what a forward gives, add it up, and turn the sums into columns of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from rfav_cli.records import Layer, Nonlinearity, Settings


@dataclass(frozen=True)
class Context:
    """What a statistic knows before the first batch.

    Attributes:
        layers: L layers in forward order.
        size: N, the number of probe samples.
        labels: (N, ...) of the task on the device that computes, or None; (N,) int64 where that is classes.
        settings: see `Settings`.
        nonlinearities: of each layer, the function that the net applies to its activation before anything else sees it;
            None where that is not known (`activations.consumers` says when), and () where nobody has looked.
        uses: how often a forward uses each layer; () where each is used once.
        padding: (N, T) bool on the device that computes, where the samples are padding; None where nothing is.
        probabilities: the net ends in a sigmoid, for tasks of one score a decision.
        own_loss: the loss of the user's own, in place of the task's: gives (n,) losses for the net's output on some
            samples, and their rows; None where there is none.
    """

    layers: tuple[Layer, ...]
    size: int
    labels: Tensor | None
    settings: Settings
    nonlinearities: tuple[Nonlinearity | None, ...] = ()
    uses: tuple[int, ...] = ()
    padding: Tensor | None = None
    probabilities: bool = False
    own_loss: Callable[[Tensor, slice], Tensor] | None = None

    def padding_of(self, layer: int, rows: slice) -> Tensor | None:
        """(n, T) bool, where a layer's activations are those of padding; None where its positions are no tokens."""
        if self.padding is None or self.layers[layer].positions != tuple(self.padding.shape[1:]):
            return None
        return self.padding[rows]

    def nonlinearity(self, layer: int) -> Nonlinearity | None:
        """What follows a layer; None where that is not known."""
        return self.nonlinearities[layer] if self.nonlinearities else None


class Statistic:
    """One checkpoint's worth of one statistic. Override what is needed; each method's default takes nothing in."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def update_entropy(self, layer: int, rows: slice, entropy: Tensor) -> None:
        """Take one use of one layer on one batch.

        Args:
            layer: its index.
            rows: which probe samples the batch holds.
            entropy: (n, *positions) float32, in nats; NaN where an activation was not finite, and at padding.
        """

    def update_activation(self, layer: int, rows: slice, activation: Tensor) -> None:
        """Take one use of one layer on one batch, as it goes into the nonlinearity that follows.

        It is the layer's output with its bias, after the batch normalisation that follows it where all uses of the
        layer go into that one; the same whatever `--with-bias` and `--fold-norm` say. It is made for a run only where
        one of its statistics overrides this method.

        Args:
            layer: its index.
            rows: which probe samples the batch holds.
            activation: (n, D, *positions), float32 or wider, in any memory format; NaN at padding. It is lent: to be
                read at once, never written to or kept.
        """

    def update_filters(self, layer: int, filters: Tensor) -> None:
        """Take a layer's weights, (groups, D / groups, K) float32, once a checkpoint."""

    def update_weights(self, layer: int, weights: Tensor) -> None:
        """Take a layer's weights as the checkpoint has them, (n,) float32, once a checkpoint, whatever is folded in."""

    def update_output(self, rows: slice, output: Tensor) -> None:
        """Take the net's output on one batch, (n, ...) of any type."""

    def compute(self) -> dict[str, NDArray[Any]]:
        """The columns: dataset name -> array without the epoch axis, in the type that it is stored as."""
        return {}


def to_numpy(tensor: Tensor, dtype: np.dtype[Any] | type[Any]) -> NDArray[Any]:
    """A tensor as a numpy array of a type, copied off its device."""
    array: NDArray[Any] = tensor.detach().cpu().numpy().astype(dtype)
    return array


def widened(tensor: Tensor) -> Tensor:
    """A tensor as float64: on its device, or on the CPU where the device has none (MPS)."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def applied(nonlinearity: Nonlinearity, activation: Tensor) -> Tensor:
    """What a nonlinearity makes of an activation, of any shape."""
    result = getattr(torch.ops.aten, nonlinearity.name)(activation, **dict(nonlinearity.arguments))
    made: Tensor = result[0] if isinstance(result, tuple) else result  # log_sigmoid gives a buffer as well
    return made


def has_nan(tensor: Tensor) -> bool:
    """Whether a tensor of finite numbers and NaNs has a NaN; counting them takes ten times as long."""
    return bool(tensor.sum().isnan())


def are_class_scores(output: Tensor, samples: int) -> bool:
    """Whether an output is a row of scores for each of so many samples: (samples, classes >= 2), floating point."""
    return output.ndim == 2 and len(output) == samples and output.shape[1] >= 2 and output.is_floating_point()


def are_probabilities(scores: Tensor) -> bool:
    """Whether scores (n, classes) are probabilities already: none negative, each row with the sum 1, NaN set aside."""
    missing = scores.isnan().any(1)
    fitting = (scores >= 0).all(1) & ((scores.sum(1) - 1).abs() <= 1e-3)
    return bool((fitting | missing).all())


def confidences(scores: Tensor) -> Tensor:
    """How sure a net is of its prediction: the highest probability of each row of scores (n, classes), by softmax.

    Scores that are probabilities already are taken as such; log-probabilities need no case of their own, since softmax
    gives back what they are the logarithms of.

    Returns:
        (n,) of the type of the scores; NaN where softmax has no value: a score is NaN or infinity.
    """
    probabilities = scores if are_probabilities(scores) else scores.softmax(1)
    return probabilities.amax(1)


def predicted_classes(scores: Tensor) -> Tensor:
    """The class of the highest of the scores (n, classes): (n,) int32, -1 where a score is NaN."""
    highest, classes = scores.max(1)
    return torch.where(highest.isnan(), -1, classes).to(torch.int32)
