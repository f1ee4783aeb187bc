"""Columns that rfav does not know are shown under names that take no others' place."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.render.columns import MOST
from tests.render.conftest import shown

if TYPE_CHECKING:
    from rfav_cli.records import History


def document(history: History, **columns: np.ndarray) -> dict[str, Any]:
    renamed = {name.replace("__", "/"): values for name, values in columns.items()}
    whole = dataclasses.replace(history, columns={**history.columns, **renamed})
    return dict(json.loads(shown(whole, "json")))


def of_layers(history: History, **columns: np.ndarray) -> list[Any]:
    return [layer["columns"] for layer in document(history, **columns)["layers"]]


def test_a_number_an_epoch(history: History) -> None:
    epochs = document(history, state=np.arange(12), my__figure=np.where(np.arange(12) == 4, np.nan, 0.5))["epochs"]
    assert [epoch["columns"]["state"] for epoch in epochs] == list(range(12))
    assert [epoch["columns"]["my/figure"] for epoch in epochs] == [None if i == 4 else 0.5 for i in range(12)]


def test_a_number_or_a_list_a_layer(history: History) -> None:
    row = np.arange(36).reshape(12, 3)
    lists = np.arange(72.0).reshape(12, 3, 2)
    lists[-1, 0, 0] = np.inf
    assert of_layers(history, row=row, my__lists=lists) == [
        {"row": 33, "my/lists": [None, 67.0]},
        {"row": 34, "my/lists": [68.0, 69.0]},
        {"row": 35, "my/lists": [70.0, 71.0]},
    ]


def test_a_column_for_each_layer_by_its_index(history: History) -> None:
    columns = {"my__list__0": np.ones((12, 2)), "my__list__2": np.full((12, 3), 2), "my__one__1": np.full(12, 0.5)}
    assert of_layers(history, **columns) == [
        {"my/list": [1.0, 1.0], "my/one": None},
        {"my/list": None, "my/one": 0.5},
        {"my/list": [2, 2, 2], "my/one": None},
    ]


def test_a_list_an_epoch_is_of_no_layer(history: History) -> None:
    whole = document(history, my__samples=np.ones((12, 5)), my__row__7=np.zeros((12, 2)))
    assert whole["epochs"][3]["columns"] == {"my/samples": [1.0] * 5, "my/row/7": [0.0, 0.0]}
    assert not any("columns" in layer for layer in whole["layers"])


@pytest.mark.parametrize("column", [np.zeros((12, 4, 5)), np.zeros((12, MOST + 1)), np.zeros((12, 3, 2, 2))])
def test_what_has_no_place_or_is_large_is_in_the_store_alone(history: History, column: np.ndarray) -> None:
    assert "columns" not in json.dumps(document(history, my__own=column))


def test_a_store_without_such_columns_has_no_such_key(history: History) -> None:
    assert "columns" not in json.dumps(document(history))


def test_they_are_in_csv(history: History) -> None:
    more = {"my/row": np.arange(36).reshape(12, 3), "my/list/1": np.full((12, 2), 0.5), "my/one": np.arange(12)}
    whole = dataclasses.replace(history, columns={**history.columns, **more})
    table = list(csv.DictReader(io.StringIO(shown(whole, "csv")), strict=True))
    assert [row["columns.my/row"] for row in table] == ["33", "34", "35"]
    assert [row["columns.my/list"] for row in table] == ["", "[0.5, 0.5]", ""]
    table = list(csv.DictReader(io.StringIO(shown(whole, "csv", epochs=True)), strict=True))
    assert [row["columns.my/one"] for row in table] == [str(epoch) for epoch in range(12)]
    assert all(row["entropy:fc1"] for row in table)


def test_a_store_without_epochs_is_shown(history: History) -> None:
    empty = {name: np.zeros((0, 3)) for name in ("my/row", "activation/dead", "activation/winners/0")}
    nothing = dataclasses.replace(history, checkpoints=(), columns=empty)
    layer = json.loads(shown(nothing, "json"))["layers"][0]
    assert (layer["dead"], layer["winners"]) == (None, {"count": None, "top": []})
