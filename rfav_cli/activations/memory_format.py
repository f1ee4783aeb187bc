"""How samples lie in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def laid_out(images: Tensor, *, channels_last: bool) -> Tensor:
    """Samples in a memory format, with the strides that a new tensor of it has; no copy where they lie so already.

    An axis of one element may have any stride, and `contiguous` leaves it as it is, but nets read it: `x.view(len(x),
    -1)` fails for what comes out of a convolution of one-channel images whose strides are those of channels last.
    """
    wanted = torch.channels_last if channels_last and images.ndim == 4 else torch.contiguous_format
    images = images.contiguous(memory_format=wanted)
    strides = torch.empty(images.shape, device="meta", memory_format=wanted).stride()
    return images if images.stride() == strides else images.as_strided(images.shape, strides)
