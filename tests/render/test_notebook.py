"""What a notebook shows of a record."""

from __future__ import annotations

import dataclasses
import importlib
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import rfav_cli
from rfav_cli.diagnosis import judge
from rfav_cli.records import Advice, AdviceStep, Description, Doubt, Onset, RunFinding, Verdict
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


def drawn(record: Any) -> str:
    """What a notebook shows, once the product is there to draw it."""
    importlib.import_module("rfav_cli.commands")
    return str(record._repr_html_())


def test_a_row_a_layer() -> None:
    found = Reader(drawn(make_history(("conv1", "fc1"))))
    assert found.cells[:8] == ["conv1", "Conv2d", "32", "collapsed", "4", "3.466", "2.310", "67%"]
    assert len(found.cells) == 18


def test_doubts_are_listed_and_are_no_markup() -> None:
    doubt = Doubt("run", "epoch 3", HOSTILE, "<b>Look</b>", 1.0)
    verdict = dataclasses.replace(judge(make_history()), doubts=(doubt,))
    assert "li" in Reader(drawn(verdict)).tags
    assert "<b>Look" not in drawn(verdict)
    assert "In doubt" not in drawn(judge(make_history()))


def test_what_to_do_is_listed_and_is_no_markup() -> None:
    steps = (AdviceStep("keep", "Keep <b>it</b>."), AdviceStep("retrain", "Train.", f"rfav recommend {HOSTILE}"))
    run = RunFinding("overfitting", "why", kind="lost knowledge", onset=Onset(3, 3, 3, True), confidence=0.97)
    verdict = Verdict(run, (), advice=Advice((), 5, "accuracy", None, steps))
    text = drawn(verdict)
    assert {"ol", "li", "code"} <= Reader(text).tags
    assert "Keep &lt;b&gt;it" in text
    assert "<b>overfitting (lost knowledge) at or before epoch 3</b> (97% sure): why" in text
    assert "What to do" not in drawn(dataclasses.replace(verdict, advice=None))


def test_the_loss_is_said() -> None:
    assert "2.000 &rarr; 1.008 (epoch 4) &rarr; 2.000" in drawn(make_history())
    assert "no held-out loss" in drawn(make_history(labels=False))


@pytest.mark.parametrize("name", [HOSTILE, "<img src=x onerror=alert(1)>", "</script><b>", '" onload="x'])
def test_text_from_files_is_text(name: str) -> None:
    text = drawn(make_history((name,), path=name))
    assert Reader(text).tags <= {*("div", "b", "p", "ol", "li", "code", "table", "tr", "th", "td", "svg", "polyline")}
    assert all(character.isprintable() for character in text)


def test_no_epoch_one_channel_and_no_number() -> None:
    assert "no epochs" in drawn(make_history(epochs=0))
    assert Reader(drawn(make_history(("a",), channels=(1,)))).cells[7:] == ["n/a", ""]
    history = make_history()
    history.columns["entropy/mean"][:] = np.nan  # type: ignore[index]
    assert Reader(history._repr_html_()).cells[5:8] == ["n/a"] * 3


def test_the_verdict_is_said_of_a_history_and_of_a_description() -> None:
    history = make_history(("conv1", "fc1"))
    verdict = judge(history)
    for record in (history, Description(history, verdict, {}), verdict):
        text = drawn(record)
        assert f"<b>{verdict.run.state}" in text
        assert "collapsed" in text


def test_a_comparison_and_a_recipe_are_shown_as_their_tables() -> None:
    history = make_history(("conv1", "fc1"))
    for record in (rfav_cli.compare(history, history), rfav_cli.recommend(history)):
        text = drawn(record)
        assert text.startswith("<pre>")
        assert len(text.splitlines()) > 2


def test_the_last_loss_of_a_run_that_diverged_is_not_finite() -> None:
    history = make_history()
    np.asarray(history.columns["probe/loss"])[-2:] = np.nan
    assert "1.008 (epoch 4) &rarr; not finite" in drawn(history)
    assert "<b>diverged since epoch 9</b>" in drawn(judge(history))
