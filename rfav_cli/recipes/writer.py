"""A `Recipe` to its file: commented TOML that appears whole, in place of another recipe but of nothing else."""

from __future__ import annotations

import os
import textwrap
from contextlib import suppress
from typing import TYPE_CHECKING

from rfav_cli.atomic import write_whole
from rfav_cli.errors import RecipeError
from rfav_cli.recipes.reader import load
from rfav_cli.recipes.schema import MARK, SCHEMA
from rfav_cli.text import printable, toml_string, what_it_says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rfav_cli.records import LayerRecipe, Recipe

WIDTH = 100
LONGEST = 2000
"""Characters of a comment."""

_HEAD = f"""{MARK}: the penalties of another training. Edit what you like.
# lambda weighs the sparsity penalty (Eq. 5) of a layer, kappa the decorrelation penalty (Eq. 7); 0 is none.
# rule = "adaptive": after each epoch every lambda follows how much surer the net is on validation samples than right.
# target = "scores": lambda weighs the entropy of the predictions, which are the softmax of this classifier's output.
# squared: kappa weighs the squares of the correlations (true), or their signed sum, as Eq. 7 is printed (false).
"""


def dump(recipe: Recipe) -> str:
    """The recipe as TOML, with what it rests on in comments.

    Raises:
        RecipeError: a name or path is no Unicode, which TOML has no way to write.
    """
    doubts = [line for doubt in recipe.doubts for line in _comment(f"In doubt: {doubt}")]
    warning = [*_comment(f"Not advised: {recipe.warning}")] if recipe.warning else []
    lines = [*_comment(recipe.reason), *doubts, *warning, "", f"schema = {SCHEMA}"]
    texts = {"rule": recipe.rule, "store": recipe.store, "store_digest": recipe.digest}
    lines += [f"{key} = {_string(text)}" for key, text in texts.items() if text]
    if recipe.rewind is None:
        lines.append("# no rewind: the training starts anew")
    else:
        lines.append(f"rewind = {recipe.rewind}")
    if recipe.checkpoint:
        lines.append(f"checkpoint = {_string(recipe.checkpoint)}")
    if recipe.with_bias:
        lines.append("with_bias = true")
    if not recipe.fold_norm:
        lines.append("fold_norm = false")
    if recipe.centering != "pearson":
        lines.append(f"centering = {_string(recipe.centering)}")
    lines.append(f"squared = {str(recipe.squared).lower()}")
    for layer in recipe.layers:
        lines += ["", *_layer(layer, recipe.loss)]
    if not recipe.layers:
        lines += ["", "# no [[layer]]: no layer gets a penalty"]
    return _HEAD + "\n".join(lines) + "\n"


def write(recipe: Recipe, path: Path) -> None:
    """Write a recipe's file, at once or not at all; another recipe of this name is replaced.

    Raises:
        RecipeError: what is there is no recipe, or it can't be written; what is there stays as it is.
    """
    data = dump(recipe).encode()
    if os.path.lexists(path) and not _is_recipe(path):
        raise RecipeError(f"{path}: is there already and no recipe, so it stays as it is", "Choose another --out.")
    try:
        write_whole({path: [data]})
    except OSError as error:
        raise RecipeError(
            f"{path}: cannot be written ({what_it_says(error)})",
            "Make its folder writable, or choose another --out.",
        ) from None


def _is_recipe(path: Path) -> bool:
    """Whether we wrote the file, spoiled by hand or not, or it is a recipe that somebody else wrote."""
    if not path.is_file():
        return False
    with suppress(OSError), path.open("rb") as file:
        if file.read(len(MARK)) == MARK.encode():
            return True
    with suppress(RecipeError):
        load(path)
        return True
    return False


def _layer(layer: LayerRecipe, loss: float | None) -> Iterator[str]:
    yield from _comment(layer.why or layer.finding)
    sizes = {"sparsity": layer.sparsity, "decorrelation": layer.decorrelation}
    penalties = [f"{name} penalty {size:+.4g}" for name, size in sizes.items() if size is not None]
    if penalties:
        beside = "" if loss is None else f" beside a held-out loss of {loss:.4g}"
        yield from _comment(f"by the last figures: {', '.join(penalties)}{beside}")
    yield "[[layer]]"
    yield f"name = {_string(layer.name)}"
    if layer.target != "activation":
        yield f"target = {_string(layer.target)}"
    yield f"lambda = {_number(layer.lambda_)}"
    yield f"kappa = {_number(layer.kappa)}"


def _comment(text: str) -> Iterator[str]:
    """Lines of comment; no character of the text ends one."""
    for line in textwrap.wrap(printable(text, LONGEST), WIDTH - 2):
        yield f"# {line}"


def _string(text: str) -> str:
    try:
        return toml_string(text)
    except ValueError as error:
        raise RecipeError(
            f"{error} is in the store, so a recipe cannot hold it", "Rename it and analyze again."
        ) from None


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")
