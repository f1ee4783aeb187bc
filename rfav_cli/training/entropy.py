"""The sum of all entropies of an activation (Eq. 3 and 4) with its gradient, lean enough to be part of a training step.

`equations.entropy` is the readable version. Left to autograd it keeps three copies of the activation for the backward
pass; here the forward pass computes the gradient as well, while a part of the activation is in the processor's cache,
and keeps nothing else. So it does no harm when the activation is written over afterwards, as `ReLU(inplace=True)` does.

With p = softmax(a) and H = -sum p ln p, the gradient of H is -p (ln p + H).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rfav_cli import equations
from rfav_cli.activations.entropy import ACCELERATOR_CHUNK_BYTES, CPU_CHUNK_BYTES


def entropy_sum(values: Tensor, channel_dim: int, bias: Tensor | None) -> Tensor:
    """Sum over samples and positions of the entropy of softmax over the channels of values - bias.

    Args:
        values: (N, D, *positions) where channel_dim is 1, (N, *positions, D) where it is -1. Any floating type.
        channel_dim: 1 or -1.
        bias: (D,) or None. Its gradient takes back what flows into it through `values`.

    Returns:
        A scalar in nats, float32 or wider. It can be differentiated once; where `torch.compile` traces it, which finds
        out by itself what to keep, any number of times.
    """
    if torch.compiler.is_compiling():
        activation = values.movedim(channel_dim, -1).to(torch.promote_types(values.dtype, torch.float32))
        return equations.entropy(activation if bias is None else activation - bias, -1).sum()
    total: Tensor = _EntropySum.apply(values, channel_dim, bias)
    return total


class _EntropySum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, channel_dim: int, bias: Tensor | None) -> Tensor:
        rows = values.movedim(channel_dim, -1)
        if rows.is_contiguous() or rows.dim() == 2:
            total, gradient, bias_gradient = _sum_and_gradient(rows.contiguous().flatten(0, -2), bias)
            gradient = gradient.view(rows.shape).movedim(-1, channel_dim)
        else:
            blocks = values.movedim(channel_dim, 1).contiguous()
            total, gradient, bias_gradient = _sum_and_gradient(blocks.flatten(2), bias)
            gradient = gradient.view(blocks.shape).movedim(1, channel_dim)
        ctx.save_for_backward(gradient, bias_gradient)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, None, Tensor | None]:
        # What needs no gradient itself would let a second derivative pass, without the part that is not known here.
        return _backward(ctx, scale.detach().requires_grad_() if torch.is_grad_enabled() else scale)


@once_differentiable
def _backward(ctx: Any, scale: Tensor) -> tuple[Tensor, None, Tensor | None]:
    gradient, bias_gradient = ctx.saved_tensors
    # In the wider type: in half precision a small lambda would be 0 before a loss scaler's factor meets it.
    scaled = (gradient.to(scale.dtype) * scale).to(gradient.dtype)
    return scaled, None, -scale * bias_gradient if ctx.needs_input_grad[2] else None


def _sum_and_gradient(x: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Of (M, D) rows or (N, D, P) blocks, contiguous.

    Returns:
        The sum of the entropies over D, its gradient in the shape and type of x, and the sum of that, (D,).
    """
    channels = x.shape[1]
    positions = x.shape[2] if x.dim() == 3 else 1
    dtype = torch.promote_types(x.dtype, torch.float32)
    offset = x.new_zeros(channels, dtype=dtype) if bias is None else bias.detach().to(dtype)
    offset = offset[:, None] if x.dim() == 3 else offset
    budget = (CPU_CHUNK_BYTES if x.device.type == "cpu" else ACCELERATOR_CHUNK_BYTES) // dtype.itemsize
    width = max(1, min(positions, budget // channels))
    length = max(1, budget // (channels * width))
    total = x.new_zeros((), dtype=dtype)
    gradient = torch.empty_like(x)
    gradient_sum = torch.zeros_like(offset)
    for block, gradient_block in zip(x.split(length), gradient.split(length), strict=True):
        parts = [(block, gradient_block)]
        if width < positions:
            parts = list(zip(block.split(width, 2), gradient_block.split(width, 2), strict=True))
        for part, gradient_part in parts:
            log_p = torch.log_softmax(part - offset, 1)
            p = log_p.exp()
            products = log_p.mul_(p)
            entropy = products.sum(1, keepdim=True).neg_()
            total += entropy.sum()
            gradient_part.copy_(products.addcmul_(p, entropy).neg_())
            gradient_sum += products.sum_to_size(offset.shape)
    return total, gradient, gradient_sum.flatten()
