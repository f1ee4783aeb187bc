"""From a store to a recipe."""

from __future__ import annotations

import pytest

import rfav_cli
from rfav_cli import recipes
from rfav_cli.commands.recommend import prescribe
from rfav_cli.diagnosis.remedy_record import ADVISED
from rfav_cli.errors import RecipeError, UsageError
from rfav_cli.options import Recommend, Thresholds
from rfav_cli.records import Settings
from rfav_cli.store import StoreWriter
from tests.commands.judged import write_judged
from tests.store.example import make_run


def test_what_is_returned_is_what_is_written(judged, tmp_path):
    recipe = rfav_cli.recommend(judged[0], out=tmp_path / "recipe.toml")
    assert [layer.name for layer in recipe.layers] == ["conv2", "fc1"]
    written = recipes.load(tmp_path / "recipe.toml").layers
    assert [(layer.name, layer.lambda_) for layer in written] == [
        (layer.name, layer.lambda_) for layer in recipe.layers
    ]
    assert rfav_cli.recommend(rfav_cli.open_store(judged[0])) == recipe


def test_the_rule_that_is_advised_is_taken_by_default(judged, unknown_net):
    assert rfav_cli.recommend(judged[0]).rule == ADVISED
    assert rfav_cli.recommend(unknown_net).rule == "adaptive"


def test_a_healthy_run_gets_no_layers(judged):
    assert rfav_cli.recommend(judged[1]).layers == ()


def test_the_recipe_is_part_of_the_advice(judged):
    for path in judged:
        recipe = rfav_cli.recommend(path)
        assert recipe.advice.keep == 23
        assert bool(recipe.layers) == ("retrain" in {step.kind for step in recipe.advice.steps})
        assert recipe.warning == ""


@pytest.fixture(scope="module")
def unknown_net(tmp_path_factory):
    """The store of a program that overfits: whether its net has a normalisation is not known."""
    return write_judged(tmp_path_factory.mktemp("unknown"), overfits=True, settings=Settings())


def test_penalties_that_are_not_advised_are_left_out_and_nothing_is_written(unknown_net, tmp_path):
    recipe = rfav_cli.recommend(unknown_net, out=tmp_path / "recipe.toml")
    assert recipe.layers == ()
    assert "penalties are not advised" in recipe.reason
    assert not (tmp_path / "recipe.toml").exists()


def test_they_are_given_anyway_with_a_warning(unknown_net, tmp_path):
    recipe = rfav_cli.recommend(unknown_net, out=tmp_path / "recipe.toml", anyway=True)
    assert [layer.name for layer in recipe.layers] == ["conv2", "fc1"]
    assert "normalisation" in recipe.warning
    assert "Not advised" in (tmp_path / "recipe.toml").read_text()


def test_rule_and_thresholds_are_heeded(judged):
    history = rfav_cli.open_store(judged[0])
    even, balanced = (prescribe(history, Recommend(rule=rule), Thresholds()) for rule in ("even", "balanced"))
    assert [layer.lambda_ for layer in even.layers] != [layer.lambda_ for layer in balanced.layers]
    assert prescribe(history, Recommend(rule="even"), Thresholds(rise=100.0)) != even
    with pytest.raises(UsageError, match="golden"):
        rfav_cli.recommend(judged[0], rule="golden")


def test_a_run_of_which_nothing_can_be_said_has_no_recipe(tmp_path):
    StoreWriter.open(tmp_path / "rfav.h5", make_run())
    with pytest.raises(RecipeError, match=r"rfav\.h5") as caught:
        rfav_cli.recommend(tmp_path / "rfav.h5")
    assert "rfav show" in caught.value.remedy
