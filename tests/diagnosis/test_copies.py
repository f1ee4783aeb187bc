"""Checkpoints that hold the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rfav_cli.diagnosis.copies import find_copies
from rfav_cli.records import Checkpoint
from tests.diagnosis.weights import history_of, training


def run(rows, **columns):
    """A store of these checkpoints of a training, whose figures are those of the weights."""
    weights = training(1, 8)
    figures = np.linspace(2, 1, 8)[list(rows)]
    entropy = np.outer(figures, np.ones(3))
    known = {"entropy__mean": entropy, "probe__sample_loss": np.outer(figures, np.arange(1, 6))}
    return history_of([weights[row] for row in rows], **{**known, **columns})


def files(history, names):
    made = (Checkpoint(each.epoch, each.path, name * 64) for each, name in zip(history.checkpoints, names, strict=True))
    return replace(history, checkpoints=tuple(made))


@pytest.mark.parametrize(
    ("rows", "groups"),
    [
        ((0, 1, 2, 3), []),
        ((0, 0, 0, 0), [(0, 1, 2, 3)]),
        ((0, 1, 1, 2, 3, 3), [(1, 2), (4, 5)]),
        ((0, 1, 2, 3, 1), [(1, 4)]),
    ],
)
def test_the_same_figures_are_the_same_weights(rows, groups):
    assert find_copies(run(rows)) == groups


def test_the_same_file_is_the_same_weights_even_where_it_was_measured_elsewhere():
    history = run((0, 1, 1, 2))
    history.columns["entropy/mean"][2] *= 1 + 1e-6
    history.columns["probe/sample_loss"][2] *= 1 + 1e-6
    assert find_copies(history) == []
    assert find_copies(files(history, "abbc")) == [(1, 2)]
    without = {name: values for name, values in history.columns.items() if name == "entropy/mean"}
    assert find_copies(replace(files(history, "abbc"), columns=without)) == [(1, 2)]


def test_a_digest_that_the_figures_contradict_says_nothing():
    assert find_copies(files(run((0, 1, 2, 3)), "aaaa")) == []
    assert find_copies(files(run((0, 1, 2, 3)), ["", "", "", ""])) == []


def test_a_training_of_the_last_layer_alone_leaves_the_others_as_they_are():
    history = run((0, 0, 0, 0), probe__sample_loss=np.outer(np.linspace(2, 1, 4), np.arange(1, 6)))
    assert find_copies(history) == []
    del history.columns["probe/sample_loss"]
    assert find_copies(history) == []


def test_a_run_that_has_diverged_does_not_change_any_more():
    history = files(run((0, 1, 2, 2)), "abcc")
    for name in ("entropy/mean", "checkpoint/sketch", "probe/sample_loss"):
        history.columns[name][2:] = np.nan
    assert find_copies(history) == []


def test_no_epochs():
    history = run((0,))
    empty = {name: values[:0] for name, values in history.columns.items()}
    assert find_copies(replace(history, checkpoints=(), columns=empty)) == []
