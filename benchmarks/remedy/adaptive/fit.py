"""One training of a small net, an epoch at a time, judged after each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detection.train import MEAN, STD, partition
from benchmarks.detection.truth import calibrated_loss
from benchmarks.remedy.adaptive.nets import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.remedy.adaptive.runs import SmallRun

BATCH = 64
EVERY = 3
"""Epochs from one look at the images that tell what a net is worth to the next; the last is looked at, too."""
Samples = tuple[Tensor, Tensor]
Row = dict[str, float]


class Regularizer(Protocol):
    """What adds penalties to a loss."""

    adaptive: bool
    factor: float

    def __call__(self) -> Tensor:
        """The penalties of the last forward."""

    def follow(self, confidence: float, accuracy: float) -> float:
        """Take in how an epoch ended."""


@dataclass(frozen=True)
class Parts:
    """The samples of a run: to train on, to watch it with, and those that tell what it is worth."""

    training: Samples
    validation: Samples
    truth: Samples


def read_parts(run: SmallRun, decoded: Path) -> Parts:
    """Of a decoded data set `<data>.npz` at 32 pixels, which `benchmarks.detection.train.read_data` writes."""
    with np.load(decoded / f"{run.data}.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    validation, truth, rest = partition(len(labels))

    def part(rows: Any) -> Samples:
        taken = torch.from_numpy(images[rows]).float()
        return functional.avg_pool2d(taken, taken.shape[-1] // SIZE), torch.from_numpy(labels[rows]).long()

    training = part(rest[: run.images])
    generator = torch.Generator().manual_seed(1)
    noisy = torch.rand(run.images, generator=generator) < run.noise
    training[1][noisy] = torch.randint(run.classes, (int(noisy.sum()),), generator=generator)
    return Parts(training, part(validation), part(truth))


def to_input(images: Tensor) -> Tensor:
    """Images from 0 to 255 as the nets take them."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return ((images / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def fit(
    run: SmallRun,
    net: nn.Module,
    parts: Parts,
    regularizer: Regularizer | None,
    *,
    epochs: range,
    seed: int,
    decay: float = 0.0,
    augment: bool = False,
    after: Callable[[int, Row], None] = lambda _, __: None,
) -> list[Row]:
    """Train; `after` is called with each epoch and its row.

    Args:
        run: says how.
        net: with its first weights.
        parts: the samples.
        regularizer: the penalties; one that is adaptive follows the validation samples.
        epochs: the numbers of the epochs.
        seed: of the order of the samples and of dropout.
        decay: weight decay.
        augment: flip each image by chance and shift it by up to two pixels.
        after: is told of each epoch.
    """
    generator = torch.Generator().manual_seed(1000 * seed + epochs.start)
    torch.manual_seed(1000 * seed + epochs.start)
    optimizer = _optimizer(run, net, decay)
    images, labels = parts.training
    validation, truth = (to_input(part[0]) for part in (parts.validation, parts.truth))
    prepared = None if augment else to_input(images)
    rows = []
    for epoch in epochs:
        net.train()
        for taken in torch.randperm(len(labels), generator=generator).split(BATCH):
            batch = to_input(_shifted(images[taken], generator)) if prepared is None else prepared[taken]
            loss = functional.cross_entropy(net(batch), labels[taken])
            total = loss if regularizer is None else loss + regularizer()
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        row = watched(net, validation, parts.validation[1])
        if epoch % EVERY == 0 or epoch == epochs[-1]:
            row |= judged(net, truth, parts.truth[1])
        if regularizer is not None and regularizer.adaptive:
            row["factor"] = regularizer.follow(row["validation_confidence"], row["validation_accuracy"])
        rows.append(row)
        after(epoch, row)
    return rows


def watched(net: nn.Module, images: Tensor, labels: Tensor) -> Row:
    """What the validation samples tell of a net."""
    loss, accuracy, confidence, _ = _figures(net, images, labels)
    return {"validation_loss": loss, "validation_accuracy": accuracy, "validation_confidence": confidence}


def judged(net: nn.Module, images: Tensor, labels: Tensor) -> Row:
    """What a net is worth."""
    loss, accuracy, _, scores = _figures(net, images, labels)
    calibrated = calibrated_loss(scores.numpy(), labels.numpy())  # not by rfav's own fit, like all that tells the truth
    return {"loss": loss, "accuracy": accuracy, "calibrated_loss": calibrated}


@torch.no_grad()
def _figures(net: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float, float, Tensor]:
    net.eval()
    scores = torch.cat([net(batch) for batch in images.split(500)]).double()
    right = (scores.argmax(1) == labels).double().mean()
    confidence = scores.softmax(1).max(1).values.mean()
    return float(functional.cross_entropy(scores, labels)), float(right), float(confidence), scores


def _optimizer(run: SmallRun, net: nn.Module, decay: float) -> torch.optim.Optimizer:
    if run.optimizer == "adam":
        return torch.optim.Adam(net.parameters(), run.rate, weight_decay=decay, fused=True)
    return torch.optim.SGD(net.parameters(), run.rate, momentum=0.9, weight_decay=decay)


def _shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    padded = functional.pad(images, (2, 2, 2, 2))
    draws = torch.randint(0, 5, (len(images), 2), generator=generator).tolist()
    shifted = torch.stack([padded[i, :, y : y + SIZE, x : x + SIZE] for i, (y, x) in enumerate(draws)])
    flip = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(flip[:, None, None, None], shifted.flip(3), shifted)
