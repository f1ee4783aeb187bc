"""Each record that a command returns is drawn by what shows it."""

from __future__ import annotations

import pytest

import rfav_cli
from rfav_cli.commands.notebook import html
from rfav_cli.records import Note


@pytest.mark.parametrize("of", [rfav_cli.open_store, rfav_cli.show, rfav_cli.judge])
def test_a_run_is_drawn_with_its_verdict(judged, of):
    assert ["overfitting" in html(of(path)) for path in judged] == [True, False]
    assert of(judged[0])._repr_html_() == html(of(judged[0]))


def test_texts_of_comparisons_and_recipes_are_drawn_as_they_are_printed(judged):
    assert "conv2" in html(rfav_cli.compare(*judged))
    assert "fc1" in html(rfav_cli.recommend(judged[0]))


def test_what_has_no_drawing_is_its_own_repr_and_no_markup():
    assert "Note(text=&#x27;&lt;b&gt;&#x27;)" in html(Note("<b>"))
