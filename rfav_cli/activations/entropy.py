"""The entropy of every position of an activation (Eq. 3 and 4), one exponential an activation.

`equations.entropy` is the readable version of the same mathematics; this one reads whole layers at speed. Activations
are read once, in chunks that stay in the processor's cache, into two buffers that are used again. It works in powers of
two, 2^a with a = (values - bias) * scale / ln 2: torch vectorises `exp2` on every CPU, but leaves `exp` to MKL, which
takes 2.6 times as long on an AMD processor. `benchmarks/README.md` has what the whole job was measured at.

With S = sum 2^a and T = sum (a - c) 2^a, H = ln(S 2^-c) - ln 2 T / S for any c. Two choices of c cancel no digits:

- c = log2 S, which needs no row maximum (slow over few channels); S 2^-c is 1 but for the rounding of c;
- c = max a, for the positions where S turns out to be far from 1, or something is not finite.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

CPU_CHUNK_BYTES = 512 * 1024
"""Size of a buffer: two of them and what is read stay in a core's cache.

Twice as much takes 5-11 % longer on an Intel Xeon; half as much takes 10-25 % longer on an AMD EPYC than twice as much.
"""

ACCELERATOR_CHUNK_BYTES = 32 * 1024 * 1024
"""Size of a buffer where a chunk must be large enough to fill the device."""

_SAFE_SUM = 2.0**64
"""Farther from 1 than this (44 nats) the rounding of `a` would show in the sixth decimal of the entropy."""

_FEW_VALUES = 32 * 1024
"""Below this the second choice of c takes less time: twice the arithmetic, but half the calls of torch."""

_LOG2_E = math.log2(math.e)
_LN_2 = math.log(2.0)


def position_entropy(values: Tensor, channel_dim: int, bias: Tensor | None, scale: Tensor | None) -> Tensor:
    """Entropy of softmax over the channels of (values - bias) * scale, at every position.

    Args:
        values: (N, D, *positions) where channel_dim is 1, (N, *positions, D) where it is -1. Any floating type and
            strides; fastest where the channels are contiguous, then where the positions are. Never modified.
        channel_dim: 1 or -1.
        bias: (D,) or None.
        scale: (D,) or None.

    Returns:
        (N, *positions) float32, in nats, within [0, ln D]; NaN exactly where an activation is NaN or infinite.
    """
    x = values.detach().movedim(channel_dim, 1)
    shape = (x.shape[0], *x.shape[2:])
    channels = x.shape[1]
    dtype = torch.promote_types(x.dtype, torch.float32)
    factor = torch.ones(channels, dtype=dtype, device=x.device) if scale is None else scale.detach().to(dtype)
    offset = torch.zeros_like(factor) if bias is None else bias.detach().to(dtype) * -factor
    x = x.flatten(2) if x.dim() > 2 else x.unsqueeze(2)
    if x.stride(1) == 1 or x.shape[2] == 1 or x.numel() < _FEW_VALUES:
        x = x.transpose(1, 2).flatten(0, 1)
    method = _by_maximum if x.numel() < _FEW_VALUES else _in_chunks
    return method(x, offset, factor).to(torch.float32).clamp_(0.0, _max_entropy(channels)).reshape(shape)


def _in_chunks(x: Tensor, offset: Tensor, factor: Tensor) -> Tensor:
    """Entropy over dim 1 of (M, D) rows or (N, D, P) blocks, of activations offset + x * factor."""
    budget = (CPU_CHUNK_BYTES if x.device.type == "cpu" else ACCELERATOR_CHUNK_BYTES) // factor.element_size()
    width = max(1, budget // x.shape[1])
    if x.dim() == 3 and x.shape[2] > width:
        return torch.cat([_in_chunks(part, offset, factor) for part in torch.split(x, width, 2)], 1)
    total, entropy = _by_sum(x, offset, factor, length=max(1, budget // x[0].numel()))
    lowest, highest = total.aminmax()
    if not (float(lowest) > 1.0 / _SAFE_SUM and float(highest) < _SAFE_SUM and math.isfinite(entropy.sum())):
        unsafe = ~((total > 1.0 / _SAFE_SUM) & (total < _SAFE_SUM) & entropy.isfinite())
        rows = x.movedim(1, -1)
        for where in torch.split(unsafe.nonzero(), width):
            index = where.unbind(1)
            entropy[index] = _by_maximum(rows[index], offset, factor)
    return entropy


def _by_sum(x: Tensor, offset: Tensor, factor: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """S and the entropy with c = log2 S, right where S is neither huge nor tiny, `length` rows or blocks at a time."""
    sums = factor.new_empty(3, *x.select(1, 0).shape)
    a, power = factor.new_empty(2, min(length, len(x)), *x.shape[1:])
    ones = torch.ones_like(factor)
    offset, factor = offset * _LOG2_E, factor * _LOG2_E
    if x.dim() == 3:
        offset, factor = offset.unsqueeze(1), factor.unsqueeze(1)
    for part, sums_of_part in zip(torch.split(x, length), torch.split(sums, length, 1), strict=True):
        total, shift, weighted = sums_of_part.unbind()
        if len(part) < len(a):
            a, power = a[: len(part)], power[: len(part)]
        torch.addcmul(offset, part, factor, out=a)
        torch.exp2(a, out=power)
        _sum_channels(power, ones, out=total)
        torch.log2(total, out=shift)
        _sum_channels(a.sub_(shift.unsqueeze(1)).mul_(power), ones, out=weighted)
    total, shift, weighted = sums.unbind()
    rounding = shift.neg_().exp2_().mul_(total).sub_(1.0)  # S 2^-c - 1 is its logarithm, being that small
    return total, rounding.sub_(weighted.div_(total), alpha=_LN_2)


def _by_maximum(rows: Tensor, offset: Tensor, factor: Tensor) -> Tensor:
    """The entropy of (M, D) rows with c = max a, right whatever the range."""
    half = torch.addcmul(offset / 2.0, rows, factor / 2.0)  # halves, so that no difference of finite numbers overflows
    half -= half.amax(1, keepdim=True)
    power = torch.exp2(half * (2.0 * _LOG2_E))
    total = power.sum(1)
    return total.log() - (half * power).sum(1) / total * 2.0


def _sum_channels(tensor: Tensor, ones: Tensor, out: Tensor) -> None:
    """Sum over dim 1; over short contiguous rows a matrix-vector product is twice as fast as a sum."""
    if tensor.dim() == 2:
        torch.mv(tensor, ones, out=out)
    else:
        torch.sum(tensor, 1, out=out)


@functools.cache
def _max_entropy(channels: int) -> float:
    """The entropy of a uniform activation, ln D, as the largest float32 that does not exceed it."""
    nearest = torch.tensor(math.log(channels), dtype=torch.float32)
    below = torch.nextafter(nearest, torch.zeros_like(nearest))
    return float(nearest if float(nearest) <= math.log(channels) else below)
