"""The thresholds of the verdict as options of every command that judges."""

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from typing import Annotated, Any

import typer

from rfav_cli.errors import UsageError
from rfav_cli.thresholds import Thresholds

PANEL = "When something is flagged"


def with_thresholds(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for each threshold in place of its parameter `thresholds`."""
    own = inspect.signature(command)
    kept = [each for each in own.parameters.values() if each.name != "thresholds"]

    @wraps(command)
    def judging(**options: Any) -> Any:
        chosen = {each.name: options.pop(each.name) for each in fields(Thresholds)}
        return command(**options, thresholds=Thresholds(**chosen))

    added = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=Annotated[Any, _option(each)],
        )
        for each in fields(Thresholds)
    ]
    judging.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    judging.__annotations__ = {each.name: each.annotation for each in (*kept, *added)} | {"return": None}
    return judging


def _option(threshold: Field[Any]) -> Any:
    text, unit = threshold.metadata["help"].removesuffix("."), threshold.metadata["unit"]
    return typer.Option(help=f"{text} ({unit}).", parser=_reader(threshold), metavar="X", rich_help_panel=PANEL)


def _reader(threshold: Field[Any]) -> Callable[[Any], Any]:
    """Reads the value of a threshold from the command line or from pyproject.toml, where it can be a bool."""
    kind: Any = type(threshold.default)

    def read(given: Any) -> Any:
        try:
            value: Any = given if isinstance(given, bool) else kind(given)
            Thresholds(**{threshold.name: value})
        except (ValueError, UsageError):
            low, high = threshold.metadata["low"], threshold.metadata["high"]
            whole = "whole " if kind is int else ""
            raise typer.BadParameter(f"{given!r} is no {whole}number from {low:g} to {high:g}") from None
        return value

    return read
