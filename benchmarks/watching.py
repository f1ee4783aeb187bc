"""A watched training and its readers: whether any reader ever meets an error or a part of an epoch.

A training in one process writes checkpoints of a tiny net, `rfav_cli.watch` measures them in another, and readers in
others open, read and judge the store again and again.

    PYTHONPATH=. python -m benchmarks.watching --epochs 200 --readers 4
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import rfav_cli
from rfav_cli.records import Judged

if TYPE_CHECKING:
    import torch

SAMPLES, CLASSES, FEATURES = 32, 4, 6
PACKED_ALONE = "checkpoint/distance"
"""What is not there before an epoch is packed, nor of the first one."""


def make_net() -> torch.nn.Module:
    """A net of two layers and a classifier."""
    import torch

    return torch.nn.Sequential(
        torch.nn.Linear(FEATURES, 8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, 8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, CLASSES),
    )


def train(folder: Path, epochs: int, pause: float) -> None:
    """Write a checkpoint an epoch, every third one in two pieces."""
    import torch

    torch.manual_seed(0)
    net = make_net()
    for epoch in range(epochs):
        with torch.no_grad():
            for weight in net.parameters():
                weight.add_(0.05 * torch.randn_like(weight))
        torch.save(net.state_dict(), folder / "new.tmp")
        if epoch % 3:
            (folder / "new.tmp").replace(folder / f"epoch_{epoch}.pt")
        else:
            content = (folder / "new.tmp").read_bytes()
            with (folder / f"epoch_{epoch}.pt").open("wb", buffering=0) as file:
                file.write(content[: len(content) // 2])
                time.sleep(pause)
                file.write(content[len(content) // 2 :])
        time.sleep(pause)


def read(store: Path, stop: Any, told: Any) -> None:
    """Read all of a store again and again; tell how often, and what went wrong."""
    reads, problems, before = 0, [], 0
    while not stop.is_set():
        try:
            history = rfav_cli.open_store(store)
            problems += _problems(history, before)
            before = len(history)
            rfav_cli.judge(history)
            reads += 1
        except rfav_cli.RfavError as error:
            if before or "no such store" not in error.what:
                problems.append(str(error))
        except Exception as error:
            problems.append(repr(error))
        time.sleep(0.02)
    told.put((reads, before, problems))


def _problems(history: rfav_cli.History, before: int) -> list[str]:
    if len(history) < before:
        return [f"{len(history)} epochs after {before}"]
    parts = [name for name, column in history.columns.items() if len(column[:]) != len(history)]
    holes = [
        name for name, column in history.columns.items() if name != PACKED_ALONE and not np.isfinite(column[:]).all()
    ]
    return [f"{name}: not of every epoch" for name in parts] + [f"{name}: not finite" for name in holes]


def run(epochs: int, readers: int, pause: float = 0.01) -> dict[str, Any]:
    """Watch a training of so many epochs beside so many readers.

    Args:
        epochs: how many.
        readers: how many processes.
        pause: seconds between two writes of the training.
    """
    processes = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        folder, store = Path(place) / "run", Path(place) / "rfav.h5"
        folder.mkdir()
        rng = np.random.default_rng(0)
        images = rng.normal(size=(SAMPLES, FEATURES)).astype(np.float32)
        np.savez(Path(place) / "probe.npz", images=images, labels=np.arange(SAMPLES) % CLASSES)
        stop, told = processes.Event(), processes.Queue()
        training = processes.Process(target=train, args=(folder, epochs, pause))
        reading = [processes.Process(target=read, args=(store, stop, told)) for _ in range(readers)]
        for process in (training, *reading):
            process.start()
        judged: list[Any] = []

        def report(event: Any) -> None:
            if isinstance(event, Judged):
                judged.append(event)
                if not len(judged) % 50:
                    print(f"{len(judged)} of {epochs} epochs", file=sys.stderr)

        rfav_cli.watch(
            folder,
            probe=Path(place) / "probe.npz",
            model=make_net,
            layout="nf",
            out=store,
            interval=0.02,
            idle=60.0,
            report=report,
            should_stop=lambda: len(judged) >= epochs,
        )
        stop.set()
        results = [told.get() for _ in reading]
        for process in (training, *reading):
            process.join()
        written = len(rfav_cli.open_store(store))
    return {
        "epochs": written,
        "readers": readers,
        "reads": [reads for reads, _, _ in results],
        "problems": [problem for _, _, problems in results for problem in problems],
    }


def main() -> None:
    """Print what `run` found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found = run(chosen.epochs, chosen.readers)
    print(f"{found['epochs']} epochs, {found['readers']} readers, reads of each: {found['reads']}")
    print(f"{len(found['problems'])} problems", *found["problems"][:10], sep="\n")
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
