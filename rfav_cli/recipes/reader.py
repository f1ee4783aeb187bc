"""A recipe's file to a `Recipe`; an error names each wrong key, all at once."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import RecipeError, remedy_for
from rfav_cli.recipes.schema import LARGEST, problems
from rfav_cli.records import LayerRecipe, Recipe
from rfav_cli.text import printable, what_it_says

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

MOST_ERRORS = 20
DEEPEST = 100
"""Parts of a dotted key. A recipe needs two, and the time that Python's reader takes grows with their square."""

_GIVE = "Give a recipe that `rfav recommend --out` wrote."
_MEND = "Mend it, or write a new recipe."
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_TOO_DEEP = re.compile(rf"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{DEEPEST}}}""", re.ASCII)


def load(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: it can't be read, is no TOML, or says what cannot be; a line for each thing that is wrong.
    """
    return parse(_read(path), str(path))


def parse(text: str, name: str) -> Recipe:
    """The recipe that a text holds.

    Args:
        text: TOML.
        name: what errors call it.

    Raises:
        RecipeError: it is no TOML (said with the line, where that is known), or says what cannot be (with the key).
    """
    table = _tables(text, name)
    errors = [f"{name}: {problem}" for problem in problems(table)]
    if errors:
        first, *others = errors
        cut = [f"and {len(others) - MOST_ERRORS} more"] if len(others) > MOST_ERRORS else []
        raise RecipeError(first, "\n".join([*others[:MOST_ERRORS], *cut]))
    return _recipe(table)


def _read(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise RecipeError(f"{path}: is no file", _GIVE)
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({what_it_says(error)})", remedy_for(error, _GIVE)) from None
    if len(data) > LARGEST:
        raise RecipeError(f"{path}: too large for a recipe (more than {LARGEST:,} bytes)", _GIVE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecipeError(f"{path}:{line}: not UTF-8", "Save the file as UTF-8.") from None


def _tables(text: str, name: str) -> dict[str, Any]:
    """What TOML makes of a text."""
    too_deep = _TOO_DEEP.search(text)
    if too_deep:
        line = text.count("\n", 0, too_deep.start()) + 1
        raise RecipeError(f"{name}:{line}: a key of more than {DEEPEST} parts", _MEND)
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise RecipeError(f"{name}: nested too deeply", _MEND) from None
    except ValueError as error:  # an integer of thousands of digits is one without a line
        raise RecipeError(f"{name}{_message_with_line(str(error), text)}", _MEND) from None
    return table


def _message_with_line(message: str, text: str) -> str:
    """What tomllib has against a text, led by the line where it says one."""
    place = _AT.search(message)
    if place is None:
        return f": {printable(message)}"
    line = place[1] or text.rstrip().count("\n") + 1
    return f":{line}: {printable(message[: place.start()])}"


def _recipe(table: dict[str, Any]) -> Recipe:
    """The recipe of tables that have no problem."""
    return Recipe(
        rule=table.get("rule", ""),
        store=table.get("store", ""),
        digest=table.get("store_digest", ""),
        rewind=table.get("rewind"),
        checkpoint=table.get("checkpoint"),
        loss=None,
        layers=tuple(
            LayerRecipe(layer["name"], "", float(layer.get("lambda", 0)), float(layer.get("kappa", 0)))
            for layer in table.get("layer", [])
        ),
        with_bias=table.get("with_bias", False),
        fold_norm=table.get("fold_norm", True),
        centering=table.get("centering", "pearson"),
    )
