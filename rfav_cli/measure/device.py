"""The device that nets are measured on, its arithmetic, and the memory of the process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from rfav_cli.errors import ModelError
from rfav_cli.measure.precision import full_precision
from rfav_cli.records import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import Ranks


def pick_device(name: str, ranks: Ranks = ALONE) -> torch.device:
    """The device for `--device`: "auto" is CUDA when there is one, else the CPU; each rank has a GPU of its own.

    Raises:
        ModelError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not ranks.alone:
        if ranks.local_world > torch.cuda.device_count():
            raise ModelError(
                f"--device cuda: {torch.cuda.device_count()} GPUs for {ranks.local_world} ranks on this machine",
                "Start a rank a GPU (torchrun --nproc-per-node=gpu), or give --device cpu.",
            )
        torch.cuda.set_device(ranks.local)
        name = f"cuda:{ranks.local}"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0][:200]
        raise ModelError(
            f"--device {name}: {reason}", "Give auto, cpu, cuda or mps; `rfav doctor` lists the devices."
        ) from None
    return device


def keep_freed_memory() -> None:
    """Have glibc keep what is freed, up to twice this size, for the next batch.

    By default it hands an activation's memory back to the system, which zeroes every page anew: a seventh of the time
    of a small net. A large piece that is freed raises its limits for good, up to 32 MB: see M_MMAP_THRESHOLD in
    mallopt(3). The piece is never touched, so it takes no memory, and other allocators lose nothing by it.
    """
    torch.empty(31 * 1024 * 1024, dtype=torch.uint8)


@contextlib.contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Full float32 in convolutions and products, so that the figures on CUDA are those on the CPU; no gradients."""
    with torch.no_grad(), full_precision():
        yield
