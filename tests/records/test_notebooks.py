"""Records are drawn in a notebook by whoever said that it can draw, and by nobody before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rfav_cli.records import notebooks
from rfav_cli.records.notebooks import InNotebooks, draw_with

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = list(notebooks._DRAW)
    yield
    notebooks._DRAW[:] = before


@dataclass(frozen=True)
class Record(InNotebooks):
    name: str


def test_a_notebook_shows_a_record_in_its_plain_words_where_nothing_can_draw() -> None:
    notebooks._DRAW.clear()
    assert Record("a")._repr_html_() is None


def test_the_last_that_can_draw_does() -> None:
    draw_with(lambda record: "an earlier one")
    draw_with(lambda record: f"<b>{record!r}</b>")
    assert Record("a")._repr_html_() == "<b>Record(name='a')</b>"
    assert len(notebooks._DRAW) == 1
