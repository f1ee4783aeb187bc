"""Options that a project sets in `[tool.rfav]` of its pyproject.toml."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import typer

from rfav_cli.text import what_it_says

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Takes(NamedTuple):
    """What an option takes: several values or one, and how the help calls it; a flag takes nothing."""

    several: bool
    what: str


def defaults_of_project(
    options: Mapping[str, Mapping[str, Takes]], start: Path | None = None
) -> dict[str, dict[str, Any]]:
    """The options of the nearest pyproject.toml, by command.

    A key of `[tool.rfav]` holds for every command that has the option; `[tool.rfav.COMMAND]` for that command alone. A
    name that stands for different things, such as `epochs`, can only be set for a command.

    Args:
        options: command -> its options by name, and what each takes.
        start: the folder to look from, upwards; the current one by default.

    Raises:
        typer.BadParameter: the file can't be read, a key is no option, or it is one of several meanings.
    """
    path = nearest_project(start or Path.cwd())
    if path is None:
        return {}
    table = _table(path)
    shared = {key: value for key, value in table.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    _refuse_unknown(f"{path}: [tool.rfav]", shared, set().union(*options.values()))
    _refuse_ambiguous(path, shared, options)
    _refuse_unknown(f"{path}: [tool.rfav.…]", tables, options, "command")
    defaults: dict[str, dict[str, Any]] = {}
    for name, known in options.items():
        own = tables.get(name, {})
        _refuse_unknown(f"{path}: [tool.rfav.{name}]", own, known)
        defaults[name] = {}
        for table, keys in (("[tool.rfav]", shared), (f"[tool.rfav.{name}]", own)):
            for key, value in keys.items():
                if takes := known.get(_parameter(key)):
                    _refuse_wrong_kind(f"{path}: {table} {key}", value, takes)
                    defaults[name][_parameter(key)] = _as_given(value, takes.several)
    return defaults


def _refuse_wrong_kind(where: str, value: Any, takes: Takes) -> None:
    """What no option takes, such as a date; the numbers and words of each option have readers of their own."""
    if not takes.what and not takes.several:
        if not isinstance(value, bool) and not (isinstance(value, str) and value):
            raise typer.BadParameter(f"{where}: {str(value)!r:.60} is neither true nor false")
        return
    entries = value if isinstance(value, list) else [value]
    plain = (str, int, float, dict) if takes.several else (str, int, float)
    for entry in entries:
        listed_bool = isinstance(entry, bool) and (takes.several or isinstance(value, list))
        if listed_bool or not isinstance(entry, plain):
            kind = "a table" if isinstance(entry, dict) else "a list" if isinstance(entry, list) else f"{entry!s:.60}"
            raise typer.BadParameter(f"{where}: {kind} is no {takes.what or 'value of it'}")


def _refuse_unknown(where: str, keys: Iterable[str], known: Iterable[str], kind: str = "option") -> None:
    names = set(known)
    for key in keys:
        if _parameter(key) not in names:
            raise typer.BadParameter(f"{where} has no {kind} {key!r}")


def _refuse_ambiguous(path: Path, keys: Iterable[str], options: Mapping[str, Mapping[str, Takes]]) -> None:
    for key in keys:
        taken = {name: known[_parameter(key)].what for name, known in options.items() if _parameter(key) in known}
        if len({*taken.values()}) > 1:
            meanings = ", ".join(f"[tool.rfav.{name}] ({what or 'a flag'})" for name, what in taken.items())
            raise typer.BadParameter(
                f"{path}: [tool.rfav] {key}: not the same in every command; set it in one of {meanings}"
            )


def nearest_project(start: Path) -> Path | None:
    """The pyproject.toml of a folder, or of the nearest above it that has one."""
    candidates = (folder / "pyproject.toml" for folder in (start, *start.parents))
    return next((path for path in candidates if path.is_file()), None)


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            table = tomllib.load(file).get("tool", {}).get("rfav", {})
    except (OSError, ValueError, AttributeError) as error:
        raise typer.BadParameter(f"{path}: {what_it_says(error)}") from None
    if not isinstance(table, dict):
        raise typer.BadParameter(f"{path}: [tool.rfav] is no table")
    return table


def _parameter(key: str) -> str:
    return key.replace("-", "_")


def _as_given(value: Any, several: bool) -> Any:
    """A value as the command line would have it, so that both are read by the same parser.

    A table of numbers is a list of KEY=NUMBER; the options that take other tables read them themselves.
    """
    if several and isinstance(value, dict) and all(isinstance(entry, (int, float)) for entry in value.values()):
        return [f"{key}={entry}" for key, entry in value.items()]
    if several:
        entries = value if isinstance(value, list) else [value]
        return [entry if isinstance(entry, dict) else str(entry) for entry in entries]
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value if isinstance(value, bool) else str(value)
