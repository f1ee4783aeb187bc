"""torch's settings of how exact float32 is: saved, set to full precision, and put back as they were.

torch has two families of them, and reading one raises where the other was set otherwise. The older are two switches
(`torch.set_float32_matmul_precision`, `torch.backends.cudnn.allow_tf32`); setting them sets some of the newer
(`fp32_precision` of `torch.backends` and of what is below it) as well. The newer are a tree: one that is "none" is read
as the one above it. https://docs.pytorch.org/docs/stable/notes/cuda.html#tensorfloat-32-tf32-on-ampere-and-later-devices
"""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

_TREE = (
    ("generic", "all"),
    ("cuda", "all"),
    ("mkldnn", "all"),
    *((backend, operator) for backend in ("cuda", "mkldnn") for operator in ("conv", "rnn", "matmul")),
)
"""The newer settings, each after the ones above it. `torch.backends` has a name for each, but sets the first in place
of the third."""


class _Settings(NamedTuple):
    """All settings, as they are stored."""

    newer: tuple[str, ...]
    cudnn_tf32: bool
    matmul: str


_EXACT = _Settings(("ieee",) * len(_TREE), cudnn_tf32=False, matmul="highest")


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Full float32 in convolutions and products, whatever was set before or is set within; then what was set before."""
    before = _taken()
    _put(_EXACT)
    try:
        yield
    finally:
        _put(before)


def _taken() -> _Settings:
    """The settings, which are left at "none", where neither family contradicts the other."""
    newer = []
    for key in _TREE:
        newer.append(torch._C._get_fp32_precision_getter(*key))
        torch._C._set_fp32_precision_setter(*key, "none")
    cudnn_tf32 = _cudnn_tf32()
    return _Settings(tuple(newer), cudnn_tf32, torch.get_float32_matmul_precision())


def _cudnn_tf32() -> bool:
    """The older switch of convolutions: reading it raises where it is on and the newer settings are at "none"."""
    try:
        return torch._C._get_cudnn_allow_tf32()
    except RuntimeError:
        return True


def _put(settings: _Settings) -> None:
    with warnings.catch_warnings():
        # torch 2.10 says of the older ones that they are old.
        warnings.filterwarnings("ignore", category=UserWarning)
        torch._C._set_cudnn_allow_tf32(settings.cudnn_tf32)
        torch.set_float32_matmul_precision(settings.matmul)
    for key, precision in zip(_TREE, settings.newer, strict=True):
        torch._C._set_fp32_precision_setter(*key, precision)
