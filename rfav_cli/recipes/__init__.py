"""The one place that knows the recipe's file: TOML that a person edits, `Recipe` in and out."""

from rfav_cli.recipes.reader import load, parse
from rfav_cli.recipes.writer import dump, write

__all__ = ["dump", "load", "parse", "write"]
