"""Settings of rfav in a project's `pyproject.toml`: added to what is there, never in the place of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rfav_cli.errors import UsageError
from rfav_cli.text import printable, toml_string, what_it_says

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TABLE = "[tool.rfav]"


def table(settings: Mapping[str, str | Sequence[str]]) -> str:
    """The table of some settings, as TOML."""
    return "\n".join([TABLE, *(f"{key} = {_value(value)}" for key, value in settings.items())]) + "\n"


def with_settings(path: Path, settings: Mapping[str, str | Sequence[str]]) -> str:
    """What a `pyproject.toml` holds with the settings in it.

    Args:
        path: the file, which need not be there.
        settings: option -> value.

    Returns:
        Its text, with the settings; as it is where it has them already.

    Raises:
        UsageError: it cannot be read or is no TOML, or it has other settings of rfav already.
    """
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        tool = tomllib.loads(before).get("tool", {})
    except (OSError, ValueError) as error:
        raise UsageError(f"{printable(path)}: {what_it_says(error)}", "Put it right first.") from None
    own = tool.get("rfav") if isinstance(tool, dict) else None
    if isinstance(own, dict) and _plain(settings).items() <= own.items():
        return before
    if not isinstance(tool, dict) or "rfav" in tool:
        raise UsageError(
            f"{printable(path)}: has {TABLE} already, and it stays as it is",
            f"Change it by hand to: {'; '.join(table(settings).splitlines()[1:])}",
        )
    after = f"{before.rstrip()}\n\n{table(settings)}".lstrip()
    _check(path, after, settings)
    return after


def changed(path: Path, settings: Mapping[str, str | Sequence[str]]) -> dict[Path, str]:
    """The file and what it is to hold, with the settings in it; nothing where it has them already.

    Raises:
        UsageError: see `with_settings`.
    """
    after = with_settings(path, settings)
    return {} if path.exists() and path.read_text(encoding="utf-8") == after else {path: after}


def _check(path: Path, text: str, settings: Mapping[str, str | Sequence[str]]) -> None:
    """Refuse to write what would not be read as it is meant, as below a table that is written on one line."""
    try:
        read = tomllib.loads(text)["tool"]["rfav"]
    except (ValueError, KeyError, TypeError):
        read = None
    if read != _plain(settings):
        raise UsageError(
            f"{printable(path)}: {TABLE} cannot be added at its end", f"Add it by hand:\n{table(settings)}"
        )


def _plain(settings: Mapping[str, str | Sequence[str]]) -> dict[str, str | list[str]]:
    """Settings as they are read from TOML."""
    return {key: value if isinstance(value, str) else list(value) for key, value in settings.items()}


def _value(value: str | Sequence[str]) -> str:
    return toml_string(value) if isinstance(value, str) else f"[{', '.join(map(toml_string, value))}]"
