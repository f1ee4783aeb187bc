"""A run for the front-end: a manifest of legible texts and finite numbers, and the blocks that it describes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.render.document import show_document
from rfav_cli.render.html.prepared import LONGEST, PreparedRun, prepare
from tests.render.figures.histories import KINDS


def prepared(kind: str = "plain", **options: Any) -> PreparedRun:
    history = KINDS[kind]
    smoothed = np.where(np.isfinite(history.loss), 1.5, np.nan)
    return prepare(history, judge(history), smoothed, **{"name": "run", **options})


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_is_json_and_describes_each_block(kind: str) -> None:
    run = prepared(kind)
    manifest = json.loads(json.dumps(run.manifest, allow_nan=False))
    assert manifest["blocks"].keys() == run.blocks.keys()
    for name, described in manifest["blocks"].items():
        assert list(run.blocks[name].read().shape) == described["shape"], name
    assert all(text.isprintable() and len(text) <= LONGEST for text in _texts(manifest))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


def test_the_manifest_says_what_the_store_does() -> None:
    history = KINDS["plain"]
    manifest = prepared().manifest
    assert (manifest["name"], manifest["revision"]) == ("run", history.digest)
    assert manifest["document"]["run"] == show_document(history, judge(history))["run"]
    assert manifest["positions"] == [[8, 8]] * 3
    assert manifest["images"] == {"shown": 2, "kept": 2, "labels": [0, 1]}
    assert manifest["smoothed_loss"] == [1.5] * 29
    assert prepared("nan").manifest["smoothed_loss"][3] is None


def test_fewer_images_are_shown_where_fewer_are_wanted_or_fit() -> None:
    assert prepared(maps=1).manifest["images"] == {"shown": 1, "kept": 2, "labels": [0]}
    none = prepared(maps=0)
    assert none.manifest["images"] == {"shown": 0, "kept": 2, "labels": []}
    assert not [name for name in none.blocks if name.startswith("map/")]
    assert "mean_map/0" in none.blocks
    small = prepared(budget=3 * 64 * 29)
    assert small.manifest["images"]["shown"] == 2
    assert small.manifest["blocks"]["map/0"]["shape"][0] == 14  # epochs go first
    assert prepared("no maps of images").manifest["images"]["kept"] == 0


def test_the_epoch_of_the_onset_is_among_those_that_are_shown() -> None:
    history = KINDS["plain"]
    onset = judge(history).run.onset
    assert onset
    row = history.epochs.tolist().index(onset.epoch)
    for name in ("map/0", "mean_map/0"):
        rows = prepared(budget=3 * 64 * 12).blocks[name].rows
        assert rows is not None
        assert len(rows) < len(history)
        assert row in rows
