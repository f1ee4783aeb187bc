"""The kinds of trainings: their configurations, nets and regimes, and how calls on them are counted."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from benchmarks.detection.configurations import FIRST, Configuration, split
from benchmarks.detection.families import by_family, confusion, left_out, outcome_of
from benchmarks.detection.judges import LATEST, Call, most_changed
from benchmarks.detection.recorded import ALL, records
from benchmarks.detection.regimes import Average, imbalanced, kill, make_net, mixed_loss, model_spec, rate_factor
from benchmarks.detection.train import evaluate, shrunk, to_input
from benchmarks.detection.truth import Truth
from rfav_cli.diagnosis.track_record import TrackRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

HEALTHY, ILL = Truth("healthy"), Truth("overfitting", "lost knowledge", 7, 0.5)
BROKEN, LOST = Truth("broken", onset=3), Truth("not learning")
FLAG, PASS, OPEN = Call(True, 7), Call(False), Call(False, silent=True, state="unclear")
SMALL = Configuration("cifar10", "mlp_gelu", 100, "adam", 20, size=16)
KINDS = [each for half in split() for each in half if each.family != FIRST]


def case(truth: Truth, family: str = "a", net: str = "lenet", **more: Any) -> Any:
    return SimpleNamespace(truth=truth, configuration=replace(SMALL, family=family, net=net), **more)


def test_each_half_has_each_kind() -> None:
    tuning, reporting = ([each.family for each in half] for half in split())
    assert set(tuning) == set(reporting)
    assert len(set(tuning)) == 18
    assert len(KINDS) == 68
    assert all(abs(tuning.count(family) - reporting.count(family)) <= 1 for family in set(tuning))


@pytest.mark.parametrize("net", sorted({each.net for each in KINDS}))
def test_nets_take_images_of_their_size(net: str) -> None:
    configuration = replace(SMALL, net=net, data="cifar10-half")
    scores = make_net(configuration).eval()(torch.rand(2, 3, 16, 16))
    assert scores.shape == (2, 5)
    assert torch.isfinite(scores).all()
    name, arguments = model_spec(configuration)
    assert name in {f"zoo:{net}", f"benchmarks.detection.nets:{net}"}
    assert arguments == ["classes=5", "image_size=16"]


def test_learning_rates_follow_their_schedules() -> None:
    rates = {
        name: [rate_factor(replace(SMALL, schedule=name, epochs=30), epoch, 1) for epoch in range(30)]
        for name in ("constant", "cosine", "step", "restarts")
    }
    assert set(rates["constant"]) == {1.0}
    assert rates["cosine"][0] == 1.0
    assert rates["cosine"][15] == pytest.approx(0.5)
    assert np.all(np.diff(rates["cosine"]) < 0)
    assert [rates["step"][epoch] for epoch in (9, 10, 19, 20, 29)] == pytest.approx([1, 0.1, 0.1, 0.01, 0.01])
    assert rates["restarts"] == pytest.approx(rates["restarts"][:10] * 3)
    shocked = replace(SMALL, shock=100.0)
    assert [rate_factor(shocked, *at) for at in ((9, 0), (10, 0), (10, 1))] == [1.0, 100.0, 1.0]


def test_classes_shrink_evenly_where_they_are_out_of_balance() -> None:
    labels = np.arange(10_000) % 10
    counts = np.bincount(labels[imbalanced(labels, 10, 20.0, 2000)])
    assert counts[0] / counts[-1] == pytest.approx(20, rel=0.05)
    assert np.all(np.diff(counts) < 0)
    assert counts.sum() == pytest.approx(2000, abs=10)
    assert imbalanced(labels, 10, 1.0, 30).tolist() == list(range(30))


def test_a_dead_net_has_no_open_neuron_and_no_gradient_but_the_last_bias() -> None:
    net = make_net(replace(SMALL, net="lenet"))
    kill(net)
    images = to_input(torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8))
    functional.cross_entropy(net(images), torch.arange(8)).backward()
    moved = {name for name, each in net.named_parameters() if each.grad is not None and each.grad.abs().max() > 0}
    assert moved == {"fc3.bias"}


def test_images_are_mixed_with_their_labels() -> None:
    images, labels = torch.eye(4)[:, :, None, None], torch.arange(4)
    net = torch.nn.Flatten()
    rng = np.random.default_rng(5)
    share, order = float(rng.beta(1.0, 1.0)), torch.from_numpy(rng.permutation(4))
    mixed = share * torch.eye(4) + (1 - share) * torch.eye(4)[order]
    expected = functional.cross_entropy(mixed, share * torch.eye(4) + (1 - share) * torch.eye(4)[order])
    torch.testing.assert_close(mixed_loss(net, images, labels, 1.0, np.random.default_rng(5)), expected)


def test_an_average_moves_by_what_its_decay_leaves() -> None:
    net = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(net.weight)
    average = Average(net, 0.9)
    torch.nn.init.ones_(net.weight)
    average.update()
    assert average.net.weight.item() == pytest.approx(0.1)
    assert Average(net, 0.0).net is net


def test_pixels_become_the_mean_of_those_they_replace() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), np.uint8)
    small = shrunk(images, 16)
    assert small.dtype == np.uint8
    expected = images.reshape(2, 3, 16, 2, 16, 2).astype(float).mean((3, 5))
    assert np.abs(small - expected).max() <= 0.5
    assert shrunk(images, 32) is images


def test_figures_that_are_not_finite_are_left_out_of_json() -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16**2, 10))
    images, labels = torch.zeros(200, 3, 16, 16, dtype=torch.uint8), torch.arange(200) // 2 % 10
    found = evaluate(net, images, labels)
    assert found["accuracy"] == pytest.approx(0.1)
    assert found["calibrated_loss"] == pytest.approx(math.log(10), rel=0.02)
    torch.nn.init.constant_(net[1].weight, math.nan)
    assert evaluate(net, images, labels)["loss"] is None


@pytest.mark.parametrize(
    ("call", "truth", "expected"),
    [
        (FLAG, ILL, "right"),
        (PASS, HEALTHY, "right"),
        (FLAG, HEALTHY, "wrong"),
        (PASS, ILL, "wrong"),
        (OPEN, ILL, "open"),
        (PASS, BROKEN, "wrong"),
        (FLAG, LOST, "right"),
        (OPEN, LOST, "open"),
        (Call(False, silent=True, state="diverged"), BROKEN, "right"),
    ],
)
def test_a_call_is_right_wrong_or_open(call: Call, truth: Truth, expected: str) -> None:
    assert outcome_of(call, truth) == expected


def test_calls_are_counted_by_family() -> None:
    cases = [case(ILL), case(HEALTHY), case(BROKEN, "b")]
    first, second = by_family({"judge": [FLAG, OPEN, PASS]}, cases)
    assert (first["family"], first["overfitting"], first["healthy"], first["other"]) == ("a", 1, 1, 0)
    assert first["judges"] == {"judge": {"right": 1, "wrong": 0, "open": 1}}
    assert (second["other"], second["judges"]["judge"]["wrong"]) == (1, 1)


def test_states_are_held_against_true_ones() -> None:
    calls = [Call(True, 7, state="overfitting", kind="overconfidence"), Call(False, state="healthy"), OPEN]
    assert confusion(calls, [case(ILL), case(HEALTHY), case(HEALTHY)]) == {
        "overfitting: lost knowledge": {"overfitting: overconfidence": 1},
        "healthy": {"healthy": 1, "unclear": 1},
    }


def test_a_family_has_no_part_in_the_limit_that_it_is_judged_by() -> None:
    cases = [case(ILL, "a", value=1), case(HEALTHY, "a", value=2), case(ILL, "b", value=30)]

    def highest(some: Sequence[Any]) -> int:
        return int(max(each.value for each in some))

    found = left_out(highest, lambda limit: lambda each: Call(each.value < limit, 1), cases, cases)
    assert {name: row["limit"] for name, row in found["families"].items()} == {"a": 30, "b": 2}
    assert found["families"]["a"] == {"limit": 30, "right": 1, "wrong": 1, "open": 0}
    assert found["figures"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "false_alarms": 1, "healthy": 1}


def test_a_record_is_that_of_the_runs_of_a_make() -> None:
    cases = [case(ILL), case(HEALTHY), case(ILL, net="normnet-s"), case(BROKEN)]
    found = records(lambda each: Call(each.configuration.net == "lenet", 7), cases)
    assert found == {
        ALL: TrackRecord(1, 2, 1, 1),
        "plain": TrackRecord(1, 1, 1, 1),
        "normalised": TrackRecord(0, 1, 0, 0),
    }


def test_changes_are_held_against_what_is_unsure() -> None:
    rng = np.random.default_rng(3)
    predictions, confidences = rng.integers(0, 3, (6, 50)), rng.uniform(0.4, 1, (6, 50))
    columns = {"probe/sample_prediction": predictions, "probe/sample_confidence": confidences}
    epochs = np.arange(-1, 5)
    history = SimpleNamespace(columns=columns, epochs=epochs)
    found, values = most_changed.__wrapped__(case(ILL, history=history))
    assert found.tolist() == [0, 1, 2, 3, 4]
    ratios = []
    for earlier in range(1, 6):
        later = [row for row in range(6 - LATEST, 6) if row > earlier]
        each = [
            (predictions[earlier] != predictions[row]).mean()
            / ((1 - confidences[earlier]).mean() + (1 - confidences[row]).mean())
            for row in later
        ]
        ratios += [np.mean(each)] if each else []
    assert values[-1] == pytest.approx(max(ratios))
