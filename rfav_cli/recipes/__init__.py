"""Where recipes come from: a file, TOML that a person edits, which this room alone knows; or the paper, by name."""

from pathlib import Path

from rfav_cli.recipes.paper import named
from rfav_cli.recipes.reader import load, parse
from rfav_cli.recipes.writer import dump, write
from rfav_cli.records import Recipe

__all__ = ["dump", "find", "load", "named", "parse", "write"]


def find(source: str | Path) -> Recipe:
    """The recipe of a file, or one of the paper's where the name begins with "paper:".

    Raises:
        RecipeError: it cannot be read, or the paper has none of that name.
    """
    return named(str(source)) if str(source).startswith("paper:") else load(Path(source))
