"""What comes into a net's first batch normalisation, beside what it learnt to expect: are the samples scaled as then?

The forward ends there, so that looking costs next to nothing.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from rfav_cli.activations.consumers import INFERENCE_NORM, NORMS
from rfav_cli.activations.dispatch import OperatorHook
from rfav_cli.activations.hooks import StopForward, plain_forward
from rfav_cli.inputs import call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from rfav_cli.activations.weight_names import WeightNames
    from rfav_cli.inputs import Inputs

MOMENTUM = 0.1
"""torch's default, where a program does not tell its own."""
UNLEARNT = 0.05
"""The share of what running statistics begin with, 0 and 1, from which on they say little of the samples."""


@dataclass(frozen=True)
class NormInput:
    """What a batch normalisation was given in one forward, and its running statistics, of each channel (C,) float64.

    Attributes:
        mean, variance: over samples and positions; the variance is of them all, not of a sample of more.
        values: how many these are.
        expected_mean, expected_variance: the running statistics.
        epsilon: what the normalisation adds to variances.
        unlearnt: the share of what the running statistics began with that is still in them; NaN where it is not known.
    """

    mean: Tensor
    variance: Tensor
    values: int
    expected_mean: Tensor
    expected_variance: Tensor
    epsilon: float
    unlearnt: float

    @property
    def learnt(self) -> bool:
        """Whether the running statistics are of samples, and not what they began with before training."""
        untouched = bool((self.expected_mean == 0).all() and (self.expected_variance == 1).all())
        return not untouched and not self.unlearnt > UNLEARNT


def pooled(inputs: Sequence[NormInput]) -> NormInput:
    """What one normalisation was given in several forwards, as if it had been one."""
    weights = torch.tensor([float(each.values) for each in inputs], dtype=torch.float64)
    weights = (weights / weights.sum())[:, None]
    means = torch.stack([each.mean for each in inputs])
    squares = torch.stack([each.variance for each in inputs]) + means.square()
    mean = (weights * means).sum(0)
    variance = ((weights * squares).sum(0) - mean.square()).clamp_min(0)
    return replace(inputs[0], mean=mean, variance=variance, values=sum(each.values for each in inputs))


def input_of_module(model: nn.Module, inputs: Inputs) -> NormInput | None:
    """What an eager net's first batch normalisation with running statistics is given; None where none is reached."""
    found: list[NormInput] = []

    def see(norm: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        values = args[0] if args else kwargs.get("input")
        if isinstance(norm, _BatchNorm) and isinstance(values, Tensor):
            found.append(_of_module(norm, values))
            raise StopForward

    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.running_mean is not None]
    if not norms:
        return None
    with ExitStack() as stack:
        for norm in norms:
            stack.callback(norm.register_forward_pre_hook(see, with_kwargs=True).remove)
        stack.enter_context(plain_forward())
        stack.enter_context(suppress(StopForward))
        call(model, inputs)
    return found[0] if found else None


class NormInputHook(OperatorHook):
    """Ends the forward of a program at its first batch normalisation with running statistics.

    Args:
        weights: names the layers.
        buffers: of the program, by their names.

    Attributes:
        found: what it was given; None until then.
    """

    def __init__(self, weights: WeightNames, buffers: Mapping[str, Tensor]) -> None:
        super().__init__(weights, lambda _: None)
        self.found: NormInput | None = None
        self._buffers = buffers

    def watch(self, operator: Any, args: tuple[Any, ...]) -> None:
        """Look at an operator before it runs."""
        if operator not in NORMS and operator is not INFERENCE_NORM:
            return
        values, _, _, mean, variance = args[:5]
        if mean is None or variance is None:
            return
        epsilon = float(args[-1] if operator is INFERENCE_NORM else args[7])
        seen = _batches_seen(self._buffers, mean)
        unlearnt = float("nan") if seen is None else _unlearnt(seen, MOMENTUM)
        self.found = _measured(values, mean, variance, epsilon, unlearnt)
        raise StopForward


def _of_module(norm: _BatchNorm, values: Tensor) -> NormInput:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None  # noqa: S101 - the others have no hook
    assert variance is not None  # noqa: S101
    seen = None if norm.num_batches_tracked is None else int(norm.num_batches_tracked)
    # Without a momentum the statistics are the mean over all batches.
    unlearnt = float("nan") if not seen or norm.momentum is None else _unlearnt(seen, norm.momentum)
    return _measured(values, mean, variance, norm.eps, unlearnt)


def _measured(values: Tensor, mean: Tensor, variance: Tensor, epsilon: float, unlearnt: float) -> NormInput:
    """Reduce (n, C, *positions) over samples and positions."""
    axes = [axis for axis in range(values.dim()) if axis != 1]
    spread, centre = torch.var_mean(values.detach().float(), axes, correction=0)
    count = values.numel() // max(values.shape[1], 1)
    as_double = (tensor.detach().cpu().double() for tensor in (centre, spread, mean, variance))
    centre, spread, mean, variance = as_double
    return NormInput(centre, spread, count, mean, variance, epsilon, unlearnt)


def _batches_seen(buffers: Mapping[str, Tensor], mean: Tensor) -> int | None:
    """How many batches running statistics are of; None where the program does not keep that."""
    for name, buffer in buffers.items():
        if buffer.data_ptr() == mean.data_ptr() and name.endswith("running_mean"):
            seen = buffers.get(f"{name.removesuffix('running_mean')}num_batches_tracked")
            return int(seen) or None if seen is not None else None
    return None


def _unlearnt(batches: int, momentum: float) -> float:
    """What is left of the beginning after so many batches."""
    return float((1 - min(max(momentum, 0.0), 1.0)) ** batches)
