"""The loop of a training: a generator of events, which knows no terminal, no store and no files."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rfav_cli.errors import ModelError, TrainingError
from rfav_cli.records import TrainingEpoch, TrainingStep
from rfav_cli.training.finite import broken_weights, first_not_finite
from rfav_cli.training.optimizers import learning_rate_at

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from torch import Tensor

    from rfav_cli.training.batches import Batches
    from rfav_cli.training.penalties import TargetedRegularizer
    from rfav_cli.training.settings import Hyperparameters
    from rfav_cli.training.setup import Net


@dataclass(frozen=True)
class Task:
    """What is to be trained, on what, and how.

    Attributes:
        net: in training mode or not.
        optimizer: of its parameters.
        training: batches.
        validation: batches, or None.
        regularizer: the penalties, or None.
        how: schedule, epochs, and the seed of whatever chance the net itself makes use of.
        device: where the net is.
    """

    net: Net
    optimizer: torch.optim.Optimizer
    training: Batches
    validation: Batches | None
    regularizer: TargetedRegularizer | None
    how: Hyperparameters
    device: torch.device


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


def run(task: Task, position: Position) -> Generator[TrainingStep | TrainingEpoch, None, None]:
    """Train from a position on.

    After each event net, optimizer and position are those from which another call would go on, so that whoever asks
    for the next one may save them first, or stop. An epoch that is told of is done: the position is at the next.

    Raises:
        TrainingError: the loss or a weight is not finite; the net is of no use then.
        ModelError: a batch needs more memory than there is.
    """
    while position.epoch < task.how.epochs:
        start = time.monotonic() - position.seconds
        rate = None
        if position.epoch >= 0:
            rate = learning_rate_at(task.how.schedule, task.how.rate, position.epoch, task.how.epochs)
            yield from _steps(task, position, rate, start)
            if broken := broken_weights(task.net.model):
                raise _broken_down(position, f"{broken} is not finite after the last step of the epoch")
        loss, accuracy = _validate(task)
        done = TrainingEpoch(
            epoch=position.epoch,
            epochs=task.how.epochs,
            learning_rate=rate,
            train_loss=position.mean("loss") if position.sums else None,
            train_accuracy=position.mean("correct") if position.sums else None,
            penalties={name: position.mean(name) for name in position.sums if "/" in name},
            validation_loss=loss,
            validation_accuracy=accuracy,
            seconds=time.monotonic() - start,
        )
        position.start_next()
        yield done


def _steps(task: Task, position: Position, rate: float, start: float) -> Iterator[TrainingStep]:
    for group in task.optimizer.param_groups:
        group["lr"] = rate
    task.net.model.train()
    torch.manual_seed(_mixed(task.how.seed, position.epoch))
    if position.random:
        _set_random_states(position.random)
    batches = task.training.shuffled(position.epoch, position.step, task.device)
    for samples, labels in batches:
        loss, penalty, correct, penalties = _step(task, position, samples, labels)
        position.add(len(labels), loss=loss, correct=correct, **penalties)
        position.seconds = time.monotonic() - start
        yield TrainingStep(position.epoch, position.step, len(task.training), task.how.epochs, loss, penalty)


def _step(
    task: Task, position: Position, samples: Tensor, labels: Tensor
) -> tuple[float, float, float, dict[str, float]]:
    """One step: the loss, the penalty, the share of right answers, and each penalty by name."""
    task.optimizer.zero_grad(set_to_none=True)
    try:
        with _autocast(task):
            scores = task.net.scores(samples)
        loss = task.net.loss(scores, labels)
        total = loss if task.regularizer is None else loss + task.regularizer()
        values = (loss.item(), total.item())
        if not all(map(math.isfinite, values)):
            raise _broken_down(position, _cause(task, samples, *values))
        total.backward()
        task.optimizer.step()
    except RuntimeError as error:
        # The CPU's allocator has no exception of its own.
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise ModelError(
                f"--batch-size {task.training.size} needs more memory than there is", "Give a smaller one."
            ) from error
        raise
    correct = (scores.argmax(1) == labels).double().mean().item()
    penalties = {} if task.regularizer is None else task.regularizer.values
    return values[0], values[1] - values[0], correct, penalties


@torch.no_grad()
def _validate(task: Task) -> tuple[float | None, float | None]:
    """The mean loss and accuracy over the validation samples."""
    if task.validation is None:
        return None, None
    task.net.model.eval()
    samples_seen, loss, correct = 0, 0.0, 0.0
    for samples, labels in task.validation.in_order(task.device):
        with _autocast(task):
            scores = task.net.scores(samples)
        samples_seen += len(labels)
        loss += task.net.loss(scores, labels).item() * len(labels)
        correct += (scores.argmax(1) == labels).double().sum().item()
    if task.regularizer is not None:
        task.regularizer.clear()
    return loss / samples_seen, correct / samples_seen


def _autocast(task: Task) -> torch.autocast:
    return torch.autocast(task.device.type, dtype=torch.bfloat16, enabled=task.how.amp)


def _cause(task: Task, samples: Tensor, loss: float, total: float) -> str:
    """What is not finite, and where that began."""
    if math.isfinite(loss):
        values = {} if task.regularizer is None else task.regularizer.values
        names = [name for name, value in values.items() if not math.isfinite(value)]
        return f"the penalty {names[0] if names else ''} is {total}"

    def forward() -> None:
        with _autocast(task):
            task.net.scores(samples)

    first = first_not_finite(task.net.model, forward)
    return f"the loss is {loss}" + (f"; the first that is not finite is {first}" if first else "")


def _broken_down(position: Position, cause: str) -> TrainingError:
    last = position.epoch - 1
    when = "before training" if last < 0 else f"of epoch {last}"
    return TrainingError(
        f"epoch {position.epoch}, step {position.step + 1}: {cause}",
        f"The checkpoint {when} is the last good one. Train with a smaller --learning-rate or smaller penalties.",
    )


@contextlib.contextmanager
def own_random_state() -> Iterator[None]:
    """Leave the states of torch's generators as they were, whatever is drawn in the block."""
    before = tuple(_random_states())
    try:
        yield
    finally:
        _set_random_states(before)


def _mixed(seed: int, epoch: int) -> int:
    """A seed for torch that differs for each seed and epoch."""
    return int(np.random.SeedSequence([seed, epoch + 1]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _random_states() -> Iterator[Tensor]:
    yield torch.get_rng_state()
    if torch.cuda.is_available():
        yield from torch.cuda.get_rng_state_all()


def _set_random_states(states: tuple[Tensor, ...]) -> None:
    torch.set_rng_state(states[0])
    if len(states) > 1 and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(list(states[1:]))
