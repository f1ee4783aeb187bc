"""Where recipes come from: a file, TOML that a person edits, which this room alone knows; or the paper, by name."""

from collections.abc import Mapping
from pathlib import Path

from rfav_cli.errors import RecipeError
from rfav_cli.recipes.paper import named
from rfav_cli.recipes.reader import load, parse
from rfav_cli.recipes.writer import dump, is_ours
from rfav_cli.records import LayerRecipe, Recipe

__all__ = ["dump", "find", "is_ours", "load", "named", "parse"]


def find(source: Recipe | str | Path | Mapping[str, tuple[float, float]]) -> Recipe:
    """A recipe from whatever says one: itself, its file, "paper:" with a name of the paper's, or pairs (lambda, kappa).

    Raises:
        RecipeError: it cannot be read, or the paper has none of that name.
    """
    if isinstance(source, Recipe):
        return source
    if isinstance(source, Mapping):
        return _of_pairs(source)
    return named(str(source)) if str(source).startswith("paper:") else load(Path(source))


def _of_pairs(pairs: Mapping[str, tuple[float, float]]) -> Recipe:
    try:
        weights = [(name, float(lambda_), float(kappa)) for name, (lambda_, kappa) in pairs.items()]
    except (TypeError, ValueError):
        raise RecipeError("recipe: a layer has no pair of numbers", "Give {'conv4': (lambda, kappa)}.") from None
    layers = tuple(LayerRecipe(name, "", lambda_, kappa) for name, lambda_, kappa in weights)
    return Recipe("", "", "", None, None, None, layers)
