"""A recipe that says nothing of how it was measured is of the plain measurement."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from rfav_cli.diagnosis.recipe import lambda_by_rule
from rfav_cli.records import PENALISED, RULES, Layer, LayerRecipe, Recipe, Settings

PLAIN = Recipe("", "", "", None, None, None, (LayerRecipe("conv4", "", 0.001, 0.0),))


def test_it_is_measured_by_default_as_a_run_is() -> None:
    for name in ("with_bias", "fold_norm", "centering"):
        assert getattr(PLAIN, name) == getattr(Settings(), name)


def test_each_rule_weighs_a_layer_of_few_positions_in_its_own_way() -> None:
    weights = {rule: lambda_by_rule(Layer("fc", "Linear", 8, (8, 4), ()), rule) for rule in RULES}
    assert len(set(weights.values())) == len(RULES) == 4
    assert all(weight > 0 for weight in weights.values())


def test_lambda_is_of_activations_and_squares_are_summed_unless_it_says_otherwise() -> None:
    assert (PLAIN.layers[0].target, PLAIN.squared) == ("activation", True)
    assert PENALISED[0] == "activation"


def test_a_recipe_that_is_handed_on_is_not_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        PLAIN.layers[0].lambda_ = 1.0  # type: ignore[misc]
    assert hash(PLAIN) == hash(Recipe("", "", "", None, None, None, PLAIN.layers))
