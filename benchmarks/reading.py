"""What reading a file of weights costs: mapped, whole into memory, and in one pass that keeps the weights alone.

Each way sums the file (SHA-256), compares its checksums (CRC-32) and puts the weights into a net's own tensors, in a
process of its own. The files are in the cache of the system, as those of a training that runs are.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import multiprocessing
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.inputs import machine, memory, print_table, write_json
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

MEGABYTES = 500
TENSORS = 50
ROUNDS = 5


def write(folder: Path) -> dict[str, Path]:
    """A checkpoint of weights alone, and one that holds the state of Adam, too."""
    weights = {f"{index}.weight": torch.randn(MEGABYTES * 2**18 // TENSORS) for index in range(TENSORS)}
    moments = {index: {"exp_avg": value * 2, "exp_avg_sq": value**2} for index, value in enumerate(weights.values())}
    torch.save(weights, folder / "weights.pt")
    torch.save({"model": weights, "optimizer": {"state": moments}}, folder / "with Adam's state.pt")
    return {path.stem: path for path in sorted(folder.glob("*.pt"), key=lambda path: path.stat().st_size)}


def mapped(path: Path) -> None:
    """Three passes: the digest, the checksums, and the weights out of the mapped file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
    compare_checksums(path)
    take(torch.load(path, mmap=True, weights_only=True))


def whole(path: Path) -> None:
    """The whole file in memory, and all from there."""
    content = path.read_bytes()
    hashlib.sha256(content).hexdigest()
    compare_checksums(io.BytesIO(content))
    take(torch.load(io.BytesIO(content), weights_only=True))


def rfav(path: Path) -> None:
    """As `rfav analyze` reads it."""
    payload = formats.read(path, ReadOptions())
    assert payload.sha256
    take(payload.content[0].weights)


def compare_checksums(file: Path | io.BytesIO) -> None:
    """Read each member of an archive."""
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None


def take(content: Mapping[str, Any]) -> None:
    """Copy the weights, as a net does."""
    weights: Mapping[str, Tensor] = content.get("model", content)
    own = {name: torch.empty_like(value) for name, value in weights.items()}
    for name, value in weights.items():
        own[name].copy_(value)


WAYS: dict[str, Callable[[Path], None]] = {"mapped": mapped, "whole": whole, "rfav": rfav}


def measure(way: str, path: Path) -> tuple[float, float]:
    """Seconds of a processor, and MB of memory at the peak beyond what the imports take."""
    before, start = memory("VmHWM"), time.process_time()
    WAYS[way](path)
    return time.process_time() - start, memory("VmHWM") - before


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as name:
        for content, path in write(Path(name)).items():
            for way in WAYS:
                with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
                    ends = [pool.apply(measure, (way, path)) for _ in range(arguments.rounds)]
                seconds, peak = (median(values) for values in zip(*ends, strict=True))
                size = path.stat().st_size / 2**20
                row = {"file": f"{content}, {size:.0f} MB", "way": way, "CPU seconds": f"{seconds:.2f}"}
                rows.append(row | {"MB more at the peak": f"{peak:.0f}"})
    print_table("Reading a checkpoint", rows)
    write_json(arguments.out, {"machine": machine("cpu"), "rows": rows})


if __name__ == "__main__":
    main()
