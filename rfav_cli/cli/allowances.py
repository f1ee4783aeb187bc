"""Exceptions as they are given: a table of pyproject.toml, or a sentence on the command line."""

import datetime
import re
from typing import TYPE_CHECKING, Any

import typer

from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.records import Allowance

FORM = "RULE[@LAYERS] until DATE: REASON"
_SENTENCE = re.compile(r"\s*(?P<rule>\w+)(?:@(?P<layer>\S+))?\s+until\s+(?P<expires>\S+?)\s*:\s*(?P<reason>.*\S)\s*")
_KEYS = ("rule", "layer", "store", "expires", "reason")


def allowance(given: Any) -> "Allowance":
    """An exception.

    Raises:
        typer.BadParameter: it is none, or lacks its rule, its reason or its last day.
    """
    from rfav_cli.records import Allowance  # only where there is one: records bring numpy

    if isinstance(given, Allowance):
        return given
    table = given if isinstance(given, dict) else _sentence(str(given))
    unknown = [key for key in table if key not in _KEYS]
    missing = [key for key in ("rule", "expires", "reason") if not table.get(key)]
    if unknown or missing:
        words = f"has no key {unknown[0]!r}" if unknown else f"lacks {' and '.join(missing)}"
        raise typer.BadParameter(f"an exception {words}; its keys are {', '.join(_KEYS)}")
    texts = {key: table[key] for key in ("rule", "reason", "layer", "store") if key in table}
    if not all(isinstance(text, str) for text in texts.values()):
        raise typer.BadParameter(f"the exception for {printable(table['rule'], 40)}: what is no date must be a text")
    return Allowance(expires=_date(table["expires"]), **texts)


def _sentence(text: str) -> dict[str, Any]:
    found = _SENTENCE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not {FORM}")
    return {key: value for key, value in found.groupdict().items() if value is not None}


def _date(given: Any) -> datetime.date:
    if type(given) is datetime.date:  # a datetime is a date as well
        return given
    try:
        return datetime.datetime.strptime(str(given), "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f"{str(given)!r:.60} is no date such as 2027-01-31") from None
