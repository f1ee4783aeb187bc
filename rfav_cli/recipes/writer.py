"""A `Recipe` to its file: commented TOML."""

from __future__ import annotations

import codecs
import hashlib
import textwrap
from typing import IO, TYPE_CHECKING

from rfav_cli.errors import RecipeError
from rfav_cli.recipes.schema import MARK, SCHEMA
from rfav_cli.text import printable, toml_string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import LayerRecipe, Recipe

WIDTH = 100
LONGEST = 2000
"""Characters of a comment."""

_MOST_BYTES = 2**24
"""Of a recipe of ours: what is longer is none."""
_SEAL = "# as written: "
"""What stands before the digest of all above it, in the last line."""
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
    content = _HEAD + "\n".join(lines) + "\n"
    return f"{content}{_SEAL}{_digest(content.encode())}\n"


def is_ours(file: IO[bytes]) -> bool:
    """Whether a file is a recipe as we wrote it; one that was edited by hand is not, so that no edits are lost."""
    read = file.read(_MOST_BYTES).removeprefix(codecs.BOM_UTF8)  # of an editor, who changed nothing else
    content, seal, digest = read.rpartition(_SEAL.encode())
    return bool(seal) and content.startswith(MARK.encode()) and digest.strip() == _digest(content).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()[:16]


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
