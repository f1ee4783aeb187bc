"""What a child process costs a command: `rfav layers` on a TorchScript net, in a child and in the process itself."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = "from rfav_cli.cli import run; import sys; sys.exit(run(sys.argv[1:]))"
CHILD = "from rfav_cli.cli import main; main()"
LOOK = """
import time
from rfav_cli.cli import quick_look
before = time.perf_counter()
quick_look.may_hold_program([{path!r}])
print(time.perf_counter() - before)
"""


def write(folder: Path) -> list[str]:
    """A small net, its weights and samples in a folder; the command that lists its layers."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 3))
    torch.jit.trace(net, torch.zeros(2, 3, 8, 8)).save(str(folder / "net.ts"))
    torch.save(net.state_dict(), folder / "net.pt")
    samples = np.random.default_rng(0).normal(size=(16, 3, 8, 8)).astype("float32")
    np.savez(folder / "probe.npz", images=samples, labels=np.arange(16) % 3)
    return ["layers", str(folder / "net.ts"), "--probe", str(folder / "probe.npz"), "--format", "json"]


def run(code: str, arguments: list[str]) -> tuple[float, float]:
    """Seconds and CPU seconds of one command."""
    before, wall = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - wall, cpu


def look(path: Path) -> float:
    """Seconds that the look for a program in one file takes."""
    done = subprocess.run([sys.executable, "-c", LOOK.format(path=str(path))], check=True, capture_output=True)
    return float(done.stdout)


def main() -> None:
    """Print the table, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = write(folder)
        pairs = [(run(HERE, arguments), run(CHILD, arguments)) for _ in range(options.runs)]
        looks = [look(folder / "net.pt") for _ in range(options.runs)]
    rows = {"itself": [here for here, _ in pairs], "child": [child for _, child in pairs]}
    found = {
        kind: {"s": statistics.median(wall for wall, _ in row), "cpu": statistics.median(cpu for _, cpu in row)}
        for kind, row in rows.items()
    }
    more = {
        "s": statistics.median(child[0] - here[0] for here, child in pairs),
        "cpu": statistics.median(child[1] - here[1] for here, child in pairs),
    }
    for kind, row in (found | {"more": more}).items():
        print(f"{kind:8} {row['s']:6.2f} s {row['cpu']:6.2f} s of CPU time")
    print(f"look at a state_dict: {1000 * statistics.median(looks):.2f} ms")
    if options.json is not None:
        options.json.write_text(json.dumps({**found, "more": more, "look": statistics.median(looks)}, indent=1))


if __name__ == "__main__":
    main()
