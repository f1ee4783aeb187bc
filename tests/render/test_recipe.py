from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from rfav_cli.errors import RfavError
from rfav_cli.records import Advice, AdviceStep, Best, Gain, LayerRecipe, Recipe
from rfav_cli.render import RECIPE_FORMATS, Screen, render_recipe
from tests.render.conftest import HOSTILE

RECIPE = Recipe(
    rule="balanced",
    store="rfav.h5",
    digest="ab" * 32,
    rewind=11,
    checkpoint="run/epoch_011.pt",
    loss=3.1512,
    layers=(
        LayerRecipe("features.conv1", "correlated", 0.0, 1.0, None, 12.34, "filters correlated: 0.40 throughout"),
        LayerRecipe("features.block2.conv4", "collapsed, correlating", 0.001, 1.0, -0.1534, 1234.5, "fell by half"),
        LayerRecipe("fc1", "collapsed", 0.1, 0.0, -0.05, None, "entropy collapsed since epoch 12"),
    ),
    reason="likely overfitting since epoch 12",
)


def test_a_row_a_layer_then_why() -> None:
    lines = render_recipe(RECIPE, screen=Screen(100)).splitlines()
    assert lines[0] == "rfav.h5: likely overfitting since epoch 12"
    assert lines[2].split() == ["layer", "finding", "lambda", "kappa", "sparsity", "decorr"]
    assert lines[3].split() == ["features.conv1", "correlated", "-", "1", "-", "+12.3"]
    assert lines[4].split() == [
        "features.block2.conv4",
        "collapsed,",
        "correlating",
        "0.001",
        "1",
        "-0.153",
        "+1.23e+03",
    ]
    assert lines[5].split() == ["fc1", "collapsed", "0.1", "-", "-0.05", "-"]
    text = " ".join(" ".join(lines).split())
    assert "beside the held-out loss of 3.151 in the last epoch" in text
    assert "Rewind to epoch 11: run/epoch_011.pt" in text
    assert "fc1: entropy collapsed since epoch 12" in text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_it_fits_with_every_figure(width: int, encoding: str) -> None:
    text = render_recipe(RECIPE, screen=Screen(width, encoding=encoding))
    assert max(map(len, text.splitlines())) <= width
    for figure in ("0.001", "-0.153", "+1.23e+03", "+12.3", "collapsed since"):
        assert figure in " ".join(text.split())
    text.encode(encoding)


@pytest.mark.parametrize(("width", "shown"), [(76, True), (72, True), (70, False)])
def test_the_finding_gives_way_to_the_names_when_closing_up_is_not_enough(width: int, shown: bool) -> None:
    head = render_recipe(RECIPE, screen=Screen(width)).splitlines()[2]
    assert ("finding" in head) == shown


def test_without_labels_and_without_a_checkpoint_to_go_back_to() -> None:
    text = " ".join(render_recipe(replace(RECIPE, loss=None, rewind=None, checkpoint=None)).split())
    assert "held-out loss" not in text
    assert "Train anew from the start." in text


def test_nothing_to_do_is_one_sentence() -> None:
    recipe = replace(RECIPE, layers=(), rewind=None, checkpoint=None, reason="healthy, so there is nothing to do")
    assert render_recipe(recipe) == "rfav.h5: healthy, so there is nothing to do\n"


def test_doubts_of_the_verdict_stand_before_what_is_recommended() -> None:
    recipe = replace(RECIPE, doubts=("epoch 3: it looks wrong. Look.",))
    assert render_recipe(recipe, screen=Screen(100)).splitlines()[1] == "In doubt: epoch 3: it looks wrong. Look."
    assert json.loads(render_recipe(recipe, "json"))["doubts"] == ["epoch 3: it looks wrong. Look."]


def test_json_is_the_recipe() -> None:
    document = json.loads(render_recipe(RECIPE, "json"))
    assert list(document) == [
        *(
            "schema",
            "store",
            "digest",
            "rule",
            "reason",
            "doubts",
            "advice",
            "warning",
            "rewind",
            "rewind_by",
            "checkpoint",
            "loss",
        ),
        *("with_bias", "fold_norm", "centering", "squared", "layers"),
    ]
    assert (document["rewind"], document["checkpoint"], document["loss"]) == (11, "run/epoch_011.pt", 3.1512)
    assert document["layers"][1] == {
        "name": "features.block2.conv4",
        "finding": "collapsed, correlating",
        "target": "activation",
        "lambda": 0.001,
        "kappa": 1.0,
        "sparsity": -0.1534,
        "decorrelation": 1234.5,
        "why": "fell by half",
    }


ADVICE = Advice(
    best=(Best("accuracy", 12, "run/epoch_012.pt", 0.61, math.nan, True),),
    keep=12,
    keep_by="accuracy",
    temperature=None,
    steps=(
        AdviceStep("keep", f"Keep the checkpoint of epoch 12: {'more accurate ' * 8}."),
        AdviceStep(
            "retrain", "Train again.", "rfav recommend x", (Gain("even", "best accuracy", 0.1, 0, 0.2, 5, 15, "plain"),)
        ),
    ),
)


@pytest.mark.parametrize("width", [60, 80])
def test_what_to_do_comes_first_then_the_penalties(width: int) -> None:
    lines = render_recipe(replace(RECIPE, advice=ADVICE), screen=Screen(width)).splitlines()
    assert max(map(len, lines)) <= width
    at = lines.index("What to do")
    assert lines[at + 1].startswith("  1. Keep the checkpoint of epoch 12: more")
    assert lines[at + 2].startswith("     ")
    second = lines.index("  2. Train again.")
    assert lines[second + 1] == "     `rfav recommend x`"
    assert at < next(number for number, line in enumerate(lines) if line.startswith("layer"))


def test_a_warning_stands_above_penalties_that_are_not_advised() -> None:
    text = render_recipe(replace(RECIPE, warning="it lost on such nets"))
    assert text.index("Not advised: it lost on such nets") < text.index("layer ")
    assert json.loads(render_recipe(replace(RECIPE, warning="it lost"), "json"))["warning"] == "it lost"
    assert "Not advised" not in render_recipe(RECIPE)


def test_json_has_the_advice_without_nan() -> None:
    document = json.loads(render_recipe(replace(RECIPE, advice=ADVICE), "json"))["advice"]
    assert (document["keep"], document["keep_by"], document["temperature"]) == (12, "accuracy", None)
    assert document["best"] == [
        {
            "measure": "accuracy",
            "epoch": 12,
            "path": "run/epoch_012.pt",
            "value": 0.61,
            "last": None,
            "beyond_noise": True,
        }
    ]
    assert document["steps"][1]["gains"][0]["remedy"] == "even"
    assert json.loads(render_recipe(RECIPE, "json"))["advice"] is None


def test_a_rule_that_follows_says_that_lambda_is_where_it_starts() -> None:
    text = " ".join(render_recipe(replace(RECIPE, rule="adaptive")).split())
    assert "lambda by the rule 'adaptive': at first, then as the validation samples say" in text
    assert "at first" not in render_recipe(RECIPE)


@pytest.mark.parametrize("width", [40, 100])
def test_names_steer_no_terminal(width: int) -> None:
    layer = LayerRecipe(HOSTILE, "collapsed", 0.001, 0.0, -0.1, None, HOSTILE)
    recipe = replace(
        RECIPE, store=HOSTILE, checkpoint=HOSTILE, reason=HOSTILE, layers=(layer, layer), doubts=(HOSTILE,)
    )
    text = render_recipe(recipe, screen=Screen(width))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "[bold]" in text
    assert json.loads(render_recipe(recipe, "json"))["layers"][0]["name"] == HOSTILE


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(RfavError) as error:
        render_recipe(RECIPE, "csv")
    assert ", ".join(RECIPE_FORMATS) in error.value.remedy


def test_it_starts_again_at_another_checkpoint_than_is_kept_by_another_measure() -> None:
    advice = Advice((), 27, "accuracy", None, ())
    text = " ".join(render_recipe(replace(RECIPE, rewind_by="the lowest held-out loss", advice=advice)).split())
    assert f"Rewind to epoch {RECIPE.rewind} (the lowest held-out loss): " in text
    assert "another measure than the one above: epoch 27 is kept as it is by accuracy" in text
    same = replace(RECIPE, advice=replace(advice, keep=RECIPE.rewind))
    assert "another measure" not in " ".join(render_recipe(same).split())
