"""Where a training is, and the chance that it makes use of."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


@dataclass
class Position:
    """Where a training is; with the net and the optimizer, all that it goes on from.

    Attributes:
        epoch: the one that is next or under way; -1 before all.
        step: steps of it that are done.
        sums: over its samples so far: "samples", "loss", "correct", and the penalties by name.
        seconds: that it has taken so far.
        random: states of torch's generators to go on with in the middle of an epoch; each begins from a seed.
    """

    epoch: int = -1
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    random: tuple[Tensor, ...] = ()

    def capture(self) -> dict[str, Any]:
        """What to save."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "sums": dict(self.sums),
            "seconds": self.seconds,
            "random": list(_random_states()) if self.step else [],
        }

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> Position:
        """From what was saved."""
        return cls(**{**saved, "random": tuple(saved["random"])})

    def start_next(self) -> None:
        """Begin another epoch."""
        self.epoch, self.step, self.sums, self.seconds, self.random = self.epoch + 1, 0, {}, 0.0, ()

    def add(self, samples: int, **means: float) -> None:
        """Take a batch's means in."""
        self.step += 1
        self.sums["samples"] = self.sums.get("samples", 0.0) + samples
        for name, value in means.items():
            self.sums[name] = self.sums.get(name, 0.0) + samples * value

    def mean(self, name: str) -> float:
        """Over the samples so far."""
        return self.sums[name] / self.sums["samples"]

    def seed(self, seed: int, rank: int) -> None:
        """Set torch's generators to where this position's next step begins.

        Args:
            seed: of the training; each epoch draws numbers of its own.
            rank: of this process; each rank draws numbers of its own.
        """
        own = [rank] if rank else []
        mixed = np.random.SeedSequence([seed, self.epoch + 1, *own]).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(mixed >> np.uint64(1)))
        if self.random:
            _set_random_states(self.random)


@contextlib.contextmanager
def own_random_state() -> Iterator[None]:
    """Leave the states of torch's generators as they were, whatever is drawn in the block."""
    before = tuple(_random_states())
    try:
        yield
    finally:
        _set_random_states(before)


def _random_states() -> Iterator[Tensor]:
    """Of the CPU and of the current GPU."""
    yield torch.get_rng_state()
    if torch.cuda.is_available():
        yield torch.cuda.get_rng_state()


def _set_random_states(states: tuple[Tensor, ...]) -> None:
    torch.set_rng_state(states[0])
    if len(states) > 1 and torch.cuda.is_available():
        torch.cuda.set_rng_state(states[1])
