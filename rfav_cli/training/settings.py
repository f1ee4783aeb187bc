"""How a net is trained, and what else decides its weights: a run is not continued under other settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from operator import index
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import TrainingError, UsageError
from rfav_cli.text import printable
from rfav_cli.training.batches import AUGMENTATIONS
from rfav_cli.training.learning_rate import RATES, SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LARGEST = 1e30
"""Of a learning rate or weight decay; torch refuses what is more than a float32 in the middle of a step."""
LARGEST_SEED = 2**64 - 1
"""What torch's generators take."""


@dataclass(frozen=True)
class Hyperparameters:
    """How a net is trained; the defaults of `rfav train` are the paper's.

    Attributes:
        optimizer: a key of `RATES`.
        learning_rate: at the start; None for that of the optimizer.
        momentum: of "sgd".
        weight_decay: on all parameters.
        schedule: a key of `SCHEDULES`.
        epochs: how many.
        batch_size: samples a step.
        augment: names out of `batches.AUGMENTATIONS`.
        amp: forwards in bfloat16 where torch holds that to be safe.
        seed: of whatever chance decides.
    """

    optimizer: str
    learning_rate: float | None
    momentum: float
    weight_decay: float
    schedule: str
    epochs: int
    batch_size: int
    augment: tuple[str, ...]
    amp: bool
    seed: int

    @property
    def rate(self) -> float:
        """The learning rate at the start."""
        return RATES[self.optimizer] if self.learning_rate is None else self.learning_rate

    def __post_init__(self) -> None:
        """Refuse what no training can be done with.

        Raises:
            UsageError: a name is unknown, or a number out of its range.
        """
        self._take_plain_numbers()
        for option, name, known in (
            ("--optimizer", self.optimizer, [*RATES]),
            ("--schedule", self.schedule, [*SCHEDULES]),
        ):
            if name not in known:
                raise UsageError(f"{option}: there is no {name!r:.60}", f"Give one of: {', '.join(known)}.")
        for option, value, least in (
            ("--epochs", self.epochs, 1),
            ("--batch-size", self.batch_size, 1),
            ("--seed", self.seed, 0),
        ):
            if value < least:
                raise UsageError(f"{option} {value}: out of range", f"Give a whole number from {least} on.")
        if self.seed > LARGEST_SEED:
            raise UsageError(f"--seed {self.seed}: out of range", f"Give a whole number up to {LARGEST_SEED}.")
        if not 0 < self.rate <= LARGEST:
            raise UsageError(f"--learning-rate {self.rate}: out of range", f"Give a number above 0, to {LARGEST:g}.")
        if not 0 <= self.weight_decay <= LARGEST:
            raise UsageError(f"--weight-decay {self.weight_decay}: out of range", f"Give one from 0 to {LARGEST:g}.")
        if not 0 <= self.momentum < 1:
            raise UsageError(f"--momentum {self.momentum}: out of range", "Give a number from 0 to below 1.")
        if self.momentum and self.optimizer != "sgd":
            raise UsageError(f"--momentum: {self.optimizer} has its own", "Leave it out, or use --optimizer sgd.")

    def _take_plain_numbers(self) -> None:
        """Put Python's own numbers in the place of numpy's, which a state that is read as data cannot hold."""
        for name in ("epochs", "batch_size", "seed"):
            self._put(name, index)
        for name in ("learning_rate", "momentum", "weight_decay"):
            if name != "learning_rate" or self.learning_rate is not None:
                self._put(name, float)

    def _put(self, name: str, read: Callable[[Any], float]) -> None:
        value = getattr(self, name)
        try:
            object.__setattr__(self, name, read(value))
        except (TypeError, ValueError, OverflowError):
            kind = "whole number" if read is index else "number"
            raise UsageError(f"--{name.replace('_', '-')} {value!r:.60}: no {kind}", f"Give a {kind}.") from None

    def record(self) -> dict[str, Any]:
        """As it is kept with a run."""
        augment = ", ".join(name for name in AUGMENTATIONS if name in self.augment)
        return {**asdict(self), "learning_rate": self.rate, "augment": augment}


def check_same(stored: Mapping[str, Any], now: Mapping[str, Any], where: Path) -> None:
    """Refuse to go on with a run of other settings.

    At a constant learning rate the number of epochs decides nothing about those that are done.

    Raises:
        TrainingError: something differs; the message says what.
    """
    free = {"epochs"} if now["schedule"] == "constant" else set()
    if changes := _differences(stored, {name: value for name, value in now.items() if name not in free}):
        raise TrainingError(
            f"{where}: the run there was started with other settings (then / now): {changes}",
            "Give what it was started with, or another --out without --resume.",
        )


def check_alike(records: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to have processes train one net with settings or data of their own; `records` has those of each.

    Raises:
        TrainingError: something differs; the message says what.
    """
    for rank, record in enumerate(records):
        if differences := _differences(records[0], record):
            raise TrainingError(
                f"process {rank} differs from process 0 (process 0 / it): {differences}",
                "Start all with the same command, the same data and the same code.",
            )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name.replace('_', ' ')}: {_shown(before.get(name))} / {_shown(value)}"
        for name, value in now.items()
        if before.get(name) != value
    )


def _shown(value: object) -> str:
    text = printable(value)
    is_digest = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return text[:8] if is_digest else text or "none"
