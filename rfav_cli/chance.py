"""Random numbers that a net or a data set draws: the same ones each time, and none of the user's own."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

CPU = torch.device("cpu")


@contextmanager
def drawn_from(seed: int, device: torch.device = CPU) -> Iterator[None]:
    """Start the generators of torch, numpy and Python at a seed; afterwards they are where they were before.

    Args:
        seed: from 0 on.
        device: where the net runs: its generator is meant, too, where it is a GPU. A data set is on the CPU.
    """
    python, numpy = random.getstate(), np.random.get_state()
    gpus = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(gpus):
            random.seed(seed)
            np.random.seed(seed)
            torch.default_generator.manual_seed(seed)
            if gpus:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def positions(device: torch.device = CPU) -> tuple[object, ...]:
    """Where the generators of torch, numpy and Python stand: another place once a number was drawn.

    Args:
        device: where the net runs: its generator is meant, too, where it is a GPU.
    """
    gpu = torch.cuda.get_rng_state(device).numpy().tobytes() if device.type == "cuda" else b""
    _, key, place, *normal = np.random.get_state(legacy=True)
    return random.getstate(), np.asarray(key).tobytes(), place, *normal, torch.get_rng_state().numpy().tobytes(), gpu
