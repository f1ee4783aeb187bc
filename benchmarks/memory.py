"""How much memory `rfav analyze` takes at its peak, beside the plain forward of the same net on the same images.

Each figure is the peak of the resident memory of a process of its own, its imports included. The plain forward takes
batches as small as rfav does, and keeps the images in a byte a value as rfav does, so it is the floor.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

import rfav_cli
from benchmarks.inputs import (
    factory_of,
    machine,
    make_net,
    memory,
    print_table,
    write_checkpoints,
    write_json,
    write_probe,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 100


def forward(name: str, folder: Path, device: str) -> None:
    """The plain forward over all images with one checkpoint's weights."""
    net = make_net(name)
    net.load_state_dict(torch.load(next(folder.glob("*.pt")), weights_only=True))
    net.eval().to(device, memory_format=torch.channels_last)
    with np.load(folder / "probe.npz") as arrays:
        images = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        for batch in images.split(BATCH):
            net(batch.to(device, torch.float32) / 255)


def rfav(name: str, folder: Path, device: str) -> None:
    """The whole job on all checkpoints of the folder."""
    rfav_cli.analyze(
        folder,
        probe=folder / "probe.npz",
        probe_size=sys.maxsize,
        model=factory_of(name),
        out=folder / "rfav.h5",
        device=device,
    )


def peak(call: Callable[[str, Path, str], None], name: str, folder: Path, device: str, threads: int) -> float:
    """Call, and give the peak of this process's resident memory in MB."""
    torch.set_num_threads(threads)
    call(name, folder, device)
    if not Path("/proc/self/status").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return memory("VmHWM")  # not ru_maxrss: on Linux a child begins with its parent's


def measure(name: str, checkpoints: int, images: int, options: argparse.Namespace) -> dict[str, float | str]:
    """The peaks of both, each in a process of its own."""
    figures: dict[str, float | str] = {"net": name, "checkpoints": checkpoints, "images": images}
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoints(name, Path(folder), checkpoints)
        write_probe(Path(folder) / "probe.npz", images)
        for call in (forward, rfav):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                job = pool.submit(peak, call, name, Path(folder), options.device, options.threads)
                figures[f"{call.__name__} MB"] = job.result()
    return figures


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", default=["vanillanet-s"], help="vanillanet-* or torchvision's")
    parser.add_argument("--checkpoints", type=int, nargs="+", default=[3, 60])
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    few = (options.checkpoints[0], options.images[0])
    cases = [few, *((count, few[1]) for count in options.checkpoints[1:]), *((few[0], n) for n in options.images[1:])]
    results = [measure(name, count, images, options) for name in options.nets for count, images in cases]
    rows = []
    for result in results:
        row = {key: value if isinstance(value, str) else f"{value:.0f}" for key, value in result.items()}
        rows.append({**row, "more MB": f"{float(result['rfav MB']) - float(result['forward MB']):.0f}"})
    print_table("peak memory of a process", rows)
    write_json(options.out, {"machine": machine(options.device), "results": results})


if __name__ == "__main__":
    main()
