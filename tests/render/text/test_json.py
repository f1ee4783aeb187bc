from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.render import Screen
from tests.render.conftest import HOSTILE, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import History


def load(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_whole_document(make: Callable[..., History]) -> None:
    document = load(shown(make(("conv1",), epochs=2), "json"))
    entropy = document["layers"][0].pop("entropy")
    assert entropy.pop("std") is None
    assert entropy.pop("perplexity") == pytest.approx(math.exp(math.log(32) / 2))
    assert entropy == pytest.approx(
        {
            "first": math.log(32),
            "last": math.log(32) / 2,
            "lowest": math.log(32) / 2,
            "max": math.log(32),
            "fraction": 0.5,
        }
    )
    assert document == {
        "schema": 1,
        "store": "rfav.h5",
        "run": {
            "state": "unknown",
            "kind": None,
            "onset": None,
            "at_or_before": None,
            "interval": None,
            "probability": None,
            "confidence": None,
            "basis": "",
            "reason": document["run"]["reason"],
            "figures": document["run"]["figures"],
        },
        "advice": document["advice"],
        "doubts": [],
        "layers": [
            {
                "name": "conv1",
                "kind": "Conv2d",
                "channels": 32,
                "state": None,
                "onset": None,
                "at_or_before": None,
                "interval": None,
                "confidence": None,
                "fall": {"nats": None, "fraction": None, "scale": None, "shape": None},
                "evidence": document["layers"][0]["evidence"],
                "filters": [],
                "correlation": {"mean": -0.012, "abs_mean": 0.125},
                "nonfinite": 0,
                "scale": None,
                "shape": {"last": None, "fraction": None},
                "rank": {"last": None, "fraction": None},
                "dead": None,
                "distance": None,
                "winners": {"count": None, "top": []},
            }
        ],
        "skipped": [{"name": "fc2", "reason": "classifier"}],
        "bad": [],
        "epochs": [
            {
                "epoch": -1,
                "loss": 2.0,
                "accuracy": 0.1,
                "figure": None,
                "confidence": None,
                "temperature": None,
                "calibrated_loss": None,
                "calibration_error": None,
                "calibrated_error": None,
                "nonfinite": 0,
                "distance": None,
                "checkpoint": "run/epoch_-1.pt",
            },
            {
                "epoch": 0,
                "loss": 2.0,
                "accuracy": 0.6,
                "figure": None,
                "confidence": None,
                "temperature": None,
                "calibrated_loss": None,
                "calibration_error": None,
                "calibrated_error": None,
                "nonfinite": 0,
                "distance": None,
                "checkpoint": "run/epoch_0.pt",
            },
        ],
        "probe": {
            "size": 1000,
            "sha256": "ab" * 32,
            "source": "probe.npz",
            "labels": True,
            "task": "classes",
            "loss": "held-out loss",
            "figure": "accuracy",
            "inputs": [],
            "padding": "",
        },
        "train_probe": None,
        "settings": {
            "with_bias": False,
            "centering": "pearson",
            "fold_norm": True,
            "model": "",
            "output": "",
            "maps": 32,
            "outputs": True,
            "weights": "",
            "unit": "epoch",
            "task": "",
            "loss": "cross-entropy",
        },
    }


def test_not_a_number_is_null(history: History) -> None:
    for name, value in (("entropy/mean", np.nan), ("correlation/mean", np.inf), ("probe/loss", -np.inf)):
        history.columns[name][:] = value
    document = load(shown(history, "json"))
    assert document["layers"][0]["entropy"] == {
        "first": None,
        "last": None,
        "lowest": None,
        "max": pytest.approx(math.log(32)),
        "fraction": None,
        "perplexity": None,
        "std": None,
    }
    assert document["layers"][0]["correlation"] == {"mean": None, "abs_mean": 0.125}
    assert document["epochs"][0]["loss"] is None


def test_hostile_text_comes_back_unchanged_and_is_ascii(hostile: History) -> None:
    text = shown(hostile, "json", screen=Screen(colour=True))
    assert text.isascii()
    assert "\x1b" not in text
    document = load(text)
    assert document["layers"][0]["name"] == document["bad"][0]["path"] == HOSTILE


def test_rendering_leaves_the_history_as_it_was(make: Callable[..., History]) -> None:
    history, same = make(("a",), channels=(1,)), make(("a",), channels=(1,))
    shown(history, "json")
    for name, values in same.columns.items():
        np.testing.assert_array_equal(history.columns[name], values)
