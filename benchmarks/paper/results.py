"""What trainings left behind: their logs, and the figures out of them that are kept beside the tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.training import log
from rfav_cli.training.folder import LOG, STORE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from benchmarks.paper.experiments import Cell

MACHINE = "machine.json"
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, eq=False)
class Curve:
    """What a training did on its validation images, before it and after each epoch.

    Attributes:
        loss: (E,) cross-entropies in nats, without penalties; entry 0 is before training.
        accuracy: (E,) between 0 and 1.
        seconds: that the epochs took, on whatever machine that was.
    """

    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    seconds: float

    @property
    def epochs(self) -> NDArray[np.int64]:
        """(E,), from -1 on."""
        return np.arange(-1, len(self.loss) - 1)

    def until(self, epochs: int) -> Curve | None:
        """The first so many epochs; None where there are fewer."""
        if len(self.loss) <= epochs:
            return None
        return Curve(self.loss[: epochs + 1], self.accuracy[: epochs + 1], self.seconds)


def read(out: Path, cell: Cell) -> Curve | None:
    """What a training has done so far; None where it was not begun."""
    rows = log.read(out / cell.name / LOG)
    if not rows:
        return None
    loss, accuracy = (
        np.array([row[key] for row in rows], np.float64) for key in ("validation_loss", "validation_accuracy")
    )
    return Curve(loss, accuracy, sum(row["seconds"] for row in rows))


def is_done(out: Path, cell: Cell) -> bool:
    """It has all its epochs, and the last of them is in the packed store, unless it goes on to more."""
    curve = read(out, cell)
    if curve is None or curve.until(cell.epochs) is None:
        return False
    return len(curve.loss) - 1 > cell.epochs or not (out / cell.name / f"{STORE}.d").exists()


def gather(out: Path, cells: Sequence[Cell]) -> dict[str, Any]:
    """The figures of all trainings that were begun, in plain JSON."""
    runs, machines = {}, set()
    for name, cell in {cell.name: cell for cell in cells}.items():
        curve = read(out, cell)
        if curve is not None:
            runs[name] = {
                "loss": [round(float(value), 4) for value in curve.loss],
                "accuracy": [round(float(value), 4) for value in curve.accuracy],
                "seconds": round(curve.seconds),
            }
            trained_on = out / name / MACHINE
            machines |= {trained_on.read_text(encoding="utf-8").strip()} if trained_on.exists() else set()
    return {"machines": [json.loads(each) for each in sorted(machines)], "runs": runs}


def curves(document: Mapping[str, Any]) -> dict[str, Curve]:
    """The trainings of a document of `gather`, by name."""
    return {
        name: Curve(np.array(run["loss"]), np.array(run["accuracy"]), run["seconds"])
        for name, run in document["runs"].items()
    }


def load(scale: str) -> dict[str, Any]:
    """The figures that are kept beside the tables."""
    path = RESULTS / f"{scale}.json"
    if not path.exists():
        return {"machines": [], "runs": {}}
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def save(scale: str, document: Mapping[str, Any]) -> None:
    """Keep them there, a line a training."""
    RESULTS.mkdir(exist_ok=True)
    runs = ",\n".join(f"  {json.dumps(name)}: {json.dumps(run)}" for name, run in document["runs"].items())
    machines = json.dumps(document["machines"])
    text = f'{{\n "machines": {machines},\n "runs": {{\n{runs}\n }}\n}}\n'
    (RESULTS / f"{scale}.json").write_text(text, encoding="utf-8")
