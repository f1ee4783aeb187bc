"""What the checks before a verdict cost, as a share of an analysis of a run of 30 checkpoints.

The functions that check are timed within `rfav_cli.analyze` on one thread: the rest of the analysis is what it is
without them. Times are of the CPU, so that other work on the machine counts for little.

    PYTHONPATH=. python -m benchmarks.checks --out FILE
"""

from __future__ import annotations

import argparse
import functools
import importlib
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import rfav_cli
from benchmarks.inputs import CLASSES, machine, print_table, write_json, write_probe
from rfav_cli.nets import ZOO

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKPOINTS, SAMPLES = 30, 1000
CHECKS = {
    "chance, batch, memory format": ("rfav_cli.measure.setup:examine",),
    "output and classifier": ("rfav_cli.measure.setup:look_at_output",),
    "normalisation": ("rfav_cli.measure.checkpoint:look_at_normalisation",),
    "weights": (
        "rfav_cli.statistics.sketch:Sketch.update_weights",
        "rfav_cli.statistics.weights:Weights.update_filters",
    ),
    "checksums of the files": (
        "rfav_cli.checkpoints.formats.state_dict:check_archive",
        "rfav_cli.checkpoints.formats.torchscript:check_archive",
    ),
    "epochs in names and files": (
        "rfav_cli.checkpoints.find:epoch_doubts",
        "rfav_cli.checkpoints.find:describe_difference",
    ),
    "doubts from the figures": ("rfav_cli.diagnosis.doubts:probe_doubts", "rfav_cli.diagnosis.doubts:run_doubts"),
}
"""What is checked -> the functions that do it, as "module:name"."""
ALL, SECONDS = "all checks", "analysis, seconds"
ROWS = (*CHECKS, ALL, SECONDS)


def main() -> None:
    """Time the checks in three runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="analyses of each run; the median is shown")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    spent: Counter[str] = Counter()
    for check, places in CHECKS.items():
        for place in places:
            _time(place, check, spent)
    results = {name: _measure(run, options.rounds, spent) for name, run in RUNS.items()}
    rows = [{"check": check, **{run: _cell(check, found[check]) for run, found in results.items()}} for check in ROWS]
    print_table("Share of an analysis", rows)
    write_json(options.out, {"machine": machine("cpu"), "runs": results})


def _time(place: str, check: str, spent: Counter[str]) -> None:
    """Have a function add its time to what its check has spent."""
    module, _, dotted = place.partition(":")
    owner: Any = importlib.import_module(module)
    *path, name = dotted.split(".")
    for part in path:
        owner = getattr(owner, part)
    function = getattr(owner, name)

    @functools.wraps(function)
    def timed(*arguments: Any, **keywords: Any) -> Any:
        begin = time.thread_time()
        try:
            return function(*arguments, **keywords)
        finally:
            spent[check] += time.thread_time() - begin

    setattr(owner, name, timed)


def _measure(run: Callable[[Path], dict[str, Any]], rounds: int, spent: Counter[str]) -> dict[str, float]:
    """The median over the rounds: the share of each check, of all of them, and the seconds of the whole."""
    rows = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            arguments = run(Path(folder))
            spent.clear()
            begin = time.process_time()
            rfav_cli.analyze(**arguments, out=Path(folder) / "rfav.h5")
            whole = time.process_time() - begin
        rows.append([spent[check] / whole for check in CHECKS] + [sum(spent.values()) / whole, whole])
    return dict(zip(ROWS, np.median(rows, axis=0).tolist(), strict=True))


def _cell(row: str, value: float) -> str:
    return f"{value:.1f}" if row == SECONDS else f"{value:.2%}"


def _sample(name: str) -> Callable[[Path], dict[str, Any]]:
    """A run of the repository's, of 29 checkpoints."""
    root = Path(__file__).parents[1] / "sample_models"
    return lambda _: {
        "checkpoints": root / name,
        "model": "sample_models.net:make_net",
        "probe": root / "probe.npz",
    }


def _of_zoo(name: str) -> Callable[[Path], dict[str, Any]]:
    """A run of one of the paper's nets that walks at random from its first weights."""

    def write(folder: Path) -> dict[str, Any]:
        torch.manual_seed(0)
        net = ZOO[name](CLASSES)
        (folder / "run").mkdir()
        for epoch in range(CHECKPOINTS):
            with torch.no_grad():
                for weight in net.parameters():
                    weight += 0.01 * weight.std(correction=0) * torch.randn_like(weight)
            torch.save(net.state_dict(), folder / "run" / f"epoch_{epoch}.pt")
        return {
            "checkpoints": folder / "run",
            "model": lambda: ZOO[name](CLASSES),
            "probe": write_probe(folder / "probe.npz", SAMPLES),
        }

    return write


RUNS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "sample_models/overfit": _sample("overfit"),
    "sample_models/healthy": _sample("healthy"),
    "normnet-s, 32 x 32": _of_zoo("normnet-s"),
}

if __name__ == "__main__":
    main()
