from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import pytest

from rfav_cli.render import Screen, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import History


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), strict=True))


def test_a_row_a_layer(history: History) -> None:
    table = rows(render(history, "csv"))
    assert [row["name"] for row in table] == ["conv1", "conv2", "fc1"]
    assert list(table[0]) == [
        "name",
        "kind",
        "channels",
        "entropy.first",
        "entropy.last",
        "entropy.lowest",
        "entropy.max",
        "entropy.fraction",
        "entropy.perplexity",
        "correlation.mean",
        "correlation.abs_mean",
    ]
    assert float(table[2]["entropy.fraction"]) == pytest.approx(0.25)
    assert table[0]["correlation.mean"] == "-0.012"


def test_a_row_an_epoch_has_every_layer(make: Callable[..., History]) -> None:
    names = tuple(f"conv{i}" for i in range(40))
    table = rows(render(make(names, epochs=3), "csv", epochs=True))
    assert list(table[0]) == ["epoch", "loss", "accuracy", "checkpoint", *(f"entropy:{name}" for name in names)]
    assert [row["epoch"] for row in table] == ["-1", "0", "1"]
    assert float(table[0]["entropy:conv39"]) == pytest.approx(math.log(32))


def test_an_empty_cell_where_there_is_no_number(make: Callable[..., History]) -> None:
    history = make(("a", "b"), channels=(1, 8), labels=False)
    assert rows(render(history, "csv"))[0]["entropy.last"] == ""
    row = rows(render(history, "csv", epochs=True))[0]
    assert (row["loss"], row["entropy:a"]) == ("", "")


def test_only_a_header_without_layers_or_epochs(make: Callable[..., History]) -> None:
    assert render(make(()), "csv").splitlines() == ["name,kind,channels"]
    assert render(make(epochs=0), "csv", epochs=True).count("\n") == 1


@pytest.mark.parametrize("epochs", [False, True])
def test_no_text_is_a_formula_or_a_control_character(hostile: History, epochs: bool) -> None:
    text = render(hostile, "csv", epochs=epochs, screen=Screen(encoding="ascii"))
    table = list(csv.reader(io.StringIO(text), strict=True))
    assert len({len(row) for row in table}) == 1
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    for cell in (cell for row in table for cell in row):
        assert cell[:1] not in {"=", "+", "-", "@"} or math.isfinite(float(cell))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1"])
def test_names_that_a_spreadsheet_would_run(make: Callable[..., History], name: str) -> None:
    assert rows(render(make((name,)), "csv"))[0]["name"].startswith("'")
