"""All doubts of a run: those recorded, then those that its figures tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rfav_cli.diagnosis import derive, judge
from rfav_cli.diagnosis.doubts import doubts
from rfav_cli.records import Doubt
from tests.diagnosis.conftest import TOP, learning, make_history, sample_losses
from tests.diagnosis.test_labels import history as labelled
from tests.diagnosis.test_labels import knows
from tests.diagnosis.weights import history_of, picked, training

LABELS = np.arange(1000) % 10
RECORDED = Doubt("chance", "fc1", "two forwards differ", "Switch it off.", 1.0)


def test_recorded_doubts_come_first_and_the_verdict_has_all() -> None:
    turned = np.roll(np.arange(10), 1)[knows(LABELS, 0.5)]
    history = replace(labelled(LABELS, [turned]), doubts=(RECORDED,))
    assert [doubt.kind for doubt in doubts(history)] == ["chance", "classes"]
    assert [doubt.kind for doubt in derive(history).doubts] == ["classes"]


def test_a_run_that_nobody_doubts_has_none() -> None:
    run = make_history(np.arange(10), {"conv1": np.full(10, 0.9 * TOP)}, sample_losses(learning(np.arange(10), 5)))
    assert judge(run).doubts == ()
    assert judge(replace(run, doubts=(RECORDED,))).doubts == (RECORDED,)


def test_what_the_weights_tell_is_derived_and_their_distances_are_kept() -> None:
    weights = picked("aaabaaaa", a=training(1), b=training(2))
    derived = derive(history_of(weights))
    assert [(doubt.kind, doubt.where) for doubt in derived.doubts] == [("run", "epoch 2")]
    distances = derived.columns["checkpoint/distance"]
    assert np.isnan(distances[0])
    assert (distances[1:] > 1).tolist() == [False, False, True, True, False, False, False]
    assert derive(labelled(LABELS, [LABELS])).columns == {}
