"""`History._repr_html_`: what a notebook shows of a history."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

from tests.render.conftest import HOSTILE, make_history


class Reader(HTMLParser):
    """The tags and the text of a piece of HTML; fails where it is not well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")
        if tag != "polyline":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "polyline":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data


def test_a_row_a_layer() -> None:
    found = Reader(make_history(("conv1", "fc1"))._repr_html_())
    assert found.cells[:6] == ["conv1", "Conv2d", "32", "3.466", "2.310", "67%"]
    assert len(found.cells) == 14


def test_the_loss_is_said() -> None:
    assert "2.000 &rarr; 1.008 (epoch 4) &rarr; 2.000" in make_history()._repr_html_()
    assert "no held-out loss" in make_history(labels=False)._repr_html_()


@pytest.mark.parametrize("name", [HOSTILE, "<img src=x onerror=alert(1)>", "</script><b>", '" onload="x'])
def test_text_from_files_is_text(name: str) -> None:
    text = make_history((name,), path=name)._repr_html_()
    assert Reader(text).tags == {"div", "b", "table", "tr", "th", "td", "svg", "polyline"}
    assert all(character.isprintable() for character in text)


def test_no_epoch_one_channel_and_no_number() -> None:
    assert "no epochs" in make_history(epochs=0)._repr_html_()
    assert Reader(make_history(("a",), channels=(1,))._repr_html_()).cells[5:] == ["n/a", ""]
    history = make_history()
    history.columns["entropy/mean"][:] = np.nan  # type: ignore[index]
    assert Reader(history._repr_html_()).cells[3:6] == ["n/a"] * 3
