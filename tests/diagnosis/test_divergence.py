"""A run that diverged is called so, with the epoch and the layer where it began; a hole in its middle is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.diagnosis import check, judge, recommend
from rfav_cli.diagnosis.divergence import BEYOND, find_divergence, is_sound
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import Policy
from tests.diagnosis.conftest import TOP, answers_of, falling, learning, make_history, sample_losses

if TYPE_CHECKING:
    from rfav_cli.records import History

EPOCHS = np.arange(-1, 21)
NAMES = ("conv1", "conv2", "fc1")


def run(
    *,
    since: int | None = 13,
    value: float = np.nan,
    layer: str | None = "conv2",
    labels: bool = True,
    scores: bool = True,
) -> History:
    """A run whose losses, scores and entropies from a layer on are not finite from an epoch on."""
    gone = np.flatnonzero(since <= EPOCHS) if since is not None else np.array([], int)
    losses = sample_losses(learning(EPOCHS, 12))
    losses[gone] = value
    entropies = {name: falling(EPOCHS, 0, 0.1) for name in NAMES}
    nonfinite = np.zeros((len(EPOCHS), len(NAMES)), np.int64)
    for index, name in enumerate(NAMES):
        if layer is not None and index >= NAMES.index(layer):
            entropies[name][gone] = np.nan
            nonfinite[gone, index] = 77
    columns: dict[str, Any] = {"nonfinite": nonfinite}
    if scores:
        predictions, confidences = answers_of(np.full(22, 0.7), np.full(22, 0.2), losses.shape[1])
        predictions[gone] = -1
        confidences[gone] = np.nan
        columns |= {"probe__sample_prediction": predictions, "probe__sample_confidence": confidences}
    return make_history(EPOCHS, entropies, losses if labels else None, **columns)


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("scores", [True, False])
@pytest.mark.parametrize("layer", NAMES)
@pytest.mark.parametrize("since", [0, 1, 13, 20])
def test_the_epoch_and_the_first_layer_are_named(since: int, layer: str, labels: bool, scores: bool) -> None:
    verdict = judge(run(since=since, layer=layer, labels=labels, scores=scores))
    assert verdict.run.state == "diverged"
    assert verdict.run.onset is not None
    assert (verdict.run.onset.epoch, verdict.run.probability) == (since, None)
    assert verdict.run.basis == ("held-out loss" if labels else "class scores" if scores else "entropy")
    assert verdict.run.reason.startswith(f"diverged since epoch {since}: ")
    assert verdict.run.reason.endswith(f"the first layer whose values are not finite is {layer}")
    assert {found.state for found in verdict.layers} == {None}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 2 * BEYOND])
def test_a_loss_that_is_not_finite_or_without_bounds(value: float) -> None:
    found = find_divergence(run(value=value, layer=None, scores=False))
    assert found is not None
    assert (found.onset.epoch, found.basis, found.layer, found.last_sound) == (13, "held-out loss", "", 12)
    assert ("beyond 1,000 nat" in found.words) == np.isfinite(value)
    assert "the values of all measured layers are finite" in found.words


def test_that_all_layers_are_finite_is_not_said_where_one_is_not_later_on_or_was_not_before() -> None:
    """The loss is gone from epoch 13 on."""
    history = run(value=np.nan, layer=None, scores=False)
    layers = len(history.run.layers)
    for rows, words in (
        (
            history.epochs >= 15,
            f"first layer whose values are not finite is {history.run.layers[1].name}, from epoch 15 on",
        ),
        (history.epochs >= 0, ""),
    ):
        counts = np.zeros((len(history), layers))
        counts[rows, 1] = 3
        found = find_divergence(replace(history, columns={**history.columns, "nonfinite": counts}))
        assert found is not None
        assert "all measured layers" not in found.words
        assert words in found.words


@pytest.mark.parametrize("value", [3.0, 0.9 * BEYOND])
def test_a_loss_that_is_high_has_not_diverged(value: float) -> None:
    assert find_divergence(run(value=value, layer=None, scores=False)) is None


def test_a_loss_that_was_never_lower_has_left_no_bounds() -> None:
    history = make_history(EPOCHS, {"fc": falling(EPOCHS, 0, 0.0)}, 5000 * sample_losses(learning(EPOCHS, 12)))
    assert find_divergence(history) is None


@pytest.mark.parametrize("labels", [True, False])
def test_a_hole_in_the_middle_is_passed_over(labels: bool) -> None:
    history = run(since=None, labels=labels)
    for column in history.columns.values():
        if np.asarray(column).dtype.kind == "f":
            column[5:8] = np.nan  # type: ignore[index]
    assert find_divergence(history) is None
    assert judge(history).run.state != "diverged"
    assert is_sound(history).tolist() == [not 5 <= row < 8 for row in range(22)]


def test_it_diverged_where_it_did_so_for_good() -> None:
    history = run()
    for column in history.columns.values():
        if np.asarray(column).dtype.kind == "f":
            column[3] = np.nan  # type: ignore[index]
    found = find_divergence(history)
    assert found is not None
    assert (found.onset.epoch, found.last_sound) == (13, 12)


def test_values_that_were_never_finite_name_no_layer() -> None:
    """A layer that is masked with minus infinity skips as many values before the divergence as after it."""
    history = run(layer="fc1")
    counts = np.asarray(history.columns["nonfinite"])
    counts[:, 0] = 12
    found = find_divergence(history)
    assert found is not None
    assert found.layer == "fc1"
    counts[EPOCHS >= 13, 0] = 13
    found = find_divergence(history)
    assert found is not None
    assert found.layer == "conv1"


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("first", [-1, 0, 4])
def test_a_run_without_a_finite_epoch(first: int, labels: bool) -> None:
    """Trained checkpoints alone: it diverged before the first. Not finite before training either: no divergence."""
    whole = run(since=-1, layer="conv1", labels=labels)
    rows = slice(first + 1, None)
    history = replace(
        whole,
        checkpoints=whole.checkpoints[rows],
        columns={name: np.asarray(column)[rows] for name, column in whole.columns.items()},
    )
    verdict = judge(history)
    assert verdict.run.state == ("unknown" if first < 0 else "diverged")
    if first >= 0:
        assert (
            "in every epoch that was measured; the first layer whose values are not finite is conv1"
            in verdict.run.reason
        )
        assert recommend(history, verdict).checkpoint is None
        assert "there is none to go on from" in recommend(history, verdict).reason
    assert check(history, Policy(), None, Thresholds())[0].state == verdict.run.state


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_epochs_are_enough(count: int) -> None:
    whole = run(since=13)
    rows = slice(15 - count, 15)
    columns = {name: np.asarray(column)[rows] for name, column in whole.columns.items()}
    history = replace(whole, checkpoints=whole.checkpoints[rows], columns=columns)
    assert judge(history).run.state == "diverged"


def test_some_samples_are_counted() -> None:
    history = run(layer=None, scores=False)
    losses = np.asarray(history.columns["probe/sample_loss"])
    losses[:, 3:] = 1.0
    found = find_divergence(history)
    assert found is not None
    assert "the held-out loss is not finite (in 3 of 200 samples) from epoch 13" in found.words


def test_a_net_without_class_scores_has_not_diverged_for_that() -> None:
    history = make_history(EPOCHS, {"fc": falling(EPOCHS, 0, 0.1)}, np.full((22, 200), np.nan))
    assert find_divergence(history) is None
    assert judge(history).run.state == "unclear"


def test_a_layer_that_never_has_an_entropy_is_no_divergence() -> None:
    entropies = {"one": np.full(22, np.nan), "masked": np.full(22, np.nan), "fc": np.full(22, TOP)}
    history = make_history(EPOCHS, entropies, channels={"one": 1})
    assert find_divergence(history) is None


def test_epochs_that_were_measured_without_outputs_have_none_that_are_not_finite() -> None:
    history = run(since=None, labels=False)
    columns = dict(history.columns)
    for name in ("probe/sample_prediction", "probe/sample_confidence"):
        columns[name] = np.asarray(columns[name], np.float64)
        columns[name][-4:] = np.nan
    assert find_divergence(replace(history, columns=columns)) is None


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("policy", [{}, {"fail_on": ()}, {"fail_on": ("correlated",)}, {"allow_gaps": True}])
def test_the_gate_passes_no_run_that_diverged(labels: bool, final: bool, policy: dict[str, Any]) -> None:
    history = run(labels=labels)
    columns = {**history.columns, "correlation/abs_mean": np.full((22, 3), 0.1)}
    asked = Policy(final=final, max_correlation=(("*", 0.9),), **policy)
    store, found = check(replace(history, columns=columns), asked, None, Thresholds())
    missing = [each for each in found if each.outcome == "missing"]
    assert [each.rule for each in missing] == ["RFAV110"]
    assert "epoch 13" in missing[0].message
    assert "conv2" in missing[0].message
    assert store.state == "diverged"


@pytest.mark.parametrize("rule", ["even", "paper", "balanced"])
def test_the_way_back_is_the_last_checkpoint_with_finite_figures(rule: str) -> None:
    history = run()
    np.asarray(history.columns["entropy/mean"])[EPOCHS == 12, 0] = np.nan
    recipe = recommend(history, judge(history), rule)
    assert (recipe.layers, recipe.rewind, recipe.checkpoint, recipe.loss) == ((), 11, "run/epoch_11.pt", None)
    assert "no penalty mends that: epoch 11 (run/epoch_11.pt)" in recipe.reason
    assert "lower learning rate" in recipe.reason
