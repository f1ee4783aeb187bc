"""What is wrong with the tables of a recipe, each with its key."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.recipes.schema import LAYER, RUN, problems
from rfav_cli.text import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

RIGHT: dict[str, Any] = {
    "schema": 1,
    "rule": "even",
    "store": "rfav.h5",
    "store_digest": "ab" * 32,
    "rewind": -1,
    "checkpoint": "run/epoch_011.pt",
    "with_bias": False,
    "fold_norm": True,
    "centering": "paper",
    "squared": False,
    "layer": [{"name": "conv4", "lambda": 0.001, "target": "scores"}, {"name": "", "kappa": 1, "lambda": 0}],
}
EPOCH = "rewind must be an epoch, a whole number from -1 to 2147483647, not "
SCHEMA = "schema must be 1, the only one that this version of rfav reads, not "
DIGEST = "store_digest must be a SHA-256 of 64 hexadecimal digits, not "
KEYS = "schema, rule, store, store_digest, rewind, checkpoint, with_bias, fold_norm, centering, squared, layer"


def test_nothing_is_wrong_with_every_key_at_once_nor_with_the_least() -> None:
    assert RIGHT.keys() - {"layer"} == RUN.keys()
    assert {key for layer in RIGHT["layer"] for key in layer} == LAYER.keys()
    assert list(problems(RIGHT)) == []
    assert list(problems({"schema": 1})) == []
    assert list(problems({"schema": 1, "layer": []})) == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("schema", 2, f"{SCHEMA}2"),
        ("schema", True, f"{SCHEMA}true"),
        ("schema", 1.0, f"{SCHEMA}1.0"),
        ("rule", "bold", "rule must be one of adaptive, even, paper, balanced, not 'bold'"),
        ("rule", ["even"], "rule must be one of adaptive, even, paper, balanced, not ['even']"),
        ("store", "", "store must be a path, not ''"),
        ("store_digest", "AB" * 32, f"{DIGEST}{quoted('AB' * 32)}"),
        ("store_digest", "ab" * 31, f"{DIGEST}{quoted('ab' * 31)}"),
        ("rewind", 1.5, f"{EPOCH}1.5"),
        ("rewind", -2, f"{EPOCH}-2"),
        ("rewind", 2**31, f"{EPOCH}{2**31}"),
        ("rewind", True, f"{EPOCH}true"),
        ("rewind", datetime.date(1979, 5, 27), f"{EPOCH}1979-05-27"),
        ("checkpoint", 3, "checkpoint must be a path, not 3"),
        ("squared", 1, "squared must be true or false, not 1"),
        ("with_bias", "true", "with_bias must be true or false, not 'true'"),
        ("fold_norm", 1, "fold_norm must be true or false, not 1"),
        ("centering", "mean", "centering must be one of pearson, paper, not 'mean'"),
        ("layer", {"name": "conv4"}, "layer must be tables, each below a [[layer]], not {'name': 'conv4'}"),
        ("layer", "conv4", "layer must be tables, each below a [[layer]], not 'conv4'"),
        ("lambda", 1, "lambda belongs in a [[layer]]"),
        ("layers", [], f"layers is no key of a recipe; here can be {KEYS}"),
        ("a b\x1b", 1, f'"a b\\x1b" is no key of a recipe; here can be {KEYS}'),
    ],
)
def test_a_key_of_the_run(key: str, value: object, said: str) -> None:
    assert list(problems({**RIGHT, key: value})) == [said]


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"name": 3, "kappa": 1}, "layer[2].name must be a text, not 3"),
        ({"lambda": 1}, "layer[2].name is missing"),
        ({"name": "a"}, "layer[2] has neither lambda nor kappa"),
        ({"name": "conv4", "kappa": 0}, "layer[2].name: the layer 'conv4' is layer[0] already"),
        (
            {"name": "a", "kappa": 1, "lamda": 1},
            "layer[2].lamda is no key of a recipe; here can be name, target, lambda, kappa",
        ),
        (
            {"name": "a", "lambda": 1, "target": "logits"},
            "layer[2].target must be one of activation, scores, not 'logits'",
        ),
        ({"name": "a", "kappa": 1, "schema": 1}, "layer[2].schema belongs above the first [[layer]]"),
        (
            {"name": "a", "kappa": 1, "": 1},
            'layer[2]."" is no key of a recipe; here can be name, target, lambda, kappa',
        ),
        (["a", 1], "layer[2] must be a table, not ['a', 1]"),
        ("a", "layer[2] must be a table, not 'a'"),
    ],
)
def test_a_key_of_a_layer(layer: object, said: str) -> None:
    assert list(problems({**RIGHT, "layer": [*RIGHT["layer"], layer]})) == [said]


WEIGHTS = [-0.001, float("nan"), float("inf"), float("-inf"), True, "0.001", [0.001], 10**400, None]


@pytest.mark.parametrize("value", WEIGHTS, ids=[str(weight)[:9] for weight in WEIGHTS])
@pytest.mark.parametrize("key", ["lambda", "kappa"])
def test_a_weight_is_a_finite_number_from_0_on(key: str, value: object) -> None:
    (said,) = problems({"schema": 1, "layer": [{"name": "conv4", key: value}]})
    assert said.startswith(f"layer[0].{key} must be a finite number from 0 on, not ")


@pytest.mark.parametrize("value", [0, 0.0, 5e-324, 1.7976931348623157e308, 10**308])
def test_the_ends_of_a_weight_s_range_are_in_it(value: float) -> None:
    assert list(problems({"schema": 1, "layer": [{"name": "conv4", "lambda": value}]})) == []


def test_every_problem_comes_in_the_order_of_the_file_and_what_is_missing_last() -> None:
    table: Mapping[str, object] = {
        "rewind": "x",
        "layer": [{"kappa": -1}, {"name": 1, "lambda": -2}, {"name": "a", "kappa": 0}, {"name": "a", "kappa": 0}],
        "store": 0,
    }
    keys = [said.split()[0].rstrip(":") for said in problems(table)]
    expected = ["rewind", "layer[0].kappa", "layer[0].name", "layer[1].name", "layer[1].lambda", "layer[3].name"]
    assert keys == [*expected, "store", "schema"]


@pytest.mark.parametrize(
    "value",
    [16**5000, [[16**5000]], "\x1b[31m" * 100, {"\u202e": "\x00"}],
    ids=["large", "large within", "escapes", "table"],
)
def test_no_value_is_too_large_to_be_shown_or_steers_a_terminal(value: object) -> None:
    for said in problems({"schema": 1, "rewind": value, "layer": [{"name": value, "lambda": value}, value]}):
        assert said.isprintable()
        assert len(said) < 200
