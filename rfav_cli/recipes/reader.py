"""A recipe's file to a `Recipe`; an error names each wrong key, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.errors import RecipeError, remedy_for
from rfav_cli.files import toml
from rfav_cli.files.regular import NotRegularError, open_regular
from rfav_cli.recipes.schema import LARGEST, problems
from rfav_cli.records import LayerRecipe, Recipe
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

MOST_ERRORS = 20
_GIVE = "Give a recipe that `rfav recommend --out` wrote."
_MEND = "Mend it, or write a new recipe."


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
        with open_regular(path) as file:
            data = file.read(LARGEST + 1)
    except NotRegularError as error:
        raise RecipeError(f"{path}: {error.strerror}", _GIVE) from None
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read ({what_it_says(error)})", remedy_for(error, _GIVE)) from None
    if len(data) > LARGEST:
        raise RecipeError(f"{path}: too large for a recipe (more than {LARGEST:,} bytes)", _GIVE)
    try:
        return toml.decoded(data)
    except toml.TomlError as error:
        raise RecipeError(f"{path}:{error.line}: {error}", "Save the file as UTF-8.") from None


def _tables(text: str, name: str) -> dict[str, Any]:
    """What TOML makes of a text."""
    try:
        return toml.tables(text)
    except toml.TomlError as error:
        where = name if error.line is None else f"{name}:{error.line}"
        raise RecipeError(f"{where}: {printable(error)}", _MEND) from None


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
            LayerRecipe(
                layer["name"],
                "",
                float(layer.get("lambda", 0)),
                float(layer.get("kappa", 0)),
                target=layer.get("target", "activation"),
            )
            for layer in table.get("layer", [])
        ),
        with_bias=table.get("with_bias", False),
        fold_norm=table.get("fold_norm", True),
        centering=table.get("centering", "pearson"),
        squared=table.get("squared", True),
    )
