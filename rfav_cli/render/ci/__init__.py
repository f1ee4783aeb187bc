"""The formats of `rfav check`: a new one is one new file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import IO, TYPE_CHECKING

from rfav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import CheckReport
    from rfav_cli.render.base import Screen

CHECK_FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab", "markdown")
"""Stems of the files in this folder; each has `render(report, screen) -> str`, and `is_ours(file)`, of such a file."""


def render_check(report: CheckReport, output_format: str, screen: Screen) -> str:
    """What `rfav check` prints or writes.

    Args:
        report: what was found.
        output_format: a name in `CHECK_FORMATS`.
        screen: what the text is for; formats for programs don't depend on it.

    Raises:
        UsageError: there is no such format.
    """
    if output_format not in CHECK_FORMATS:
        raise UsageError(f"there is no format {output_format!r:.60}", f"Give one of: {', '.join(CHECK_FORMATS)}.")
    text: str = import_module(f"{__name__}.{output_format}").render(report, screen)
    return text


def mark_of(output_format: str) -> Callable[[IO[bytes]], bool]:
    """What tells a file that `render_check` gave the content of, by a name in `CHECK_FORMATS`."""
    is_ours: Callable[[IO[bytes]], bool] = import_module(f"{__name__}.{output_format}").is_ours
    return is_ours
