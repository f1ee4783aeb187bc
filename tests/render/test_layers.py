"""The layers of a net, as `rfav layers` prints them."""

from __future__ import annotations

import json

import pytest

from rfav_cli.errors import RfavError
from rfav_cli.records import Doubt, LayerList, ListedLayer, Subject
from rfav_cli.render import LAYER_LIST_FORMATS, Screen, render_layers

LAYERS = (
    ListedLayer("conv1", "Conv2d", (512, 3, 3, 3), 14336, 512, (32, 32), 1),
    ListedLayer("body.of.a.net.with.a.long.name.twice", "ConvTranspose2d", (512, 512, 3, 3), 2359808, 512, (64, 64), 2),
    ListedLayer("fc", "Linear", (10, 512), 5130, 10, (), 1, "classifier"),
    ListedLayer("a\x1b[31m\u202e", "Linear", (33, 512), 16929, reason="the forward does not reach it"),
    ListedLayer("lstm.weight_ih_l0", reason="its weights are used without the module"),
)
SUBJECT = Subject("probe.npz", 40, 10, None, None, ("conv1", "body"), "", (10,), True, "fc")
DOUBT = Doubt("output", "", "two outputs fit", "Name one.", 0.5)
LISTED = LayerList(LAYERS, SUBJECT, ("took all 40 samples",), (DOUBT,))


def test_a_row_a_layer_then_what_a_run_would_look_at() -> None:
    lines = render_layers(LISTED, screen=Screen(120)).splitlines()
    assert lines[0].split() == ["layer", "kind", "weight", "output", "parameters", "measured"]
    assert lines[1].split() == ["conv1", "Conv2d", "512x3x3x3", "512x32x32", "14,336", "yes"]
    assert lines[2].endswith("yes, used 2 times")
    assert lines[3].split() == ["fc", "Linear", "10x512", "10", "5,130", "classifier"]
    assert lines[-3] == "note: took all 40 samples"
    assert lines[-2] == "In doubt: two outputs fit. Name one."
    assert lines[-1].startswith("looked at 40 samples of probe.npz, 10 classes")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_it_fits_the_screen_and_steers_no_terminal(width: int) -> None:
    text = render_layers(LISTED, screen=Screen(width))
    assert max(map(len, text.splitlines())) <= max(width, 50)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert all(shape in text for shape in ("512x3x3x3", "512x64x64", "33x512"))
    assert "long.name.twice" in text or width == 40


def test_reasons_are_whole_on_a_narrow_screen() -> None:
    words = render_layers(LISTED, screen=Screen(60)).split()
    assert {*["the", "forward", "does", "not", "reach", "it"]} | {*["weights", "are", "used", "without"]} <= {*words}


def test_names_that_are_cut_are_still_told_apart() -> None:
    names = [f"encoder.lstm.weight_{part}h_l0_reverse" for part in "ih"]
    weights = tuple(ListedLayer(name, "", (), reason="its weights are used without the module") for name in names)
    lines = render_layers(LayerList((*weights, *LAYERS), SUBJECT), screen=Screen(60)).splitlines()
    assert len({line.split()[0] for line in lines[1:5] if line.strip()}) == len(lines[1:5])
    assert [any(f"{part}h_l0_reverse" in line for line in lines) for part in "ih"] == [True, True]


def test_without_a_probe_nothing_is_said_of_what_would_be_measured() -> None:
    listed = LayerList(tuple(ListedLayer(each.name, each.kind, each.weight_shape, 7) for each in LAYERS[:3]))
    lines = render_layers(listed, screen=Screen(100)).splitlines()
    assert lines[0].split() == ["layer", "kind", "weight", "parameters"]
    assert lines[-1] == "3 layers, 21 parameters; --probe shows which of them a run would measure"
    document = json.loads(render_layers(listed, "json"))
    assert document["subject"] is None
    assert [layer["measured"] for layer in document["layers"]] == [None] * 3


def test_json_has_all_of_it() -> None:
    document = json.loads(render_layers(LISTED, "json"))
    assert document["schema"] == 1
    assert document["layers"][1] == {
        "name": "body.of.a.net.with.a.long.name.twice",
        "kind": "ConvTranspose2d",
        "weight_shape": [512, 512, 3, 3],
        "parameters": 2359808,
        "channels": 512,
        "positions": [64, 64],
        "uses": 2,
        "reason": "",
        "measured": True,
    }
    assert [layer["measured"] for layer in document["layers"]] == [True, True, False, False, False]
    assert document["subject"]["classifier"] == "fc"
    assert document["doubts"][0]["words"] == "two outputs fit"
    assert document["notes"] == ["took all 40 samples"]


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(RfavError) as error:
        render_layers(LISTED, "csv")
    assert ", ".join(LAYER_LIST_FORMATS) in error.value.remedy
