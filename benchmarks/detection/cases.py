"""The committed runs: what was measured of each training, and what it really did."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.configurations import FIRST, split
from benchmarks.detection.truth import IMAGES, Curves, Truth, outcome
from rfav_cli.store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.detection.configurations import Configuration
    from rfav_cli.records import History

RUNS = Path(__file__).parent / "runs"
NOT_FINITE = 255
"""In place of an uncertainty in hundredths, of which the highest is 200."""
HALVES, TABLES = ("tuning", "reporting"), ("truth", "curves", "baselines")


@dataclass(frozen=True, eq=False)
class Case:
    """A training.

    Attributes:
        configuration: how it was trained.
        history: the probe's store.
        truth: by images that neither the training nor the probe has.
        curves: name -> (E, L) as `measure` keeps them for the candidates; only of the first trainings.
        baselines: what `baselines` computed of some of the checkpoints; only of the first trainings.
    """

    configuration: Configuration
    history: History
    truth: Truth
    curves: Mapping[str, Any]
    baselines: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What files of it are called."""
        return self.configuration.name

    def at(self, rows: slice) -> Case:
        """The same with some of its checkpoints only; what really became of it stays."""
        columns = {name: column[rows] for name, column in self.history.columns.items()}
        history = replace(self.history, checkpoints=self.history.checkpoints[rows], columns=columns)
        return replace(self, history=history, curves={}, baselines={})

    def until_onset(self) -> Case:
        """The part of an overfitting run in which it was healthy."""
        count = int(np.searchsorted(self.history.epochs, self.truth.onset or 0, side="right"))
        return replace(self.at(slice(count)), truth=Truth("healthy"))


def load(half: str) -> list[Case]:
    """The runs of a half of which all is there, in the order of the split."""
    truths, curves, baselines = (table(name) for name in TABLES)
    return [
        Case(
            configuration=each,
            history=with_moved(open_store(RUNS / f"{each.name}.h5"), RUNS / f"{each.name}.moved.npz"),
            truth=outcome(curves_of(truths[each.name], each)),
            curves=curves.get(each.name, {}),
            baselines=baselines.get(each.name, {}),
        )
        for each in split()[HALVES.index(half)]
        if (RUNS / f"{each.name}.h5").exists()
        and each.name in truths
        and (each.family != FIRST or (each.name in curves and each.name in baselines))
    ]


def with_moved(history: History, path: Path) -> History:
    """The store of a run with what its moved images gave, where that was measured; those of some runs are gone."""
    if not path.exists():
        return history
    with np.load(path) as moved:
        rows = np.searchsorted(moved["epoch"], history.epochs)
        differs, hundredths = moved["disagreement"][rows], moved["uncertainty"][rows].astype(np.float64)
    unsure = np.where(hundredths == NOT_FINITE, np.nan, hundredths / 100)
    columns = {"moved/sample_disagreement": differs, "moved/sample_uncertainty": unsure}
    return replace(history, columns={**history.columns, **columns})


def curves_of(rows: Mapping[str, list[float | None]], configuration: Configuration) -> Curves:
    """What was kept of a training on the images that tell the truth."""
    calibrated = rows.get("calibrated_loss")
    return Curves(
        epochs=np.array(rows["epoch"], np.int64),
        losses=np.array(rows["loss"], np.float64),
        accuracies=np.array(rows["accuracy"], np.float64),
        calibrated=None if calibrated is None else np.array(calibrated, np.float64),
        classes=configuration.classes,
        images=IMAGES,
    )


def table(name: str) -> dict[str, Any]:
    """Name of a run -> its row of `runs/NAME.json`; empty where there is no such table."""
    path = RUNS / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
