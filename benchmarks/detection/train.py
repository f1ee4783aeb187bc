"""Train the configurations: `python -m benchmarks.detection.train --data DIR --out DIR`.

DIR of the data holds the unpacked sets, an image folder each. Every training leaves a folder with its checkpoints, its
probes and `truth.json`; trainings that have it are passed over, so that the whole can be stopped and gone on with, but
where it lacks calibrated losses they are told from the checkpoints. The first 64 take some two hours on two cores,
those of 16 pixels (`--only 16px`) half an hour. `measure` takes it from there.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detection.configurations import FIRST, Configuration, split
from benchmarks.detection.regimes import (
    Average,
    imbalanced,
    kill,
    make_net,
    mixed_loss,
    rate_factor,
    renew_classifier,
)
from benchmarks.detection.truth import IMAGES, calibrated_loss
from rfav_cli.data.sources import SampleOptions, open_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE, PROBE, BATCH = 32, 1000, 64
TRAINING_PROBE = 500
"""Images of the training that are measured, of the later kinds."""
HALF = 5
"""Classes of the first half of CIFAR-10, and of the second, which nets are trained on before."""
EARLIER, EARLIER_EPOCHS = 5000, 8
"""Images, the last of those that can be trained on, and epochs of the training before."""
MEAN, STD = (0.48, 0.46, 0.42), (0.25, 0.25, 0.26)


def main() -> None:
    """Train what is not trained yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the unpacked data sets")
    parser.add_argument("--out", type=Path, required=True, help="where the trainings go")
    parser.add_argument("--only", default="", help="trainings whose name has this in it")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, a core each")
    options = parser.parse_args()
    chosen = [each for half in split() for each in half if options.only in each.name]
    for data in sorted({each.data for each in chosen}):
        read_data(options.data, options.out, data)  # Decoded once, not by several trainings at a time.
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        started = [pool.submit(run, each, options.data, options.out) for each in chosen]
        for done in as_completed(started):
            print(done.result(), flush=True)


def run(configuration: Configuration, data: Path, out: Path) -> str:
    """Train one, and keep its checkpoints, its probes and what became of it."""
    torch.set_num_threads(1)
    folder = out / configuration.name
    start = time.monotonic()
    if (folder / "truth.json").exists():
        told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["epochs"]
        if "calibrated_loss" in told[0]:
            return f"{configuration.name}: is there"
        write_json(
            folder / "truth.json", {"name": configuration.name, "epochs": retell(configuration, told, data, out)}
        )
        return f"{configuration.name}: told anew in {time.monotonic() - start:.0f} s"
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = read_data(data, out, configuration.data, configuration.size)
    probe, truth, rest = partition(len(labels))
    training = rest[imbalanced(labels[rest], configuration.classes, configuration.imbalance, configuration.images)]
    write_probe(folder / "probe.npz", images[probe], labels[probe])
    shown = training[: PROBE if configuration.family == FIRST else TRAINING_PROBE]
    write_probe(folder / "training-probe.npz", images[shown], labels[shown])
    held_out = (torch.from_numpy(images[truth]), torch.from_numpy(labels[truth]))
    torch.manual_seed(1)
    net = start_of(configuration, data, out)
    rows = train(configuration, net, (images[training], labels[training]), held_out, folder / "checkpoints")
    write_json(folder / "truth.json", {"name": configuration.name, "epochs": rows})
    return f"{configuration.name}: trained in {time.monotonic() - start:.0f} s"


def retell(configuration: Configuration, told: list[dict[str, Any]], data: Path, out: Path) -> list[dict[str, Any]]:
    """What the held-out images say of each epoch, from the checkpoints of a training that was told without calibration.

    Args:
        configuration: of the training.
        told: its rows so far; what the images do not say of them stays.
        data: folder of the unpacked data sets.
        out: where the trainings are.
    """
    images, labels = read_data(data, out, configuration.data, configuration.size)
    truth = partition(len(labels))[1]
    held_out = (torch.from_numpy(images[truth]), torch.from_numpy(labels[truth]))
    net, rows = make_net(configuration), []
    for row in told:
        path = out / configuration.name / "checkpoints" / f"epoch_{row['epoch']}.pt"
        net.load_state_dict(torch.load(path, weights_only=True))
        rows.append({**row, **evaluate(net, *held_out)})
    return rows


def partition(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Which of a data set's images are the probe, which tell the truth, and which can be trained on; none is two."""
    probe, truth, rest = np.split(np.random.default_rng(0).permutation(count), [PROBE, PROBE + IMAGES])
    return probe, truth, rest


def start_of(configuration: Configuration, data: Path, out: Path) -> nn.Module:
    """The net before the first epoch that is kept."""
    net = make_net(configuration)
    if configuration.start == "dead":
        kill(net)
    elif configuration.start != "fresh":
        other = configuration.start == "other classes"
        name = "cifar10-other-half" if other else configuration.data
        images, labels = read_data(data, out, name, configuration.size)
        last = partition(len(labels))[2][-EARLIER:]
        earlier = replace(configuration, optimizer="adam", rate=None, epochs=EARLIER_EPOCHS, augment=True)
        optimizer, generator = _optimizer(earlier, net), torch.Generator().manual_seed(2)
        taught = (torch.from_numpy(images[last]), torch.from_numpy(labels[last]))
        for number in range(EARLIER_EPOCHS):
            _epoch(earlier, number, (net, optimizer, Average(net, 0)), taught, generator)
        if other:
            renew_classifier(net)
    return net


def train(
    configuration: Configuration,
    net: nn.Module,
    data: tuple[Any, Any],
    held_out: tuple[Tensor, Tensor],
    folder: Path,
) -> list[dict[str, float | None]]:
    """Train from a fixed seed, a checkpoint an epoch from -1 on; gives what the held-out images say of each epoch."""
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    images, labels = torch.from_numpy(data[0]), torch.from_numpy(data[1]).clone()
    noisy = torch.rand(len(labels), generator=generator) < configuration.noise
    labels[noisy] = torch.randint(configuration.classes, (int(noisy.sum()),), generator=generator)
    optimizer = _optimizer(configuration, net)
    average = Average(net, configuration.average)
    rows = []
    for number in range(-1, configuration.epochs):
        losses = [0.0]
        if number >= 0:
            losses = _epoch(configuration, number, (net, optimizer, average), (images, labels), generator)
        torch.save(average.net.state_dict(), folder / f"epoch_{number}.pt")
        rows.append({"epoch": number, **evaluate(average.net, *held_out), "training_loss": finite(np.mean(losses))})
    return rows


@lru_cache(maxsize=2)
def read_data(data: Path, out: Path, name: str, size: int = SIZE) -> tuple[Any, Any]:
    """(count, 3, size, size) uint8 images and (count,) int64 labels, kept decoded beside the trainings."""
    if name.endswith("half"):
        images, labels = read_data(data, out, "cifar10", size)
        chosen = labels >= HALF if "other" in name else labels < HALF
        return images[chosen], labels[chosen] % HALF
    path = out / f"{name}.npz"
    if not path.exists():
        folders = [path for path in ((data / name / "train"), (data / name / "val")) if path.is_dir()]
        sources = [open_source(str(each), SampleOptions(resize=SIZE)) for each in folders or [data / name]]
        images = np.concatenate([each.read(np.arange(len(each))) for each in sources])
        labels = np.concatenate([each.labels for each in sources if each.labels is not None])
        out.mkdir(parents=True, exist_ok=True)
        np.savez(path, images=images, labels=labels)
    with np.load(path) as arrays:
        return shrunk(arrays["images"], size), arrays["labels"]


def shrunk(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(count, 3, side, side) images as (count, 3, size, size), a mean of the pixels that become one; size divides."""
    factor = images.shape[-1] // size
    if factor == 1:
        return images
    # A pixel of each block at a time: the sum of all in 16 bits is small.
    parts = [images[..., y::factor, x::factor].astype(np.uint16) for y in range(factor) for x in range(factor)]
    rounded = (np.sum(parts, 0, dtype=np.uint16) + factor**2 // 2) // factor**2
    return np.asarray(rounded, np.uint8)


def write_probe(path: Path, images: Any, labels: Any) -> None:
    """Samples as `rfav analyze --probe` takes them."""
    np.savez(path, images=images.transpose(0, 2, 3, 1), labels=labels)


def _optimizer(configuration: Configuration, net: nn.Module) -> torch.optim.Optimizer:
    rate, decay = configuration.learning_rate, configuration.decay
    if configuration.optimizer == "adam":
        return torch.optim.Adam(net.parameters(), rate, weight_decay=decay)
    momentum = 0.9 if configuration.optimizer == "momentum" else 0.0
    return torch.optim.SGD(net.parameters(), rate, momentum=momentum, weight_decay=decay)


def _epoch(
    configuration: Configuration,
    number: int,
    state: tuple[nn.Module, torch.optim.Optimizer, Average],
    data: tuple[Tensor, Tensor],
    generator: torch.Generator,
) -> list[float]:
    """Train an epoch; gives the loss of each step."""
    (net, optimizer, average), (images, labels) = state, data
    net.train()
    losses = []
    rng = np.random.default_rng(number)
    for step, rows in enumerate(torch.randperm(len(labels), generator=generator).split(BATCH)):
        optimizer.param_groups[0]["lr"] = configuration.learning_rate * rate_factor(configuration, number, step)
        batch = to_input(_augmented(images[rows], generator) if configuration.augment else images[rows])
        if configuration.mixup:
            loss = mixed_loss(net, batch, labels[rows], configuration.mixup, rng)
        else:
            loss = functional.cross_entropy(net(batch), labels[rows], label_smoothing=configuration.smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update()
        losses.append(loss.item())
    return losses


def _augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image flipped by chance and shifted by up to an eighth of it, as is usual for images of this size."""
    side = images.shape[-1]
    most = side // 8
    padded = functional.pad(images, (most, most, most, most))
    draws = torch.randint(0, 2 * most + 1, (len(images), 2), generator=generator)
    rows, columns = (draws[:, axis, None] + torch.arange(side) for axis in (0, 1))
    image = torch.arange(len(images))[:, None, None]
    # Indices around a slice put the channels last.
    shifted = padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    flip = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(flip[:, None, None, None], shifted.flip(3), shifted)


def to_input(images: Tensor) -> Tensor:
    """(count, 3, side, side) uint8 images as the nets take them."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return ((images / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def evaluate(net: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float | None]:
    """Loss, accuracy and calibrated loss on held-out images."""
    net.eval()
    scores = torch.cat([net(to_input(batch)) for batch in images.split(100)]).double()
    return {
        "loss": finite(functional.cross_entropy(scores, labels)),
        "accuracy": float((scores.argmax(1) == labels).double().mean()),
        "calibrated_loss": finite(calibrated_loss(scores.numpy(), labels.numpy())),
    }


def finite(value: SupportsFloat) -> float | None:
    """A number for JSON, which has no NaN."""
    return float(value) if math.isfinite(float(value)) else None


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document) + "\n", encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    main()
