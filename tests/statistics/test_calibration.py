"""The temperature against searches that nobody can get wrong, closed forms, and what scaling the scores does."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfav_cli.records import Settings
from rfav_cli.records.calibration import HIGHEST_TEMPERATURE as HIGHEST
from rfav_cli.records.calibration import LOWEST_TEMPERATURE as LOWEST
from rfav_cli.statistics import calibration
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.calibration import Calibration, calibration_error, fit_temperature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

SCALARS = ("temperature", "calibrated_loss", "calibration_error", "calibrated_error", "confidence")


def drawn(size: int, classes: int, sharpness: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Scores, and labels drawn from the softmax of `scores / sharpness`: that is the temperature that they lack."""
    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(size, classes, generator=random) * 3
    labels = torch.multinomial((scores.double() / sharpness).softmax(1), 1, generator=random)[:, 0]
    return scores, labels


def measured(scores: Tensor, labels: Tensor | None, cuts: Sequence[int] = ()) -> dict[str, Any]:
    size = len(scores)
    statistic = Calibration(Context((), size, labels, Settings()))
    for start, stop in itertools.pairwise((0, *cuts, size)):
        statistic.update_output(slice(start, stop), scores[start:stop])
    return {name.removeprefix("probe/"): values for name, values in statistic.compute().items()}


def objective(scores: NDArray[np.float64], labels: NDArray[np.int64], temperature: float) -> float:
    """What the temperature makes least, one sample after the other: a share of each counts for the class next to it."""
    total, share = 0.0, 1 / (len(scores) + 1)
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        top = max(row)
        scaled = [(score - top) / temperature for score in row]
        size = math.log(sum(math.exp(score) for score in scaled))
        other = max(score for place, score in enumerate(scaled) if place != label)
        total += (1 - share) * (size - scaled[label]) + share * (size - other)
    return total / len(scores)


def golden_section(scores: Tensor, labels: Tensor) -> float:
    """The temperature by golden section in its logarithm (Kiefer 1953), which needs no derivative."""
    wide, classes, ratio = scores.double().numpy(), labels.numpy(), (math.sqrt(5) - 1) / 2
    low, high = math.log(LOWEST), math.log(HIGHEST)
    while high - low > 1e-7:
        lower, upper = high - ratio * (high - low), low + ratio * (high - low)
        if objective(wide, classes, math.exp(lower)) < objective(wide, classes, math.exp(upper)):
            high = upper
        else:
            low = lower
    return math.exp((low + high) / 2)


def slow_losses(scores: Tensor, labels: Tensor) -> NDArray[np.float64]:
    """Each sample's cross-entropy at the temperature of the other half; each class goes into the halves in turn."""
    in_order = sorted(range(len(labels)), key=lambda place: (int(labels[place]), place))
    half = {place: number % 2 for number, place in enumerate(in_order)}
    losses = []
    for place, (row, label) in enumerate(zip(scores.double().tolist(), labels.tolist(), strict=True)):
        other = [at for at in range(len(scores)) if half[at] != half[place]]
        temperature = golden_section(scores[other], labels[other])
        losses.append(math.log(sum(math.exp((score - row[label]) / temperature) for score in row)))
    return np.array(losses)


@given(
    size=st.integers(2, 30),
    classes=st.integers(2, 6),
    sharpness=st.floats(0.2, 5),
    seed=st.integers(0, 999),
)
@settings(max_examples=40)
def test_the_temperature_is_that_of_a_search_without_derivatives(
    size: int, classes: int, sharpness: float, seed: int
) -> None:
    scores, labels = drawn(size, classes, sharpness, seed)
    expected = golden_section(scores, labels)
    found = fit_temperature(scores, labels)
    assert found == pytest.approx(expected, rel=1e-3)
    wide, at = scores.double().numpy(), labels.numpy()
    assert objective(wide, at, found) <= objective(wide, at, expected) + 1e-12


@given(
    base=st.integers(0, 99).map(lambda seed: drawn(60, 5, 1.5, seed)),
    factor=st.floats(0.01, 100),
    shift=st.floats(-5, 5),
)
@settings(max_examples=40)
def test_scaling_the_scores_scales_the_temperature_and_leaves_the_calibrated_loss(
    base: tuple[Tensor, Tensor], factor: float, shift: float
) -> None:
    scores, labels = base
    before, after = measured(scores.double(), labels), measured((scores.double() + shift) * factor, labels)
    assert after["temperature"] == pytest.approx(factor * before["temperature"], rel=1e-4)
    for name in ("calibrated_loss", "calibrated_error"):
        assert after[name] == pytest.approx(before[name], rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(after["sample_calibrated_loss"], before["sample_calibrated_loss"], 1e-3, 1e-5)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_is_the_one_that_labels_were_drawn_with(sharpness: float) -> None:
    found = measured(*drawn(20_000, 8, sharpness))
    assert found["temperature"] == pytest.approx(sharpness, rel=0.03)
    assert found["calibrated_error"] < 0.02
    assert (found["calibration_error"] < 0.02) == (sharpness == 1)


@pytest.mark.parametrize("cuts", [(), (1, 8), (5,)])
def test_the_calibrated_loss_is_cross_fitted_over_halves_of_each_class(cuts: tuple[int, ...]) -> None:
    scores, labels = drawn(16, 4, 2.0, seed=3)
    found = measured(scores, labels, cuts)
    expected = slow_losses(scores, labels)
    np.testing.assert_allclose(found["sample_calibrated_loss"], expected, 1e-4)
    assert found["calibrated_loss"] == pytest.approx(expected.mean(), rel=1e-4)
    assert found["temperature"] == pytest.approx(golden_section(scores, labels), rel=1e-4)
    types = {name: (values.dtype, values.shape) for name, values in found.items()}
    assert types == dict.fromkeys(SCALARS, (np.float64, ())) | {"sample_calibrated_loss": (np.float32, (16,))}


def test_a_small_probe_in_batches_is_the_same_as_whole_and_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, labels = drawn(40, 4, 2.0)
    whole = measured(scores, labels)
    monkeypatch.setattr(calibration, "BLOCK", 12)
    for name, values in measured(scores, labels, (7, 11)).items():
        np.testing.assert_allclose(values, whole[name], 1e-9)


def test_two_classes_a_distance_apart_have_a_temperature_in_closed_form() -> None:
    """Scores a distance m apart that are right in a share p of the samples should be p sure: T = m / logit p."""
    size, wrong, distance = 1000, 200, 7.0
    scores = torch.zeros(size, 2)
    scores[:, 1] = distance
    labels = torch.ones(size, dtype=torch.int64)
    labels[:wrong] = 0
    right = size - wrong
    # Of the share 1 / (n + 1), each right sample counts as wrong and each wrong one as right.
    p = (right * size + wrong) / (size + 1) / size
    expected = distance / math.log(p / (1 - p))
    assert fit_temperature(scores, labels) == pytest.approx(expected, rel=1e-9)
    found = measured(scores, labels)
    assert found["confidence"] == pytest.approx(1 / (1 + math.exp(-distance)), rel=1e-6)
    assert found["calibration_error"] == pytest.approx(found["confidence"] - 0.8, rel=1e-6)
    assert found["calibrated_error"] == pytest.approx(0.6 / 501, rel=1e-3)
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert found["calibrated_loss"] == pytest.approx(entropy, rel=1e-4)


def test_samples_that_are_all_right_make_the_net_n_in_n_and_1_sure() -> None:
    """Without that, one wrong sample in the other half would cost a loss without bounds."""
    scores = torch.tensor([[4.0, 0.0]]).repeat(100, 1)
    assert fit_temperature(scores, torch.zeros(100, dtype=torch.int64)) == pytest.approx(4 / math.log(100), rel=1e-6)
    labels = torch.zeros(100, dtype=torch.int64)
    labels[8] = 1
    found = measured(scores, labels)
    assert found["sample_calibrated_loss"][8] == pytest.approx(math.log(51), rel=1e-4)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([1, 1, 0, 0], HIGHEST), ([0, 1, 0, 0], HIGHEST)],  # each is wrong; no better than the other way round
)
def test_scores_that_say_nothing_of_the_labels_are_best_flat(labels: list[int], expected: float) -> None:
    scores = torch.tensor([[3.0, 0.0], [2.0, 0.0], [0.0, 5.0], [0.0, 1.0]])
    found = measured(scores, torch.tensor(labels))
    assert found["temperature"] == expected
    assert fit_temperature(-scores, torch.tensor(labels)) < HIGHEST or labels == [0, 1, 0, 0]


def test_scores_of_one_size_need_no_temperature() -> None:
    found = measured(torch.full((6, 4), -3.0), torch.arange(6) % 4)
    assert found["temperature"] == 1
    assert found["calibrated_loss"] == pytest.approx(math.log(4))
    assert found["confidence"] == 0.25


@pytest.mark.parametrize("scale", [1e-6, 1e4, 1e30])
def test_scores_of_any_size_end_the_search(scale: float) -> None:
    scores, labels = drawn(50, 4, 1.0)
    found = measured(scores * scale, labels)
    assert LOWEST <= found["temperature"] <= HIGHEST
    assert np.isfinite(found["calibrated_loss"])


@given(
    values=arrays(np.float32, st.tuples(st.integers(1, 8), st.integers(2, 4)), elements=st.floats(width=32)),
    seed=st.integers(0, 9),
)
@example(values=np.array([[3.1e38, 0, 0, 0], [1, 0, 0, 0]], np.float32), seed=0)  # its losses are above all of float32
def test_whatever_the_scores_are_there_are_figures_that_can_be_or_none(values: NDArray[np.float32], seed: int) -> None:
    labels = torch.from_numpy(np.random.default_rng(seed).integers(0, values.shape[1], len(values)))
    found = measured(torch.from_numpy(values), labels)
    assert np.isnan(found["temperature"]) or LOWEST <= found["temperature"] <= HIGHEST
    for name in ("calibration_error", "calibrated_error", "confidence"):
        assert np.isnan(found[name]) or 0 <= found[name] <= 1 + 1e-6
    assert np.isnan(found["calibrated_loss"]) or found["calibrated_loss"] >= 0
    assert np.isfinite(found["sample_calibrated_loss"]).all() == np.isfinite(found["calibrated_loss"])
    assert not np.isnan(values).any() or np.isnan(found["temperature"])


@pytest.mark.parametrize("transform", [lambda s: s.softmax(1), lambda s: s.log_softmax(1)])
@pytest.mark.parametrize("cuts", [(), (3,)])
def test_outputs_that_are_normalised_give_the_same(
    transform: Callable[[Tensor], Tensor], cuts: tuple[int, ...]
) -> None:
    scores, labels = drawn(50, 4, 2.0)
    expected = measured(scores, labels)
    for name, values in measured(transform(scores), labels, cuts).items():
        np.testing.assert_allclose(values, expected[name], 1e-3, err_msg=name)


def test_without_labels_the_confidence_alone_is_known() -> None:
    scores, labels = drawn(50, 4, 2.0)
    found = measured(scores, None, (20,))
    assert list(found) == ["confidence"]
    assert found["confidence"] == measured(scores, labels)["confidence"]
    assert found["confidence"] == pytest.approx(float(scores.double().softmax(1).amax(1).mean()), rel=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 7])
def test_a_score_that_is_not_finite_leaves_no_figure(value: float, place: int) -> None:
    scores, labels = drawn(20, 4, 2.0)
    scores[place, 1] = value
    found = measured(scores, labels)
    assert all(np.isnan(found[name]) for name in SCALARS)
    # The samples of its own half are judged by the other, which is whole.
    known = np.isfinite(found["sample_calibrated_loss"])
    assert known.sum() == 9
    assert not known[place]


@pytest.mark.parametrize("masked", [-math.inf, -1e9])
def test_a_class_that_is_ruled_out_has_no_part(masked: float) -> None:
    scores, labels = drawn(60, 4, 2.0)
    expected = measured(scores, labels)
    wider = torch.cat([scores, torch.full((60, 1), masked)], 1)
    for name, values in measured(wider, labels).items():
        np.testing.assert_allclose(values, expected[name], 1e-5, 1e-9, err_msg=name)
    lone = wider.clone()
    lone[0, torch.arange(5) != labels[0]] = masked  # all but the label's own class: it tells nothing of T
    if masked == -math.inf:
        assert measured(lone, labels)["temperature"] == pytest.approx(expected["temperature"], rel=0.1)
        labels[0] = 4
        assert np.isnan(measured(wider, labels)["temperature"])


@pytest.mark.parametrize("size", [1, 2])
def test_few_samples_have_figures_where_both_halves_have_a_sample(size: int) -> None:
    scores, labels = drawn(size, 3, 1.0, seed=1)
    found = measured(scores, labels)
    assert np.isfinite(found["calibrated_loss"]) == np.isfinite(found["calibrated_error"]) == (size > 1)
    assert np.isfinite([found[name] for name in ("temperature", "calibration_error", "confidence")]).all()


def test_a_probe_of_too_many_scores_has_no_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, labels = drawn(20, 4, 2.0)
    monkeypatch.setattr(calibration, "MOST", 79)
    found = measured(scores, labels)
    assert [name for name in SCALARS if np.isnan(found[name])] == ["temperature", "calibrated_loss", "calibrated_error"]
    assert np.isnan(found["sample_calibrated_loss"]).all()


@pytest.mark.parametrize(
    "output", [torch.zeros(4, 3, 2), torch.zeros(4), torch.zeros(4, 1), torch.zeros(4, 3, dtype=torch.int64)]
)
def test_an_output_that_is_no_row_of_class_scores_has_no_columns(output: Tensor) -> None:
    assert measured(output, torch.zeros(4, dtype=torch.int64), (1,)) == {}


def test_a_net_whose_number_of_classes_changes_has_no_temperature() -> None:
    statistic = Calibration(Context((), 4, torch.zeros(4, dtype=torch.int64), Settings()))
    for start, classes in ((0, 3), (2, 5)):
        statistic.update_output(slice(start, start + 2), torch.randn(2, classes))
    found = statistic.compute()
    assert np.isnan(found["probe/temperature"])
    assert np.isfinite(found["probe/confidence"])


@given(
    confidences=st.lists(st.floats(2**-7, 1, width=32), min_size=1, max_size=40),
    seed=st.integers(0, 99),
)
def test_the_calibration_error_is_that_of_fifteen_bins(confidences: list[float], seed: int) -> None:
    right = np.random.default_rng(seed).random(len(confidences)) < 0.6
    expected = 0.0
    for number in range(15):
        inside = [at for at, value in enumerate(confidences) if number / 15 < value <= (number + 1) / 15]
        if inside:
            gap = np.mean([confidences[at] for at in inside]) - np.mean(right[inside])
            expected += len(inside) / len(confidences) * abs(gap)
    found = calibration_error(torch.tensor(confidences), torch.from_numpy(right))
    assert found == pytest.approx(expected, abs=1e-6)
    assert 0 <= found <= 1


def test_the_order_of_the_classes_in_a_probe_changes_nothing() -> None:
    """In turn, as a probe has them, one class after the other, or mixed: each half has its share of each class."""
    scores, labels = drawn(400, 4, 2.0)
    scores[labels % 2 == 0] *= 3  # surer of some classes than of others, which are at even places below
    by_class = labels.argsort(stable=True)
    ranks = torch.empty(400, dtype=torch.int64)
    for label in range(4):
        ranks[labels == label] = torch.arange(int((labels == label).sum()))
    in_turn = (ranks * 4 + labels).argsort()
    mixed = measured(scores, labels)
    for order in (by_class, in_turn):
        found = measured(scores[order], labels[order])
        np.testing.assert_allclose(found["sample_calibrated_loss"], mixed["sample_calibrated_loss"][order], 1e-5)
        assert found["calibrated_error"] == pytest.approx(mixed["calibrated_error"], abs=1e-9)
