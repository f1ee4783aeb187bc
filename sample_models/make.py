"""Train the three runs and write their checkpoints and the probe set: `python -m sample_models.make --out DIR`.

It takes four minutes on one core, `--only forgetful` under two. The same machine and version of PyTorch give the same
weights again. The few images that `overfit` is trained on are drawn in a moment:
`python -m sample_models.make --training-set FILE`.
"""

from __future__ import annotations

import argparse
import io
import warnings
import zipfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam

from sample_models.data import CLASSES, draw
from sample_models.net import make_net

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.optim import Optimizer

EPOCHS = 28
PROBE_SIZE, PROBE_SEED = 1000, 1_000_000
WATCHED = ("conv1", "conv2", "conv3", "conv4", "fc1")


@dataclass(frozen=True)
class SampleRun:
    """One training.

    Attributes:
        images: how many an epoch.
        fresh: new images are drawn for each epoch.
        wrong: the share of the images whose label is drawn at random.
        smoothing: of the labels.
        optimizer: made from the net's parameters.
        script: the checkpoints are TorchScript files; else state_dicts.
        epochs: how many.
        every: of which one is kept, the first of them epoch `every` - 1.
        half: the weights are kept in half precision.
    """

    images: int
    fresh: bool
    wrong: float
    smoothing: float
    optimizer: Callable[..., Optimizer]
    script: bool
    epochs: int = EPOCHS
    every: int = 1
    half: bool = False

    @property
    def kept(self) -> list[int]:
        """The epochs that a checkpoint is kept of; -1 is before training."""
        return [-1, *range(self.every - 1, self.epochs, self.every)]


RUNS = {
    "overfit": SampleRun(1000, fresh=False, wrong=0.1, smoothing=0.0, optimizer=partial(Adam, lr=3e-3), script=False),
    "healthy": SampleRun(
        3000,
        fresh=True,
        wrong=0.0,
        smoothing=0.1,
        optimizer=partial(SGD, lr=0.01, momentum=0.9, weight_decay=5e-3),
        script=True,
    ),
    "forgetful": SampleRun(
        3000,
        fresh=False,
        wrong=0.5,
        smoothing=0.0,
        optimizer=partial(Adam, lr=3e-3),
        script=False,
        epochs=20,
        every=2,
        half=True,
    ),
}
"""Folder -> how its run is trained: on the same few images, some of them with a wrong label; on new ones; and on more
images of which half have a label drawn at random."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the sample runs and write their checkpoints.")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--out", type=Path, help="folder for a folder a run and probe.npz")
    wanted.add_argument(
        "--training-set", type=Path, metavar="FILE", help=".npz for the images of overfit/, and no more"
    )
    wanted.add_argument("--validation-set", type=Path, metavar="FILE", help=".npz for images of no run, and no more")
    parser.add_argument("--epochs", type=int, help="epochs of each run (default: what is committed)")
    parser.add_argument("--only", choices=RUNS, help="train this run only")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.training_set:
        write_training_set(arguments.training_set)
    elif arguments.validation_set:
        write_validation_set(arguments.validation_set)
    else:
        make(arguments.out, arguments.epochs, arguments.only)


def make(out: Path, epochs: int | None = None, only: str | None = None) -> None:
    """Write a folder for each run, or for one, and `probe.npz`, into a folder, which is made where there is none."""
    images, labels = draw(PROBE_SIZE, PROBE_SEED)
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / "probe.npz", images=images, labels=labels)
    for name in [only] if only else RUNS:
        run = RUNS[name] if epochs is None else replace(RUNS[name], epochs=epochs)
        train(run, out / name, (to_tensor(images), torch.from_numpy(labels)))


def write_training_set(path: Path) -> None:
    """Write the images and labels that `overfit/` is trained on, as `rfav train --data` takes them."""
    images, labels = draw_training_set(RUNS["overfit"], epoch=0)
    np.savez_compressed(path, images=images, labels=labels)


def write_validation_set(path: Path) -> None:
    """Write images and labels that neither a run nor the probe has, as `rfav train --validation` takes them."""
    images, labels = draw(PROBE_SIZE, PROBE_SEED + 1)
    np.savez_compressed(path, images=images, labels=labels)


def train(run: SampleRun, folder: Path, probe: tuple[Tensor, Tensor]) -> None:
    """Train one run, writing a checkpoint before the first epoch (-1) and after those that are kept."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    net = make_net()
    optimizer = run.optimizer(net.parameters())
    for epoch in range(-1, run.epochs):
        if epoch == 0 or (epoch > 0 and run.fresh):
            images, labels = training_set(run, epoch)
        if epoch >= 0:
            train_epoch(net, optimizer, images, labels, run.smoothing)
        if epoch in run.kept:
            save(net, folder / file_name(epoch), run)
        print(f"{folder.name} epoch {epoch:2d}: {describe(net, *probe)}", flush=True)


def training_set(run: SampleRun, epoch: int) -> tuple[Tensor, Tensor]:
    """An epoch's images, (N, 3, 32, 32) in [0, 1], and their labels, some of them wrong."""
    images, labels = draw_training_set(run, epoch)
    return to_tensor(images), torch.from_numpy(labels)


def draw_training_set(run: SampleRun, epoch: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw the same as (N, 32, 32, 3) uint8 and (N,) int64."""
    images, labels = draw(run.images, seed=epoch)
    rng = np.random.default_rng(epoch)
    wrong = rng.random(run.images) < run.wrong
    return images, np.where(wrong, rng.integers(len(CLASSES), size=run.images), labels)


def train_epoch(net: nn.Module, optimizer: Optimizer, images: Tensor, labels: Tensor, smoothing: float) -> None:
    """One pass in random order, 32 images a step."""
    for batch in torch.randperm(len(images)).split(32):
        optimizer.zero_grad()
        cross_entropy(net(images[batch]), labels[batch], label_smoothing=smoothing).backward()
        optimizer.step()


def file_name(epoch: int) -> str:
    """What the checkpoint of an epoch is called."""
    return f"epoch_{epoch:03d}.pt" if epoch >= 0 else "epoch_-1.pt"


def save(net: nn.Module, path: Path, run: SampleRun) -> None:
    """Write a checkpoint; a TorchScript file without its debugging records, which hold the paths of this machine."""
    if not run.script:
        state = net.state_dict()
        torch.save({name: each.half() for name, each in state.items()} if run.half else state, path)
        return
    whole = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.* is deprecated")
        torch.jit.save(torch.jit.script(net), whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                target.writestr(entry, source.read(entry))


@torch.no_grad()
def describe(net: nn.Module, images: Tensor, labels: Tensor) -> str:
    """The held-out loss and accuracy and the mean entropy of each layer (Eq. 4, without the bias), as a line."""
    entropies: list[str] = []

    def note_entropy(layer: nn.Module, _: tuple[Tensor], output: Tensor) -> None:
        log_p = (output.movedim(1, -1) - layer.get_parameter("bias")).log_softmax(-1)
        entropies.append(f"{-(log_p.exp() * log_p).sum(-1).mean():.2f}")

    hooks = [net.get_submodule(name).register_forward_hook(note_entropy) for name in WATCHED]
    logits = net(images)
    for hook in hooks:
        hook.remove()
    loss, accuracy = cross_entropy(logits, labels), (logits.argmax(1) == labels).float().mean()
    return f"loss {loss:.3f}  accuracy {accuracy:.3f}  entropy of {WATCHED[0]} to {WATCHED[-1]} {' '.join(entropies)}"


def to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


if __name__ == "__main__":
    main()
