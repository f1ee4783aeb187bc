"""A recipe's file to a `Recipe`; whatever is wrong with it is said with its line, all at once."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import RecipeError
from rfav_cli.recipes.schema import LARGEST, LAYER, RUN, SCHEMA
from rfav_cli.records import LayerRecipe, Recipe
from rfav_cli.text import printable, what_it_says

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

MOST_ERRORS = 20
_GIVE = "Give a recipe that `rfav recommend --out` wrote."
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: it can't be read, or says what cannot be; a line for each thing that is wrong, with its line.
    """
    return parse(_read(path), str(path))


def parse(text: str, name: str) -> Recipe:
    """The recipe that a text holds.

    Args:
        text: TOML.
        name: what errors call it.

    Raises:
        RecipeError: as for `load`.
    """
    text = text.replace("\r\n", "\n")
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{name}:{_where_not_toml(error, text)}", "Mend it, or write a new recipe.") from None
    said = _Said()
    for line, statement in enumerate(text.split("\n"), start=1):
        table = _toml(statement)
        if table is None:  # the whole is TOML, this line alone is not
            said.errors.append((line, "a value goes on over several lines; each must stand on one"))
            break
        said.take(line, statement, table)
    else:
        said.look_for_what_is_missing()
    if said.errors:
        raise _error(name, said.errors)
    return said.recipe()


def _read(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise RecipeError(f"{path}: is no file", _GIVE)
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({what_it_says(error)})", _GIVE) from None
    if len(data) > LARGEST:
        raise RecipeError(f"{path}: too large for a recipe (more than {LARGEST:,} bytes)", _GIVE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecipeError(f"{path}:{line}: not UTF-8", "Save the file as UTF-8.") from None


def _where_not_toml(error: Exception, text: str) -> str:
    """The line and what TOML has against it; Python's own limits come without a line."""
    message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    found = _AT.search(message)
    if found:
        return f"{found[1] or text.rstrip().count(chr(10)) + 1}: {message[: found.start()]}"
    lines = (number for number, line in enumerate(text.split("\n"), start=1) if _is_beyond_python(line))
    return f"{next(lines, '')}: {message}"


def _toml(text: str) -> dict[str, Any] | None:
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    return table


def _is_beyond_python(text: str) -> bool:
    try:
        _toml(text)
    except (ValueError, RecursionError):
        return True
    return False


def _error(name: str, errors: list[tuple[int, str]]) -> RecipeError:
    first, *more = (f"{name}:{line}: {what}" for line, what in sorted(errors))
    left = [f"and {len(more) - MOST_ERRORS} more"] if len(more) > MOST_ERRORS else []
    return RecipeError(first, "\n".join([*more[:MOST_ERRORS], *left]))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return printable(repr(value), 60)
    except ValueError:  # Python does not print integers of thousands of digits
        return "this number"


class _Said:
    """What a file says, taken in line by line, and what is wrong with it as (line, words)."""

    def __init__(self) -> None:
        self.errors: list[tuple[int, str]] = []
        self._run: dict[str, Any] = {}
        self._layers: list[tuple[int, dict[str, Any]]] = []
        self._names: dict[str, int] = {}
        self._into: dict[str, Any] | None = self._run

    def take(self, line: int, statement: str, table: dict[str, Any]) -> None:
        """Read one line.

        Args:
            line: its number.
            statement: the line.
            table: what TOML makes of the line alone.
        """
        if not statement.lstrip().startswith("["):
            for key, value in table.items() if self._into is not None else ():
                self._set(line, key, value)
        elif table == {"layer": [{}]}:
            self._into = {}
            self._layers.append((line, self._into))
        else:
            self._into = None  # its keys are no errors of their own
            self.errors.append((line, f"there is no table {_shown(next(iter(table)))}; a layer begins with [[layer]]"))

    def _set(self, line: int, key: str, value: Any) -> None:
        """Keep a value, also a wrong one: it is not missing."""
        in_layer = self._into is not self._run
        known, others = (LAYER, RUN) if in_layer else (RUN, LAYER)
        if key not in known:
            place = "above the first [[layer]]" if in_layer else "below a [[layer]]"
            why = f"{key} belongs {place}" if key in others else f"there is no key {_shown(key)}"
            self.errors.append((line, f"{why}; here can be {', '.join(known)}{'' if in_layer else ', then [[layer]]'}"))
            return
        problem = known[key](value)
        if problem:
            self.errors.append((line, f"{key} {problem}, not {_shown(value)}"))
        elif key == "name" and (before := self._names.setdefault(value, line)) != line:
            self.errors.append((line, f"the layer {_shown(value)} is in line {before} already"))
        if self._into is not None:
            self._into[key] = value

    def look_for_what_is_missing(self) -> None:
        """To be called when the whole file was read."""
        if "schema" not in self._run:
            self.errors.append((1, f"schema is missing; it must be {SCHEMA}"))
        for line, table in self._layers:
            if "name" not in table:
                self.errors.append((line, "a layer without name"))
            if not {"lambda", "kappa"} & table.keys():
                self.errors.append((line, "a layer without lambda and kappa"))

    def recipe(self) -> Recipe:
        """What the file says, when nothing is wrong with it."""
        run = self._run
        return Recipe(
            rule=run.get("rule", ""),
            store=run.get("store", ""),
            digest=run.get("store_digest", ""),
            rewind=run.get("rewind"),
            checkpoint=run.get("checkpoint"),
            loss=None,
            layers=tuple(
                LayerRecipe(table["name"], "", float(table.get("lambda", 0)), float(table.get("kappa", 0)))
                for _, table in self._layers
            ),
            with_bias=run.get("with_bias", False),
            fold_norm=run.get("fold_norm", False),
            centering=run.get("centering", "pearson"),
        )
