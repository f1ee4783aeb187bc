"""Train the configurations and measure them: `python -m benchmarks.detection.train --data DIR --out DIR`.

DIR holds the unpacked data sets, an image folder each. Every training leaves a folder with its checkpoints, its store,
and `truth.json`; trainings that have it are passed over, so that the whole can be stopped and gone on with. All of them
take some two hours on two cores, `--only lenet` a few minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import rfav_cli
from benchmarks.detection.configurations import Configuration, split
from rfav_cli.analysis.samples import SampleOptions, open_source
from rfav_cli.nets import ZOO

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
    """Train one, measure its checkpoints, and keep what became of it."""
    torch.set_num_threads(1)
    folder = out / configuration.name
    if (folder / "truth.json").exists():
        return f"{configuration.name}: is there"
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = read_data(data, out, configuration.data)
    parts = np.split(np.random.default_rng(0).permutation(len(labels)), [PROBE, PROBE + TRUTH])
    training = parts[2][: configuration.images]
    write_probe(folder / "probe.npz", images[parts[0]], labels[parts[0]])
    write_probe(folder / "training-probe.npz", images[training[:PROBE]], labels[training[:PROBE]])
    held_out = (torch.from_numpy(images[parts[1]]), torch.from_numpy(labels[parts[1]]))
    rows = train(configuration, (images[training], labels[training]), held_out, folder / "checkpoints")
    trained = time.monotonic() - start
    measure(configuration, folder, int(labels.max()) + 1)
    _write(folder / "truth.json", {"name": configuration.name, "epochs": rows})
    return f"{configuration.name}: trained in {trained:.0f} s, measured in {time.monotonic() - start - trained:.0f} s"


def train(
    configuration: Configuration, data: tuple[Any, Any], held_out: tuple[Tensor, Tensor], folder: Path
) -> list[dict[str, float]]:
    """Train from a fixed seed, a checkpoint an epoch from -1 on; gives each epoch's losses."""
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    images, labels = torch.from_numpy(data[0]), torch.from_numpy(data[1]).clone()
    classes = int(max(labels.max(), held_out[1].max())) + 1
    noisy = torch.rand(len(labels), generator=generator) < configuration.noise
    labels[noisy] = torch.randint(classes, (int(noisy.sum()),), generator=generator)
    net = ZOO[configuration.net](classes=classes, image_size=SIZE).to(memory_format=torch.channels_last)
    optimizer = _optimizer(configuration, net)
    rows = []
    for epoch in range(-1, configuration.epochs):
        losses = [] if epoch < 0 else _epoch(net, optimizer, images, labels, generator, augment=configuration.augment)
        torch.save(net.state_dict(), folder / f"epoch_{epoch}.pt")
        loss, accuracy = _evaluate(net, *held_out)
        rows.append({"epoch": epoch, "loss": loss, "accuracy": accuracy, "training_loss": float(np.mean(losses or 0))})
    return rows


def measure(configuration: Configuration, folder: Path, classes: int) -> None:
    """A store of the probe; one of training images; and for normalised nets one with the normalisation folded in."""
    wanted: dict[str, dict[str, Any]] = {"probe": {}, "training-probe": {}}
    if configuration.net.startswith("normnet"):
        wanted["folded"] = {"fold_norm": True}
    for name, options in wanted.items():
        rfav_cli.analyze(
            [str(folder / "checkpoints")],
            probe=str(folder / f"{'training-probe' if name == 'training-probe' else 'probe'}.npz"),
            model=f"zoo:{configuration.net}",
            model_arg=[f"classes={classes}"],
            mean=MEAN,
            std=STD,
            out=folder / f"{name}.h5",
            fresh=True,
            **options,
        )


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
        loss = functional.cross_entropy(net(_to_input(batch)), labels[rows])
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


def _to_input(images: Tensor) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return ((images / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _evaluate(net: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    net.eval()
    logits = torch.cat([net(_to_input(batch)) for batch in images.split(100)])
    return float(functional.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).double().mean())


def _write(path: Path, document: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document) + "\n", encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    main()
