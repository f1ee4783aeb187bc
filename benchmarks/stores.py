"""What the checksums of a store cost: time to write, pack and read, and size, beside the same without them.

`python -m benchmarks.stores [CHECKPOINTS ...]` prints a row for each number of checkpoints.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from rfav_cli.records import Checkpoint, Layer, Measurement, ProbeRecord, Run, Settings
from rfav_cli.store import StoreWriter, held_open, layout, open_store, pack, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    import h5py

LAYERS, SAMPLES, MAPS, SIDE = 8, 500, 8, 16
CHANNELS = 32


def make_run() -> Run:
    """A net of the usual size here, on some hundred samples."""
    layers = tuple(Layer(f"conv{i}", "Conv2d", CHANNELS, (CHANNELS, 3, 3, 3), (SIDE, SIDE)) for i in range(LAYERS))
    return Run(layers, (), ProbeRecord("ab" * 32, SAMPLES), Settings(maps=MAPS))


def measure(epoch: int) -> Measurement:
    """The figures of an epoch, all of them random."""
    random = np.random.default_rng(epoch)
    columns = {
        "probe/loss": random.random(),
        "probe/sample_loss": random.random(SAMPLES).astype(np.float32),
        "entropy/mean": random.random(LAYERS),
        "entropy/std": random.random(LAYERS),
        "entropy/sample_mean": random.random((LAYERS, SAMPLES)).astype(np.float32),
        "activation/scale": random.random(LAYERS),
        "activation/rank": random.random(LAYERS),
        "nonfinite": np.zeros(LAYERS, np.int64),
    }
    for i in range(LAYERS):
        columns[f"entropy/mean_map/{i}"] = random.random((SIDE, SIDE)).astype(np.float32)
        columns[f"entropy/map/{i}"] = random.random((MAPS, SIDE, SIDE)).astype(np.float16)
        columns[f"activation/winners/{i}"] = random.dirichlet(np.ones(CHANNELS)).astype(np.float32)
    return Measurement(Checkpoint(epoch, f"epoch_{epoch}.pt", "00" * 32), columns)


def plain(file: h5py.File, name: str, shape: tuple[int, ...], dtype: object) -> h5py.Dataset:
    """A dataset as it was before there were checksums."""
    return file.create_dataset(name, shape, dtype)


def seconds(call: Callable[[], object], times: int = 1) -> float:
    """The least CPU time of some calls, which a busy machine and a slow disk do not change."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken)


def read_all(path: Path) -> None:
    """Every figure of a store, heatmaps by the epoch."""
    history = open_store(path)
    with held_open():
        for column in history.columns.values():
            for row in range(len(history)):
                column[row]


def row(folder: Path, checkpoints: int) -> str:
    """Write, pack and read a store of so many checkpoints."""
    path, run = folder / "rfav.h5", make_run()
    measured = [measure(epoch) for epoch in range(checkpoints)]
    writer = StoreWriter.open(path, run)

    def write() -> None:
        for each in measured:
            writer.append(each)

    wrote, packed = seconds(write), seconds(lambda: pack(path))
    opened, read = seconds(lambda: open_store(path), 5), seconds(lambda: read_all(path), 3)
    verified = seconds(lambda: verify(path))
    figures = (wrote / checkpoints * 1e3, packed, opened * 1e3, read, verified, path.stat().st_size / 1e6)
    return " | ".join(f"{figure:.3g}" for figure in figures)


def main() -> None:
    """Print the table."""
    print("| store | ms to write a checkpoint | s to pack | ms to open | s to read all | s to verify | MB |")
    print("|---|---|---|---|---|---|---|")
    for checkpoints in map(int, sys.argv[1:] or ("10", "1000")):
        for name, with_checksums in (("without checksums", False), ("with checksums", True)):
            patches = () if with_checksums else (("new_dataset", plain), ("LIBVER", ("v108", "v108")))
            with tempfile.TemporaryDirectory() as folder:
                for attribute, value in patches:
                    mock.patch.object(layout, attribute, value).start()
                    if attribute == "new_dataset":
                        mock.patch("rfav_cli.store.pack.new_dataset", value).start()
                print(f"| {checkpoints} checkpoints, {name} | {row(Path(folder), checkpoints)} |")
                mock.patch.stopall()


if __name__ == "__main__":
    main()
