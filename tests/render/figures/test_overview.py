"""The overview shows each layer's share of ln D in each epoch, and where it began to fall."""

from __future__ import annotations

from typing import Any

import numpy as np

import rfav_cli
from tests.render.conftest import make_history
from tests.render.figures.histories import KINDS, complete


def test_cells_are_shares_of_ln_d() -> None:
    history = KINDS["plain"]
    cells = rfav_cli.plot(history).axes[1].collections[0]
    drawn = np.asarray(cells.get_array()).reshape(3, 29)
    np.testing.assert_allclose(drawn, history.entropy.T / np.log(32))
    assert cells.get_clim() == (0, 1)


def test_what_a_run_has_not_is_grey() -> None:
    other = complete(make_history(("conv1", "other"), epochs=6, path="b.h5"))
    page: Any = rfav_cli.plot([KINDS["plain"], other])
    cells = np.ma.getmaskarray(np.ma.masked_invalid(page.axes[3].collections[0].get_array())).reshape(4, 29)
    assert not cells[0, :6].any()  # conv1, in the epochs of the shorter run
    assert cells[0, 6:].all()
    assert cells[1:3].all()  # conv2 and fc1 are of the first run alone
    assert not cells[3, :6].any()


def test_each_onset_is_marked_at_its_epoch_and_layer() -> None:
    history = KINDS["plain"]
    verdict = rfav_cli.judge(history)
    expected = {
        state: [
            (layer.onset.epoch, row) for row, layer in enumerate(verdict.layers) if layer.state == state and layer.onset
        ]
        for state in ("collapsed", "falling")
    }
    assert any(expected.values())
    lines = rfav_cli.plot(history).axes[1].lines
    for state, marks in expected.items():
        drawn = [line for line in lines if line.get_label() == f"onset of a layer that is {state}"]
        assert [tuple(mark) for line in drawn for mark in zip(*line.get_data(), strict=True)] == marks


def test_the_verdict_stands_above_the_loss() -> None:
    history = KINDS["plain"]
    upper = rfav_cli.plot(history).axes[0]
    onset = rfav_cli.judge(history).run.onset
    assert onset
    assert f"overfitting since epoch {onset.epoch}" in upper.get_title(loc="left").replace("\n", " ")
    bare = rfav_cli.plot(complete(make_history(labels=False))).axes[0]
    assert [text.get_text() for text in bare.texts] == ["no held-out loss"]


def test_of_many_layers_some_are_named() -> None:
    names = tuple(f"l{i}" for i in range(90))
    labels = rfav_cli.plot(complete(make_history(names, epochs=3))).axes[1].get_yticklabels()
    assert [label.get_text() for label in labels] == [f"l{i}" for i in range(0, 90, 3)]
