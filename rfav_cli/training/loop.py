"""The loop of a training: a generator of events, which knows no terminal, no store and no files."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch.nn.modules.batchnorm import SyncBatchNorm, _BatchNorm

from rfav_cli.distributed import Group, is_lost
from rfav_cli.errors import ModelError, RfavError, TrainingError
from rfav_cli.records import ALONE, TrainingEpoch, TrainingStep
from rfav_cli.text import named
from rfav_cli.training.finite import broken_weights, first_not_finite
from rfav_cli.training.forward import Forward, autocast
from rfav_cli.training.learning_rate import learning_rate_at, rate_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from torch import Tensor, nn

    from rfav_cli.options import Hyperparameters
    from rfav_cli.training.batches import Batches
    from rfav_cli.training.penalties import TargetedRegularizer
    from rfav_cli.training.position import Position
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
        group: the processes that share each batch.
        forward: a step's forward, whose gradients are those of the whole batch.
    """

    net: Net
    optimizer: torch.optim.Optimizer
    training: Batches
    validation: Batches | None
    regularizer: TargetedRegularizer | None
    how: Hyperparameters
    device: torch.device
    group: Group = field(default_factory=lambda: Group(ALONE))
    forward: nn.Module = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Have the gradients of the processes averaged."""
        forward = Forward(self.net, self.regularizer, self.device.type, self.how.amp)
        object.__setattr__(self, "forward", self.group.distributed(forward))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told."""
        ranks = self.group.ranks
        if ranks.alone:
            return ()
        notes = [f"{ranks.world} processes share each batch of {self.training.size} samples"]
        norms = {type(module) for module in self.net.model.modules() if isinstance(module, _BatchNorm)}
        if norms - {SyncBatchNorm}:
            notes.append("batch normalisation takes its statistics from the share of each process")
        return tuple(notes)


def run(task: Task, position: Position) -> Generator[TrainingStep | TrainingEpoch, None, None]:
    """Train from a position on.

    After each event net, optimizer and position are those from which another call would go on, so that whoever asks
    for the next one may save them first, or stop. An epoch that is told of is done: the position is at the next.

    Raises:
        TrainingError: the loss or a weight is not finite; the net is of no use then.
        ModelError: a batch needs more memory than there is.
    """
    meant = {*broken_weights(task.net.model)}
    while position.epoch < task.how.epochs:
        start = time.monotonic() - position.seconds
        rate = None
        if position.epoch >= 0:
            rate = learning_rate_at(task.how.schedule, rate_of(task.how), position.epoch, task.how.epochs)
            yield from _steps(task, position, rate, start)
            task.group.take_buffers_of_first(task.net.model)
            if broken := [name for name in broken_weights(task.net.model) if name not in meant]:
                raise _broken_down(position, f"{broken[0]} is not finite after the last step of the epoch")
        loss, accuracy = _validate(task, position.epoch)
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
    position.seed(task.how.seed, task.group.ranks.rank)
    batches = task.training.shuffled(position.epoch, position.step, task.device)
    for samples, labels in batches:
        size = task.training.samples(position.step)
        means = _step(task, position, samples, labels)
        penalty = means.pop("penalty")
        position.add(size, **means)
        position.seconds = time.monotonic() - start
        yield TrainingStep(position.epoch, position.step, len(task.training), task.how.epochs, means["loss"], penalty)


def _step(task: Task, position: Position, samples: Tensor, labels: Tensor) -> dict[str, float]:
    """One step: means over the whole batch of the loss, the penalty, right answers, and each penalty by name."""
    weight = task.training.weight(position.step)
    task.optimizer.zero_grad(set_to_none=True)
    with _blamed(task, f"epoch {position.epoch}, step {position.step + 1}"):
        scores, loss, total = task.forward(samples, labels)
        means = _means(task, loss.item(), total.item(), scores, labels)
        cause = _cause(task, samples, means)
        broken, *shared = task.group.sums([float(bool(cause)), *(weight * mean for mean in means.values())])
        if broken:
            raise _broken_down(position, next(filter(None, task.group.gathered(cause))))
        # The gradients of the processes are averaged; each share counts as much as it has of the samples.
        (total if task.group.ranks.alone else total * (weight * task.group.ranks.world)).backward()
        task.optimizer.step()
    return dict(zip(means, shared, strict=True))


@contextlib.contextmanager
def _blamed(task: Task, when: str) -> Iterator[None]:
    """Say when it was that the net's own code failed: what it did before, in evaluation, may have been right."""
    try:
        yield
    except RfavError:
        raise
    except Exception as error:
        # The CPU's allocator has no exception of its own.
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise ModelError(
                f"--batch-size {task.training.size} needs more memory than there is", "Give a smaller one."
            ) from error
        if is_lost(error):
            raise
        raise ModelError(
            f"{when}: the net failed: {named(error)}",
            "Put it right in the net, or give batches that it can take; `rfav --traceback …` shows where it arose.",
        ) from error


def _means(task: Task, loss: float, total: float, scores: Tensor, labels: Tensor) -> dict[str, float]:
    """Of this process's share of a batch."""
    correct = (scores.argmax(1) == labels).double().mean().item()
    means = {"loss": loss, "penalty": total - loss, "correct": correct}
    if task.regularizer is None:
        return means
    # Chance may have a forward pass a layer by, but all processes must speak of the same.
    names = () if task.group.ranks.alone else task.regularizer.names
    return means | dict.fromkeys(names, 0.0) | task.regularizer.values


@torch.no_grad()
def _validate(task: Task, epoch: int) -> tuple[float | None, float | None]:
    """The mean loss and accuracy over the validation samples."""
    if task.validation is None:
        return None, None
    task.net.model.eval()
    seen, loss, correct = 0, 0.0, 0.0
    for samples, labels in task.validation.in_order(task.device):
        with _blamed(task, f"epoch {epoch}, validation"), autocast(task.device.type, task.how.amp):
            scores = task.net.scores(samples)
            mean = task.net.loss(scores, labels).item()
        seen += len(labels)
        loss += mean * len(labels)
        correct += (scores.argmax(1) == labels).double().sum().item()
    if task.regularizer is not None:
        task.regularizer.clear()
    all_seen, all_loss, all_correct = task.group.sums([seen, loss, correct])
    return all_loss / all_seen, all_correct / all_seen


def _cause(task: Task, samples: Tensor, means: Mapping[str, float]) -> str:
    """What is not finite, and where that began; empty where all is."""
    loss, penalty = means["loss"], means["penalty"]
    if math.isfinite(loss) and math.isfinite(penalty):
        return ""
    if math.isfinite(loss):
        names = [name for name, value in means.items() if "/" in name and not math.isfinite(value)]
        return f"the penalty {names[0] if names else ''} is {penalty}"

    def forward() -> None:
        with autocast(task.device.type, task.how.amp):
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
