"""Options that a project sets in `[tool.rfav]` of its pyproject.toml, and where in the repository they stand."""

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import typer

from rfav_cli.files import toml
from rfav_cli.files.regular import open_regular
from rfav_cli.options.field import FromProject
from rfav_cli.records import SourceLocation
from rfav_cli.text import printable, what_it_says

LARGEST = 1024 * 1024
"""Bytes of a pyproject.toml; the largest that projects have are a fifth of it."""
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_WORKFLOW = re.compile(r"[^/]+/[^/]+/([^@]+)@")


class Takes(NamedTuple):
    """What an option takes.

    Attributes:
        several: several values, or one.
        what: how the help calls it; empty for a flag, which takes nothing.
        from_project: see `Option.from_project`.
        typed: how it is typed, "--out"; empty where it is an argument.
    """

    several: bool
    what: str
    from_project: FromProject = "any"
    typed: str = ""


def defaults_of_project(
    options: Mapping[str, Mapping[str, Takes]], start: Path | None = None, command: str | None = None
) -> dict[str, dict[str, Any]]:
    """The options of the nearest pyproject.toml, by command.

    A key of `[tool.rfav]` holds for every command that has the option; `[tool.rfav.COMMAND]` for that command alone. A
    name that stands for different things, such as `epochs`, can only be set for a command. The file may be a
    stranger's: what runs code or writes outside of its folder is taken from the command line alone.

    Args:
        options: command -> its options by name, and what each takes.
        start: the folder to look from, upwards; the current one by default.
        command: the one that is run, whose places to write are looked at.

    Raises:
        typer.BadParameter: the file can't be read, a key is no option, it is one of several meanings, or it may not be
            set there.
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
    for name, options_of_command in options.items():
        own = tables.get(name, {})
        _refuse_unknown(f"{path}: [tool.rfav.{name}]", own, options_of_command)
        defaults[name] = {}
        for heading, keys in (("[tool.rfav]", shared), (f"[tool.rfav.{name}]", own)):
            for key, value in keys.items():
                if takes := options_of_command.get(_parameter(key)):
                    _refuse_wrong_kind(f"{path}: {heading} {key}", value, takes)
                    _refuse_what_is_typed(f"{path}: {heading} {key}", value, takes)
                    if name == command and takes.from_project == "inside":
                        _refuse_outside(path, f"{path}: {heading} {key}", value, takes)
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


def _refuse_what_is_typed(where: str, value: Any, takes: Takes) -> None:
    """What only the person at the keyboard can allow; that it is not allowed may be said anywhere."""
    if takes.from_project == "never" and value is not False:
        what = f" {takes.what}" if takes.what else ""
        raise typer.BadParameter(
            f"{where}: taken from the command line alone, since such a file may be a stranger's; "
            f"type {takes.typed}{what}"
        )


def _refuse_outside(path: Path, where: str, value: Any, takes: Takes) -> None:
    """A place to write that is not in the folder of the file, with all links followed.

    Of FORMAT:FILE the file counts, and an address of a remote file is none of its folder.
    """
    folder = path.parent.resolve()
    for entry in value if isinstance(value, list) else [value]:
        text = str(entry)
        for place in filter(None, (text, text.partition(":")[2])):
            if not _is_inside(folder, place):
                raise typer.BadParameter(
                    f"{where}: {printable(text)!r} is outside of {printable(folder)}, where the file may not have "
                    f"anything written; type {takes.typed or 'it'} {shlex.quote(printable(text))}"
                )


def _is_inside(folder: Path, place: str) -> bool:
    try:
        return Path(place).resolve().is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):  # no name of a place
        return False


def _refuse_unknown(where: str, keys: Iterable[str], names: Iterable[str], kind: str = "option") -> None:
    allowed = set(names)
    for key in keys:
        if _parameter(key) not in allowed:
            raise typer.BadParameter(f"{where} has no {kind} {key!r}")


def _refuse_ambiguous(path: Path, keys: Iterable[str], options: Mapping[str, Mapping[str, Takes]]) -> None:
    for key in keys:
        taken = {name: takes[_parameter(key)].what for name, takes in options.items() if _parameter(key) in takes}
        if len({*taken.values()}) > 1:
            meanings = ", ".join(f"[tool.rfav.{name}] ({what or 'a flag'})" for name, what in taken.items())
            raise typer.BadParameter(
                f"{path}: [tool.rfav] {key}: not the same in every command; set it in one of {meanings}"
            )


def nearest_project(start: Path) -> Path | None:
    """The pyproject.toml of a folder, or of the nearest above it that has one."""
    candidates = (folder / "pyproject.toml" for folder in (start, *start.parents))
    return next((path for path in candidates if os.path.lexists(path)), None)


def _table(path: Path) -> dict[str, Any]:
    try:
        table = toml.tables(_text(path)).get("tool", {})
    except toml.TomlError as error:
        where = path if error.line is None else f"{path}, line {error.line}"
        raise typer.BadParameter(f"{where}: {printable(error)}") from None
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {what_it_says(error)}") from None
    table = table.get("rfav", {}) if isinstance(table, dict) else None
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


def configured_at(
    command: str, start: Path | None = None, environment: Mapping[str, str] = os.environ
) -> SourceLocation:
    """The file that configures a command, relative to the top of the repository, and the lines of its keys.

    It is the pyproject.toml that sets anything; else the workflow that runs the command on GitHub; else the
    pyproject.toml that there is or may be.

    Args:
        command: its name.
        start: the folder to look from, upwards; the current one by default.
        environment: the variables of the environment.
    """
    start = (start or Path.cwd()).resolve()
    top = _top(start)
    project = nearest_project(start)
    lines = {} if project is None else lines_of_keys(_text_if_any(project), command)
    workflow = _WORKFLOW.match(environment.get("GITHUB_WORKFLOW_REF", ""))
    if not lines and workflow:
        return SourceLocation(workflow[1])
    if project is None or not project.is_relative_to(top):
        return SourceLocation()
    return SourceLocation(project.relative_to(top).as_posix(), lines)


def lines_of_keys(text: str, command: str) -> dict[str, int]:
    r"""Key -> its line in `[tool.rfav]` or `[tool.rfav.COMMAND]`, which wins; "" is where the table begins.

    >>> lines_of_keys("[tool.rfav]\n[tool.rfav.check]\nmin-accuracy = 0.5", "check")
    {'': 2, 'min-accuracy': 3}
    """
    shared: dict[str, int] = {}
    own: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("["):
            table = _dotted(line) or table
            path = table
        else:
            match = _KEY.match(line)
            path = (*table, *_dotted(f"{match[1]} = 0")) if match else ()
        if path[:3] == ("tool", "rfav", command):
            own.setdefault(_key(path[3:]), number)
            own.setdefault("", number)
        elif path[:2] == ("tool", "rfav"):
            shared.setdefault(_key(path[2:]), number)
    return shared | own


def _key(path: tuple[str, ...]) -> str:
    return path[0].replace("_", "-") if path else ""


def _dotted(line: str) -> tuple[str, ...]:
    """The parts of a table's or a key's name; nothing for what is none."""
    try:
        node: Any = toml.tables(line)
    except ValueError:
        return ()
    parts = []
    while isinstance(node, (dict, list)) and node:
        if isinstance(node, list):
            node = node[0]
        else:
            name, node = next(iter(node.items()))
            parts.append(name)
    return tuple(parts)


def _top(start: Path) -> Path:
    """The folder of the repository, or the one to look from."""
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)


def _text(path: Path) -> str:
    """What a file holds.

    Raises:
        OSError: it cannot be read, or is none.
        ValueError: it is too large, or no text.
    """
    with open_regular(path) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"too large for a project's settings (more than {LARGEST:,} bytes)")
    return toml.decoded(data)


def _text_if_any(path: Path) -> str:
    try:
        return _text(path)
    except (OSError, ValueError):
        return ""
