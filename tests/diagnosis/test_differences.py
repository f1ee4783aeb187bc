"""How sure a difference of two runs is, against slow and obvious computations."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist, mean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.diagnosis import compare
from rfav_cli.diagnosis.curves import Smoothing
from rfav_cli.diagnosis.differences import EpochEstimates, Estimate, best_and_last, loss_difference
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import SIZE, learning, overfitting, sample_losses
from tests.diagnosis.runs import EPOCHS, make_run, other_probe

if TYPE_CHECKING:
    from rfav_cli.records import History


def slow_moments(history: History, sigma: float) -> dict[str, Any]:
    """Smoothed losses of each sample in the best and the last epoch, and what the wobble makes of both, by loops."""
    epochs, rows = history.epochs.tolist(), np.asarray(history.columns["probe/sample_loss"]).tolist()
    weights = [[np.exp(-((e - f) ** 2) / (2 * sigma**2)) for f in epochs] for e in epochs]
    weights = [[weight / sum(row) for weight in row] for row in weights]
    smoothed = [
        [sum(w * row[n] for w, row in zip(line, rows, strict=True)) for n in range(len(rows[0]))] for line in weights
    ]
    curve = [mean(row) for row in smoothed]
    lowest = curve.index(min(curve))
    noise = Smoothing.over(history.epochs, sigma).noise(np.array([mean(row) for row in rows]))
    level = [
        min(curve[: i + 1]) if i < lowest else min(curve[i:]) for i in range(len(curve))
    ]  # falls to the minimum, rises from it
    random, minima, ends = np.random.default_rng(77), [], []
    for _ in range(4000):
        wobble = np.array(weights) @ random.normal(0, noise, len(epochs))
        minima.append(min(value + more for value, more in zip(level, wobble, strict=True)) - curve[lowest])
        ends.append(wobble[-1])
    return {
        "best": (smoothed[lowest], mean(minima), stdev(minima)),
        "last": (smoothed[-1], 0.0, stdev(ends)),
        "index": lowest,
    }


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_losses_against_a_slow_obvious_computation(paired: bool, seed: int) -> None:
    a = make_run(sample_losses(overfitting(EPOCHS, 8, 0.3), 0.02, seed=seed, size=60))
    b = make_run(sample_losses(learning(EPOCHS, 10), 0.04, seed=seed + (0 if paired else 50), size=60), seed=1)
    b = b if paired else other_probe(b)
    comparison = compare(a, b)
    assert comparison.same_probe == paired
    slow_a, slow_b = slow_moments(a, Thresholds().smoothing), slow_moments(b, Thresholds().smoothing)
    assert comparison.a.best
    assert comparison.a.best.epoch == EPOCHS[np.argmin(a.loss)]
    assert comparison.a.best.smoothed_loss == pytest.approx(mean(slow_a["best"][0]))
    for name, found in (("best", comparison.best_loss), ("last", comparison.last_loss)):
        (one, bias_a, spread_a), (other, bias_b, spread_b) = slow_a[name], slow_b[name]
        assert found is not None
        assert found.error is not None
        assert found.tested == pytest.approx(mean(other) - mean(one), rel=1e-9)
        if paired:
            sampling = stdev(y - x for x, y in zip(one, other, strict=True)) / len(one) ** 0.5
        else:
            sampling = (stdev(one) ** 2 / len(one) + stdev(other) ** 2 / len(other)) ** 0.5
        error = (sampling**2 + spread_a**2 + spread_b**2 + (bias_a - bias_b) ** 2) ** 0.5
        assert found.error == pytest.approx(error, rel=0.1)


@pytest.mark.parametrize("paired", [True, False])
def test_accuracies_against_a_slow_obvious_computation(paired: bool) -> None:
    losses = sample_losses(learning(EPOCHS, 8))
    a, b = make_run(losses, accuracy=0.5), make_run(losses, accuracy=0.55, seed=1)
    comparison = compare(a, b if paired else other_probe(b))
    labels = [n % 10 for n in range(SIZE)]
    right = [
        [float(p == label) for p, label in zip(each.columns["probe/sample_prediction"][-1], labels, strict=True)]
        for each in (a, b)
    ]
    found = comparison.last_accuracy
    assert found is not None
    assert found.error is not None
    assert found.p is not None
    assert found.value == pytest.approx(mean(right[1]) - mean(right[0]))
    error = stdev(y - x for x, y in zip(*right, strict=True)) / SIZE**0.5
    if not paired:
        error = sum(stdev(each) ** 2 / SIZE for each in right) ** 0.5
    assert found.error == pytest.approx(error)
    normal = np.random.default_rng(0).standard_normal(200_000)
    beyond = np.mean(np.abs(normal) * error >= abs(found.value) - 1 / SIZE)
    assert found.p == pytest.approx(beyond, abs=0.005)


def test_four_samples_that_only_one_run_has_right_are_no_proof() -> None:
    """Of four changes all go one way in one case of eight; of eight, in one of 128."""
    losses = sample_losses(learning(EPOCHS, 8))
    a, labels = make_run(losses, accuracy=0.5), np.arange(SIZE) % 10
    for count, better in ((4, None), (8, "B")):
        predictions = np.array(a.columns["probe/sample_prediction"])
        wrong = np.flatnonzero(predictions[-1] != labels)[:count]
        predictions[-1, wrong] = labels[wrong]
        found = compare(a, replace(a, columns={**a.columns, "probe/sample_prediction": predictions})).last_accuracy
        assert found is not None
        assert found.value == pytest.approx(count / SIZE)
        assert found.better == better


@pytest.mark.parametrize("rise", [0.0, 1.0])
def test_how_far_too_low_a_minimum_is_against_a_slow_obvious_computation(rise: float) -> None:
    epochs = np.arange(60)
    run = make_run(sample_losses(overfitting(epochs, 12, rise), 0.1, size=40), epochs=epochs, entropies={})
    best = best_and_last(run, Thresholds())[0]
    _, bias, spread = slow_moments(run, Thresholds().smoothing)["best"]
    assert best is not None
    assert best.loss.bias == pytest.approx(bias, abs=3 * spread / 200**0.5)
    assert best.loss.spread == pytest.approx(spread, rel=0.15)


@pytest.mark.parametrize(
    ("bias_a", "bias_b", "counts"),
    [
        (0.0, 0.0, 0.1),
        (-0.04, -0.04, 0.1),
        (0.0, -0.04, 0.06),  # B's minimum is too low
        (0.0, -0.3, 0.0),  # by more than it seems better
        (-0.3, 0.0, 0.1),  # A's is: B is not called better than it was seen to be
    ],
)
def test_what_a_correction_does_to_a_difference(bias_a: float, bias_b: float, counts: float) -> None:
    samples = np.random.default_rng(0).standard_normal((2, 400))
    samples -= samples.mean(1, keepdims=True)
    a = EpochEstimates(3, Estimate(1.0, samples[0], bias_a, 0.02), None)
    b = EpochEstimates(3, Estimate(0.9, samples[1], bias_b, 0.03), None)
    found = loss_difference(a, b, paired=False)
    assert found is not None
    error = sum(stdev(each) ** 2 / 400 for each in samples.tolist()) + 0.02**2 + 0.03**2 + (bias_a - bias_b) ** 2
    assert found.value == pytest.approx(-0.1)
    assert found.error == pytest.approx(error**0.5)
    assert found.p == pytest.approx(2 * NormalDist().cdf(-counts / error**0.5))
