"""Layers are told apart by colours while there are few, and by their depth when there are many."""

from __future__ import annotations

import pytest

import rfav_cli
from rfav_cli.render.drawing.layer_colours import layer_colours
from rfav_cli.render.drawing.page import COLOURS
from tests.render.figures.histories import KINDS


@pytest.mark.parametrize("count", [0, 1, len(COLOURS), len(COLOURS) + 1, 60])
def test_each_layer_has_a_colour_of_its_own(count: int) -> None:
    names = [f"layer{i}" for i in range(count)]
    colours = layer_colours(names)
    assert list(colours) == names
    assert len({str(colour) for colour in colours.values()}) == count


@pytest.mark.parametrize("figure", ["entropy", "scale"])
def test_of_many_layers_some_are_named_beside_a_bar(figure: str) -> None:
    *_, bar = rfav_cli.plot(KINDS["60 layers"], figure=figure).axes
    labels = [label.get_text() for label in bar.get_yticklabels()]
    assert (labels[0], labels[-1], len(labels)) == ("stage0.conv", "stage59.conv", 12)
