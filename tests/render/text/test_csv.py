from __future__ import annotations

import csv
import dataclasses
import io
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.render import Screen
from tests.render.conftest import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import History

COLUMNS = [
    "name",
    "kind",
    "channels",
    "state",
    "onset",
    "interval.low",
    "interval.high",
    "confidence",
    "fall.nats",
    "fall.fraction",
    "evidence",
    "filters",
    "entropy.first",
    "entropy.last",
    "entropy.lowest",
    "entropy.max",
    "entropy.fraction",
    "entropy.perplexity",
    "entropy.std",
    "correlation.mean",
    "correlation.abs_mean",
    "nonfinite",
    "scale",
    "shape.last",
    "shape.fraction",
    "rank.last",
    "rank.fraction",
    "dead",
    "distance",
    "winners.count",
    "winners.top",
]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), strict=True))


def test_a_row_a_layer(history: History) -> None:
    table = rows(shown(history, "csv"))
    assert [row["name"] for row in table] == ["conv1", "conv2", "fc1"]
    assert list(table[0]) == COLUMNS
    assert float(table[2]["entropy.fraction"]) == pytest.approx(0.25)
    assert table[0]["correlation.mean"] == "-0.012"


def test_a_layer_that_loses_entropy_has_its_finding(make: Callable[..., History]) -> None:
    stable, lost = rows(shown(make(("conv1", "fc1"), channels=(1, 32), epochs=30), "csv"))
    assert [stable[name] for name in COLUMNS[3:10]] == [""] * 7
    assert "one channel" in stable["evidence"]
    assert lost["state"] == "collapsed"
    assert int(lost["interval.low"]) <= int(lost["onset"]) <= int(lost["interval.high"])
    assert float(lost["fall.nats"]) == pytest.approx(float(lost["fall.fraction"]) * math.log(32))
    assert 0.5 <= float(lost["confidence"]) <= 1


def test_the_columns_are_the_same_whatever_the_values(make: Callable[..., History]) -> None:
    nothing = make()
    for values in nothing.columns.values():
        values[:] = np.nan if values.dtype.kind == "f" else 0
    histories = [make(epochs=30), make(epochs=0), make(epochs=1), make(labels=False), nothing]
    assert all(list(rows(shown(each, "csv"))[0]) == COLUMNS for each in histories)


def test_findings_on_filters_share_a_cell(history: History) -> None:
    histogram = np.zeros((12, 3, 201), np.uint32)
    histogram[-1, 1, 200] = 3
    degenerate = np.zeros((12, 3))
    degenerate[-1, 1] = 2
    more = {"correlation/histogram": histogram, "correlation/degenerate": degenerate}
    table = rows(shown(dataclasses.replace(history, columns={**history.columns, **more}), "csv"))
    assert [row["filters"].count("; ") for row in table] == [0, 1, 0]
    assert "2 of 32 filters" in table[1]["filters"]
    assert "3 pairs" in table[1]["filters"]
    assert table[0]["filters"] == ""


def test_a_row_an_epoch_has_every_layer(make: Callable[..., History]) -> None:
    names = tuple(f"conv{i}" for i in range(40))
    table = rows(shown(make(names, epochs=3), "csv", epochs=True))
    head = ["epoch", "loss", "accuracy", "nonfinite", "distance", "checkpoint"]
    assert list(table[0]) == [*head, *(f"entropy:{name}" for name in names)]
    assert (table[0]["nonfinite"], table[0]["checkpoint"]) == ("0", "run/epoch_-1.pt")
    assert [row["epoch"] for row in table] == ["-1", "0", "1"]
    assert float(table[0]["entropy:conv39"]) == pytest.approx(math.log(32))


def test_counts_what_is_not_finite(history: History) -> None:
    history.columns["nonfinite"][3] = (0, 5, 7)
    assert [row["nonfinite"] for row in rows(shown(history, "csv"))] == ["0", "5", "7"]
    assert rows(shown(history, "csv", epochs=True))[3]["nonfinite"] == "12"


def test_an_empty_cell_where_there_is_no_number(make: Callable[..., History]) -> None:
    history = make(("a", "b"), channels=(1, 8), labels=False)
    assert rows(shown(history, "csv"))[0]["entropy.last"] == ""
    row = rows(shown(history, "csv", epochs=True))[0]
    assert (row["loss"], row["entropy:a"]) == ("", "")


def test_only_a_header_without_layers_or_epochs(make: Callable[..., History]) -> None:
    assert shown(make(()), "csv").splitlines() == ["name,kind,channels"]
    assert shown(make(epochs=0), "csv", epochs=True).count("\n") == 1


@pytest.mark.parametrize("epochs", [False, True])
def test_no_text_is_a_formula_or_a_control_character(hostile: History, epochs: bool) -> None:
    text = shown(hostile, "csv", epochs=epochs, screen=Screen(encoding="ascii"))
    table = list(csv.reader(io.StringIO(text), strict=True))
    assert len({len(row) for row in table}) == 1
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    for cell in (cell for row in table for cell in row):
        assert cell[:1] not in {"=", "+", "-", "@"} or math.isfinite(float(cell))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1+1"])
def test_names_that_a_spreadsheet_would_run(make: Callable[..., History], name: str) -> None:
    assert rows(shown(make((name,)), "csv"))[0]["name"].startswith("'")
