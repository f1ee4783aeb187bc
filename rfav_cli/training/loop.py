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
    from rfav_cli.training.setup import TrainedNet


@dataclass(frozen=True)
class Loop:
    """What is to be trained, on what, and how; its events are the training.

    Attributes:
        net: in training mode or not.
        optimizer: of its parameters.
        training: batches.
        validation: batches, or None.
        regularizer: the penalties, or None.
        options: schedule, epochs, and the seed of whatever chance the net itself makes use of.
        device: where the net is.
        group: the ranks that share each batch.
        forward: a step's forward, whose gradients are those of the whole batch.
    """

    net: TrainedNet
    optimizer: torch.optim.Optimizer
    training: Batches
    validation: Batches | None
    regularizer: TargetedRegularizer | None
    options: Hyperparameters
    device: torch.device
    group: Group = field(default_factory=lambda: Group(ALONE))
    forward: nn.Module = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Have the gradients of the ranks averaged."""
        forward = Forward(self.net, self.regularizer, self.device.type, self.options.amp)
        object.__setattr__(self, "forward", self.group.distributed(forward))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told."""
        ranks = self.group.ranks
        if ranks.alone:
            return ()
        notes = [f"{ranks.world} ranks share each batch of {self.training.size} samples"]
        norms = {type(module) for module in self.net.model.modules() if isinstance(module, _BatchNorm)}
        if norms - {SyncBatchNorm}:
            notes.append("batch normalisation takes its statistics from the share of each rank")
        return tuple(notes)

    def events(self, position: Position) -> Generator[TrainingStep | TrainingEpoch, None, None]:
        """Train from a position on.

        After each event net, optimizer and position are those from which another call would go on, so that whoever asks
        for the next one may save them first, or stop. An epoch that is told of is done: the position is at the next.

        Raises:
            TrainingError: the loss or a weight is not finite; the net is of no use then.
            ModelError: a batch needs more memory than there is.
        """
        options, meant = self.options, {*broken_weights(self.net.model)}
        while position.epoch < options.epochs:
            start = time.monotonic() - position.seconds
            rate = None
            if position.epoch >= 0:
                rate = learning_rate_at(
                    self.options.schedule, rate_of(self.options), position.epoch, self.options.epochs
                )
                yield from self._steps(position, rate, start)
                self.group.take_buffers_of_first(self.net.model)
                if broken := [name for name in broken_weights(self.net.model) if name not in meant]:
                    cause = f"{broken[0]} is not finite after the last step of the epoch"
                    raise _broken_down(position, cause, penalised=self.regularizer is not None)
            loss, accuracy, confidence = self._validate(position.epoch)
            factor = self._follow(position.epoch, confidence, accuracy)
            done = TrainingEpoch(
                epoch=position.epoch,
                epochs=options.epochs,
                learning_rate=rate,
                train_loss=position.mean("loss") if position.sums else None,
                train_accuracy=position.mean("correct") if position.sums else None,
                penalties={name: position.mean(name) for name in position.sums if "/" in name},
                validation_loss=loss,
                validation_accuracy=accuracy,
                validation_confidence=confidence,
                lambda_factor=factor,
                seconds=time.monotonic() - start,
            )
            position.start_next()
            yield done

    def _steps(self, position: Position, rate: float, start: float) -> Iterator[TrainingStep]:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.net.model.train()
        position.seed(self.options.seed, self.group.ranks.rank)
        batches = self.training.shuffled(position.epoch, position.step, self.device)
        for samples, labels in batches:
            size = self.training.samples(position.step)
            means = self._step(position, samples, labels)
            penalty = means.pop("penalty")
            position.add(size, **means)
            position.seconds = time.monotonic() - start
            yield TrainingStep(
                position.epoch, position.step, len(self.training), self.options.epochs, means["loss"], penalty
            )

    def _step(self, position: Position, samples: Tensor, labels: Tensor) -> dict[str, float]:
        """One step: means over the whole batch of the loss, the penalty, right answers, and each penalty by name."""
        weight = self.training.weight(position.step)
        self.optimizer.zero_grad(set_to_none=True)
        with self._blamed(f"epoch {position.epoch}, step {position.step + 1}"):
            scores, loss, total = self.forward(samples, labels)
            means = self._means(loss.item(), total.item(), scores, labels)
            cause = self._cause(samples, means)
            broken, *shared = self.group.sums([float(bool(cause)), *(weight * mean for mean in means.values())])
            if broken:
                first = next(filter(None, self.group.gathered(cause)))
                raise _broken_down(position, first, penalised=self.regularizer is not None)
            # The gradients of the ranks are averaged; each share counts as much as it has of the samples.
            (total if self.group.ranks.alone else total * (weight * self.group.ranks.world)).backward()
            self.optimizer.step()
        return dict(zip(means, shared, strict=True))

    @contextlib.contextmanager
    def _blamed(self, when: str) -> Iterator[None]:
        """Say when it was that the net's own code failed: what it did before, in evaluation, may have been right."""
        try:
            yield
        except RfavError:
            raise
        except Exception as error:
            # The CPU's allocator has no exception of its own.
            if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
                raise ModelError(
                    f"--batch-size {self.training.size} needs more memory than there is", "Give a smaller one."
                ) from error
            if is_lost(error):
                raise
            raise ModelError(
                f"{when}: the net failed: {named(error)}",
                "Put it right in the net, or give batches that it can take; `rfav --traceback …` shows where it arose.",
            ) from error

    def _means(self, loss: float, total: float, scores: Tensor, labels: Tensor) -> dict[str, float]:
        """Of this rank's share of a batch."""
        correct = (scores.argmax(1) == labels).double().mean().item()
        means = {"loss": loss, "penalty": total - loss, "correct": correct}
        if self.regularizer is None:
            return means
        # Chance may have a forward pass a layer by, but all ranks must speak of the same.
        names = () if self.group.ranks.alone else self.regularizer.names
        return means | dict.fromkeys(names, 0.0) | self.regularizer.values

    @torch.no_grad()
    def _validate(self, epoch: int) -> tuple[float | None, float | None, float | None]:
        """The mean loss, accuracy and confidence over the validation samples."""
        if self.validation is None:
            return None, None, None
        self.net.model.eval()
        seen, loss, correct, confidence = 0, 0.0, 0.0, 0.0
        for samples, labels in self.validation.in_order(self.device):
            with self._blamed(f"epoch {epoch}, validation"), autocast(self.device.type, self.options.amp):
                scores = self.net.scores(samples)
                mean = self.net.loss(scores, labels).item()
            seen += len(labels)
            loss += mean * len(labels)
            confidence += self.net.confidence(scores).item() * len(labels)
            correct += (scores.argmax(1) == labels).double().sum().item()
        if self.regularizer is not None:
            self.regularizer.clear()
        all_seen, *sums = self.group.sums([seen, loss, correct, confidence])
        all_loss, all_correct, all_confidence = (each / all_seen for each in sums)
        return all_loss, all_correct, all_confidence

    def _follow(self, epoch: int, confidence: float | None, accuracy: float | None) -> float | None:
        """What lambda is multiplied with from now on; None where nothing follows the validation samples."""
        if self.regularizer is None or not self.regularizer.adaptive:
            return None
        if epoch >= 0 and confidence is not None and accuracy is not None:
            self.regularizer.follow(confidence, accuracy)
        return self.regularizer.factor

    def _cause(self, samples: Tensor, means: Mapping[str, float]) -> str:
        """What is not finite, and where that began; empty where all is."""
        loss, penalty = means["loss"], means["penalty"]
        if math.isfinite(loss) and math.isfinite(penalty):
            return ""
        if math.isfinite(loss):
            names = [name for name, value in means.items() if "/" in name and not math.isfinite(value)]
            return f"the penalty {names[0] if names else ''} is {penalty}"

        def forward() -> None:
            with autocast(self.device.type, self.options.amp):
                self.net.scores(samples)

        first = first_not_finite(self.net.model, forward)
        return f"the loss is {loss}" + (f"; the first that is not finite is {first}" if first else "")


def _broken_down(position: Position, cause: str, *, penalised: bool) -> TrainingError:
    last = position.epoch - 1
    when = "before training" if last < 0 else f"of epoch {last}"
    smaller = " or smaller penalties" if penalised else ""
    return TrainingError(
        f"epoch {position.epoch}, step {position.step + 1}: {cause}",
        f"The checkpoint {when} is the last good one. Train with a smaller --learning-rate{smaller}.",
    )
