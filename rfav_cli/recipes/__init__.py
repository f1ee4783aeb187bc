"""Where recipes come from: a file, TOML that a person edits, which this room alone knows; or the paper, by name."""

from rfav_cli.recipes.paper import named
from rfav_cli.recipes.reader import load, parse
from rfav_cli.recipes.writer import dump, write

__all__ = ["dump", "load", "named", "parse", "write"]
