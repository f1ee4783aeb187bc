"""The checkpoint that is advised, on images that neither the training nor the probe has: all committed runs."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.detection.cases import RUNS, table
from rfav_cli.diagnosis import advise, judge
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.store import open_store

IMAGES = 3000
NOISE = 2 * np.sqrt(0.25 / IMAGES)
"""Two standard errors of an accuracy on the images of the truth, at most."""
TRUTHS = {name: rows for name, rows in table("truth").items() if (RUNS / f"{name}.h5").exists()}


@pytest.fixture(scope="module")
def gains() -> dict[str, float]:
    """Run -> accuracy of the checkpoint that is kept, less that of the last; of runs where one is kept."""
    found = {}
    for name, rows in TRUTHS.items():
        history = open_store(RUNS / f"{name}.h5")
        kept = advise(history, judge(history), Thresholds()).keep
        accuracy = dict(zip(rows["epoch"], rows["accuracy"], strict=True))
        if kept is not None:
            found[name] = accuracy[kept] - accuracy[int(history.epochs[-1])]
    return found


def test_it_is_never_less_accurate_than_the_last_by_more_than_noise(gains: dict[str, float]) -> None:
    assert {name: gain for name, gain in gains.items() if gain < -NOISE} == {}


def test_the_readme_says_how_often_it_is_another_one_and_what_that_gains(gains: dict[str, float]) -> None:
    moved = [gain for gain in gains.values() if gain]
    better, mean = sum(gain > 0 for gain in moved), 100 * sum(moved) / len(moved)
    said = f"On {len(TRUTHS)} trainings it names another one in {len(moved)}; "
    said += f"{'all ' if better == len(moved) else ''}{better} are more accurate"
    text = " ".join((RUNS.parents[2] / "README.md").read_text(encoding="utf-8").split())
    assert said in text
    assert f"has, by {mean:.1f} points on average" in text


def test_where_it_is_another_it_is_better(gains: dict[str, float]) -> None:
    moved = np.array([gain for gain in gains.values() if gain])
    assert len(moved) >= 5
    assert moved.mean() > 0.01
    assert (moved > 0).mean() > 0.8
