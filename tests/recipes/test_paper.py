"""The paper's recipes by name."""

from __future__ import annotations

import pytest

from rfav_cli import nets, recipes
from rfav_cli.errors import RecipeError
from rfav_cli.recipes.paper import NAMED

LAMBDAS = {
    "paper:sr1": {"conv1", "conv2", "conv3", "conv4", "fc1"},
    "paper:sr2": {"conv3", "conv4", "fc1"},
    "paper:sr3": {"conv3", "conv4", "fc1"},
}


def test_the_weights_are_those_of_section_4() -> None:
    assert set(NAMED) == set(LAMBDAS)
    for name, sparse in LAMBDAS.items():
        layers = recipes.named(name).layers
        assert {layer.name: layer.lambda_ for layer in layers if layer.lambda_} == dict.fromkeys(sparse, 0.001)
        kappas = {layer.name: layer.kappa for layer in layers if layer.kappa}
        assert kappas == ({"conv1": 1.0} if name == "paper:sr3" else {})


@pytest.mark.parametrize("name", NAMED)
def test_the_layers_are_in_the_papers_nets_and_a_file_can_hold_them(name: str) -> None:
    for kind in ("vanillanet-s", "normnet-s", "dropnet-s"):
        names = dict(nets.ZOO[kind]().named_modules())
        assert all(layer.name in names for layer in recipes.named(name).layers)
    recipe = recipes.named(name)
    assert recipes.parse(recipes.dump(recipe), "recipe.toml").layers == recipe.layers


def test_an_unknown_name_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(RecipeError, match="paper:sr1, paper:sr2, paper:sr3"):
        recipes.named("paper:sr4\x1b")
