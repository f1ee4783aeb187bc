"""TOML from anyone as tables: bounded in its depth and the time that it takes, with the line of what is wrong."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEEPEST = 100
"""Parts of a dotted key. Few have more than five, and the time that Python's reader takes grows with their square."""

_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_TOO_DEEP = re.compile(rf"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{DEEPEST}}}""", re.ASCII)


class TomlError(ValueError):
    """A text is no TOML.

    Attributes:
        line: where, counted from 1; None where that is not known.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line


def tables(text: str) -> dict[str, Any]:
    """What TOML makes of a text.

    Raises:
        TomlError: it is none, or nested too deeply.
    """
    if too_deep := _TOO_DEEP.search(text):
        raise TomlError(f"a key of more than {DEEPEST} parts", text.count("\n", 0, too_deep.start()) + 1)
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise TomlError("nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits is one without a line
        message = str(error)
        place = _AT.search(message)
        if place is None:
            raise TomlError(message) from None
        line = int(place[1]) if place[1] else text.rstrip().count("\n") + 1
        raise TomlError(message[: place.start()], line) from None
    return table


def decoded(data: bytes) -> str:
    """The text of a file.

    Raises:
        TomlError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TomlError("not UTF-8", data.count(b"\n", 0, error.start) + 1) from None
