from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.render import Screen
from tests.render.conftest import shown, with_training

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import History


def table(text: str) -> list[list[str]]:
    """The cells of the only table."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_a_row_a_layer_below_the_verdict(history: History) -> None:
    text = shown(history, "markdown")
    head, rule, *rows = table(text)
    assert text.startswith("**verdict: ")
    assert head[:4] == ["layer", "kind", "D", "state"]
    assert set(rule) == {"---", "---:"}
    assert [row[0] for row in rows] == ["conv1", "conv2", "fc1"]
    assert rows[2][7] == "25%"
    assert "- fc2: classifier" in text


def test_a_row_an_epoch(history: History) -> None:
    head, _, *rows = table(shown(history, "markdown", epochs=True))
    assert head == ["epoch", "loss", "accuracy", "conv1", "conv2", "fc1"]
    assert [row[0] for row in rows] == [str(epoch) for epoch in history.epochs]
    assert rows[0][1:4] == ["2.000", "10.0%", "3.47"]


def test_an_empty_cell_where_there_is_no_number(make: Callable[..., History]) -> None:
    nothing = make()
    for values in nothing.columns.values():
        values[:] = np.nan if values.dtype.kind == "f" else 0
    assert table(shown(nothing, "markdown"))[2][3:10] == [""] * 7
    assert len(table(shown(make(epochs=0), "markdown"))) == 5
    assert len(table(shown(make(epochs=0), "markdown", epochs=True))) == 2


@pytest.mark.parametrize("epochs", [False, True])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_no_text_is_markup(hostile: History, encoding: str, epochs: bool) -> None:
    text = shown(hostile, "markdown", epochs=epochs, screen=Screen(encoding=encoding))
    text.encode(encoding)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "<" not in text
    assert len({len(row) for row in table(text)}) == 1
    assert not re.search(r"(?<!\\)[\[@]", text)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("a|b", r"a\|b"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("![x](http://a)", r"\!\[x\](http\://a)"),
        ("a_b*c`d$e", r"a\_b\*c\`d\$e"),
        ("a\\|b", r"a\\\|b"),
    ],
)
def test_names_are_shown_letter_by_letter(make: Callable[..., History], name: str, cell: str) -> None:
    assert f"| {cell} | Conv2d |" in shown(make((name,)), "markdown")


def test_rows_of_epochs_have_the_gap_in_confidence_where_there_are_training_samples(history: History) -> None:
    assert "| epoch | loss | accuracy | conv1 |" in shown(history, "markdown", epochs=True)
    text = shown(with_training(history, confidence=0.75, gap=0.125), "markdown", epochs=True)
    assert "| epoch | loss | accuracy | confidence on training samples | gap | conv1 |" in text
    assert "| 0.750 | 0.125 |" in text


def test_a_row_an_epoch_has_the_calibration_where_it_was_measured(history: History) -> None:
    figures = {f"probe/{name}": np.full(12, 0.5) for name in ("temperature", "calibrated_loss")}
    figures["probe/temperature"][0] = np.nan
    more = dataclasses.replace(history, columns={**history.columns, **figures})
    head, _, first, second, *_ = table(shown(more, "markdown", epochs=True))
    assert head == ["epoch", "loss", "accuracy", "calibrated", "T", "conv1", "conv2", "fc1"]
    assert (first[3:5], second[3:5]) == (["0.500", ""], ["0.500", "0.50"])
