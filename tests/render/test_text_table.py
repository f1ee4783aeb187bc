"""Columns as wide as their cells."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rfav_cli.render.text_table import TextColumn, text_table


def test_a_column_is_as_wide_as_its_widest_text() -> None:
    assert TextColumn("D", ["1", "100"]).width == 3
    assert TextColumn("layer", ["a"]).width == 5
    assert TextColumn("a", ["漢字"]).width == 4  # two cells a character


def test_cells_stand_where_their_column_says_with_a_gap_between() -> None:
    columns = [TextColumn("layer", ["a", "conv1"], "left"), TextColumn("D", ["1", "100"])]
    file = io.StringIO()
    Console(file=file, width=40).print(text_table(columns, 2))
    assert [line.rstrip() for line in file.getvalue().splitlines()] == ["layer    D", "a        1", "conv1  100"]


def test_a_column_and_a_cell_have_their_styles() -> None:
    columns = [TextColumn("trend", ["x"], style="cyan"), TextColumn("state", ["collapsed"])]
    table = text_table(columns, 1, lambda cell: "red" if cell == "collapsed" else "")
    assert [column.style for column in table.columns] == ["cyan", ""]
    assert [next(iter(column.cells)).style for column in table.columns] == ["", "red"]


def test_columns_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        text_table([TextColumn("a", ["1"]), TextColumn("b", [])], 1)
