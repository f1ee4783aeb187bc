"""What the document says of layers, epochs and the verdict, and where it says nothing."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from tests.render.conftest import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import History


def load(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_verdict_is_in_the_document(make: Callable[..., History]) -> None:
    history = make(epochs=30)
    verdict = judge(history)
    document = load(shown(history, "json"))
    run, fc1 = document["run"], document["layers"][2]
    assert run["state"] == "overfitting"
    assert verdict.run.onset
    assert (run["onset"], run["interval"]) == (verdict.run.onset.epoch, [verdict.run.onset.low, verdict.run.onset.high])
    assert (run["basis"], run["confidence"], run["reason"]) == (
        verdict.run.basis,
        verdict.run.confidence,
        verdict.run.reason,
    )
    found = verdict.layers[2]
    assert found.onset
    assert (fc1["state"], fc1["onset"]) == ("collapsed", found.onset.epoch)
    assert fc1["interval"] == [found.onset.low, found.onset.high]
    assert fc1["fall"] == {"nats": found.fall, "fraction": found.fall_fraction}
    assert (fc1["confidence"], fc1["evidence"]) == (found.confidence, found.evidence)


def test_filters_are_listed_by_problem(history: History) -> None:
    degenerate = np.zeros((12, 3))
    degenerate[-1, 1] = 2
    more = {"correlation/histogram": np.zeros((12, 3, 201)), "correlation/degenerate": degenerate}
    layers = load(shown(dataclasses.replace(history, columns={**history.columns, **more}), "json"))["layers"]
    assert [[each["problem"] for each in layer["filters"]] for layer in layers] == [[], ["constant"], []]
    assert layers[1]["filters"][0]["count"] == 2
    assert layers[1]["filters"][0]["evidence"]


def test_what_is_not_finite_is_counted_by_layer_and_by_epoch(history: History) -> None:
    history.columns["nonfinite"][:] = np.arange(36).reshape(12, 3)
    document = load(shown(history, "json"))
    assert [layer["nonfinite"] for layer in document["layers"]] == [sum(range(i, 36, 3)) for i in range(3)]
    assert [epoch["nonfinite"] for epoch in document["epochs"]] == [9 * e + 3 for e in range(12)]


def test_counts_that_an_older_store_has_not_are_null(history: History) -> None:
    columns = {"entropy/mean": history.columns["entropy/mean"]}
    document = load(shown(dataclasses.replace(history, columns=columns), "json"))
    assert {part["nonfinite"] for part in document["layers"] + document["epochs"]} == {None}


def test_lowest_passes_over_nan(history: History) -> None:
    history.columns["entropy/mean"][:, 0] = [np.nan, 2.0, 0.25, *[1.0] * 8, np.nan]
    entropy = load(shown(history, "json"))["layers"][0]["entropy"]
    assert (entropy["first"], entropy["lowest"], entropy["last"]) == (None, 0.25, None)


def test_rounding_never_exceeds_the_maximum(history: History) -> None:
    history.columns["entropy/mean"][-1] = math.log(32) + 1e-7
    entropy = load(shown(history, "json"))["layers"][0]["entropy"]
    assert entropy["fraction"] == 1.0
    assert entropy["perplexity"] <= 32 + 1e-12


def test_one_channel_no_labels_no_epoch(make: Callable[..., History]) -> None:
    document = load(shown(make(("a",), channels=(1,), labels=False, epochs=1), "json"))
    assert document["layers"][0]["entropy"]["max"] == 0.0
    assert document["layers"][0]["entropy"]["fraction"] is None
    assert document["probe"]["labels"] is False
    assert load(shown(make(epochs=0), "json"))["epochs"] == []


def test_scale_shape_and_rank_are_the_last_epochs(history: History) -> None:
    channels = [layer.channels for layer in history.run.layers]
    scale, shape, rank = (np.full((12, 3), np.nan) for _ in range(3))
    scale[-1], shape[-1, :2], rank[-1, 1] = [0.5, 2, 3], np.log(channels[:2]) * [0.5, 1 + 1e-9], channels[1] / 4
    more = {"activation/scale": scale, "activation/shape": shape, "activation/rank": rank}
    layers = load(shown(dataclasses.replace(history, columns={**history.columns, **more}), "json"))["layers"]
    assert [layer["scale"] for layer in layers] == [0.5, 2, 3]
    assert [layer["shape"]["fraction"] for layer in layers] == [pytest.approx(0.5), 1.0, None]
    assert layers[0]["shape"]["last"] == pytest.approx(np.log(channels[0]) / 2)
    none = {"last": None, "fraction": None}
    assert [layer["rank"] for layer in layers] == [none, {"last": channels[1] / 4, "fraction": 0.25}, none]


def test_dead_filters_and_winners_are_the_last_epochs(history: History) -> None:
    winners = np.zeros((12, 32))
    winners[-1, [3, 7, 5]] = 0.5, 0.25, 0.25
    dead = np.full((12, 3), np.nan)
    dead[-1, 1] = 0.75
    more = {"activation/dead": dead, "activation/winners/0": winners}
    layers = load(shown(dataclasses.replace(history, columns={**history.columns, **more}), "json"))["layers"]
    assert [layer["dead"] for layer in layers] == [None, 0.75, None]
    assert layers[0]["winners"] == {
        "count": 3,
        "top": [{"filter": 3, "share": 0.5}, {"filter": 5, "share": 0.25}, {"filter": 7, "share": 0.25}],
    }
    assert layers[1]["winners"] == {"count": None, "top": []}


def test_of_many_winners_the_first_ten_are_named(history: History) -> None:
    column = np.full((12, 32), 1 / 32)
    columns = {**history.columns, "activation/winners/2": column}
    winners = load(shown(dataclasses.replace(history, columns=columns), "json"))["layers"][2]["winners"]
    assert winners["count"] == 32
    assert [each["filter"] for each in winners["top"]] == list(range(10))
