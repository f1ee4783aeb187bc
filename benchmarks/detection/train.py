"""Train the configurations: `python -m benchmarks.detection.train --data DIR --out DIR`.

DIR of the data holds the unpacked sets, an image folder each. Every training leaves a folder with its checkpoints, its
probes and `truth.json`; trainings that have it are passed over, so that the whole can be stopped and gone on with. All
of them take some two hours on two cores, `--only lenet` a few minutes. `measure` takes it from there.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.detection.configurations import Configuration, split
from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.nets import ZOO

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE, PROBE, TRUTH, BATCH = 32, 1000, 3000, 64
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
        read_data(options.data, options.out, data)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        started = [pool.submit(run, each, options.data, options.out) for each in chosen]
        for done in as_completed(started):
            print(done.result(), flush=True)


def run(configuration: Configuration, data: Path, out: Path) -> str:
    """Train one, and keep its checkpoints, its probes and what became of it."""
    torch.set_num_threads(1)
    folder = out / configuration.name
    if (folder / "truth.json").exists():
        return f"{configuration.name}: is there"
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = read_data(data, out, configuration.data)
    probe, truth, rest = partition(len(labels))
    training = rest[: configuration.images]
    write_probe(folder / "probe.npz", images[probe], labels[probe])
    write_probe(folder / "training-probe.npz", images[training[:PROBE]], labels[training[:PROBE]])
    held_out = (torch.from_numpy(images[truth]), torch.from_numpy(labels[truth]))
    rows = train(configuration, (images[training], labels[training]), held_out, folder / "checkpoints")
    write_json(folder / "truth.json", {"name": configuration.name, "epochs": rows})
    return f"{configuration.name}: trained in {time.monotonic() - start:.0f} s"


def partition(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Which of a data set's images are the probe, which tell the truth, and which can be trained on; none is two."""
    probe, truth, rest = np.split(np.random.default_rng(0).permutation(count), [PROBE, PROBE + TRUTH])
    return probe, truth, rest


def train(
    configuration: Configuration, data: tuple[Any, Any], held_out: tuple[Tensor, Tensor], folder: Path
) -> list[dict[str, float]]:
    """Train from a fixed seed, a checkpoint an epoch from -1 on; gives each epoch's losses."""
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    images, labels = torch.from_numpy(data[0]), torch.from_numpy(data[1]).clone()
    noisy = torch.rand(len(labels), generator=generator) < configuration.noise
    labels[noisy] = torch.randint(configuration.classes, (int(noisy.sum()),), generator=generator)
    net = ZOO[configuration.net](classes=configuration.classes, image_size=SIZE).to(memory_format=torch.channels_last)
    optimizer = _optimizer(configuration, net)
    rows = []
    for epoch in range(-1, configuration.epochs):
        losses = [] if epoch < 0 else _epoch(net, optimizer, images, labels, generator, augment=configuration.augment)
        torch.save(net.state_dict(), folder / f"epoch_{epoch}.pt")
        loss, accuracy = _evaluate(net, *held_out)
        rows.append({"epoch": epoch, "loss": loss, "accuracy": accuracy, "training_loss": float(np.mean(losses or 0))})
    return rows


def read_data(data: Path, out: Path, name: str) -> tuple[Any, Any]:
    """(count, 3, 32, 32) uint8 images and (count,) int64 labels, kept decoded beside the trainings."""
    path = out / f"{name}.npz"
    if not path.exists():
        folders = [path for path in ((data / name / "train"), (data / name / "val")) if path.is_dir()]
        sources = [open_source(str(each), SampleOptions(resize=SIZE)) for each in folders or [data / name]]
        images = np.concatenate([each.read(np.arange(len(each))) for each in sources])
        labels = np.concatenate([each.labels for each in sources if each.labels is not None])
        out.mkdir(parents=True, exist_ok=True)
        np.savez(path, images=images, labels=labels)
    with np.load(path) as arrays:
        return arrays["images"], arrays["labels"]


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
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    generator: torch.Generator,
    *,
    augment: bool,
) -> list[float]:
    net.train()
    losses = []
    for rows in torch.randperm(len(labels), generator=generator).split(BATCH):
        batch = _augmented(images[rows], generator) if augment else images[rows]
        loss = functional.cross_entropy(net(to_input(batch)), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image flipped by chance and shifted by up to four pixels, as is usual for images of this size."""
    padded = functional.pad(images, (4, 4, 4, 4))
    draws = torch.randint(0, 9, (len(images), 2), generator=generator).tolist()
    shifted = torch.stack([padded[i, :, y : y + SIZE, x : x + SIZE] for i, (y, x) in enumerate(draws)])
    flip = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(flip[:, None, None, None], shifted.flip(3), shifted)


def to_input(images: Tensor) -> Tensor:
    """(count, 3, SIZE, SIZE) uint8 images as the nets take them."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return ((images / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _evaluate(net: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    net.eval()
    logits = torch.cat([net(to_input(batch)) for batch in images.split(100)])
    return float(functional.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).double().mean())


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document) + "\n", encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    main()
