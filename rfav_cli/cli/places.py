"""Where in the repository a command is configured, for formats that point at a file."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from rfav_cli.cli.config import nearest_project
from rfav_cli.records import Place

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_WORKFLOW = re.compile(r"[^/]+/[^/]+/([^@]+)@")


def configured_at(command: str, start: Path | None = None, environment: Mapping[str, str] = os.environ) -> Place:
    """The file that configures a command, relative to the top of the repository, and the lines of its keys.

    It is the pyproject.toml that sets anything; else the workflow that runs the command on GitHub; else the
    pyproject.toml that there is or may be.

    Args:
        command: its name.
        start: the folder to look from, upwards; the current one by default.
        environment: of the process.
    """
    start = (start or Path.cwd()).resolve()
    top = _top(start)
    project = nearest_project(start)
    lines = {} if project is None else lines_of_keys(_text(project), command)
    workflow = _WORKFLOW.match(environment.get("GITHUB_WORKFLOW_REF", ""))
    if not lines and workflow:
        return Place(workflow[1])
    if project is None or not project.is_relative_to(top):
        return Place()
    return Place(project.relative_to(top).as_posix(), lines)


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
            table = _path(line) or table
            path = table
        else:
            found = _KEY.match(line)
            path = (*table, *_path(f"{found[1]} = 0")) if found else ()
        if path[:3] == ("tool", "rfav", command):
            own.setdefault(_key(path[3:]), number)
            own.setdefault("", number)
        elif path[:2] == ("tool", "rfav"):
            shared.setdefault(_key(path[2:]), number)
    return shared | own


def _key(path: tuple[str, ...]) -> str:
    return path[0].replace("_", "-") if path else ""


def _path(line: str) -> tuple[str, ...]:
    """The parts of a table's or a key's name; nothing for what is none."""
    try:
        node = tomllib.loads(line)
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
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
