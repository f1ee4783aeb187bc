"""Text from files as it may be shown, and what an exception says.

Whatever is given back has no control character, no character that turns the direction of text and no line break of the
text's own. Formats that give more characters a meaning (Markdown, HTML, TOML) escape those on top of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

CUT = "…"
"""What stands where text was left out."""

_LARGE = 1e4
_SINGULAR = {"are": "is", "have": "has"}


def count(number: int, noun: str) -> str:
    """A number and its noun.

    >>> count(1, "epoch"), count(2000, "class")
    ('1 epoch', '2,000 classes')
    """
    return f"{number:,} {noun if number == 1 else f'{noun}es' if noun.endswith('s') else f'{noun}s'}"


def some_of(number: int, whole_number: int, noun: str, verb: str) -> str:
    """A part of a whole, and a verb in the plural that follows it: "is" or "has" where the part is one.

    >>> some_of(1, 8, "filter", "have"), some_of(3, 1, "value", "are")
    ('1 of 8 filters has', '3 of 1 value are')
    """
    return f"{number:,} of {count(whole_number, noun)} {_SINGULAR[verb] if number == 1 else verb}"


def figure(value: float, form: str = "{:.3f}") -> str:
    """A number in its form; one so large that digits after the point say nothing, in few digits.

    >>> figure(1.25), figure(-2e30)
    ('1.250', '-2.0e+30')
    """
    return form.format(value) if abs(value) < _LARGE or not math.isfinite(value) else f"{value:.1e}"


def span(epochs: Sequence[int]) -> str:
    """Epochs, at least one, in words.

    >>> span([3]), span([0, 1, 2])
    ('3', '0 to 2')
    """
    return f"{epochs[0]}" if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]}"


def whole(text: object) -> str:
    """Untrusted text that must not be cut, on one line; what is not printable is escaped."""
    words = str(text)
    return words if words.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in words)


def printable(text: object, limit: int = 200) -> str:
    """Untrusted text as it may stand in a message, on one line.

    Args:
        text: anything that has a text.
        limit: the most characters, from 1 on. Of longer text the middle is left out: a path says most at its end, a
            sentence at its beginning.
    """
    words = str(text)
    if len(words) > 2 * limit:  # no text is too long to be escaped
        words = words[:limit] + words[-limit:]
    escaped = whole(words)
    if len(escaped) <= limit:
        return escaped
    end = (limit - 1) // 2
    return escaped[: limit - 1 - end] + CUT + escaped[len(escaped) - end :]


def lines(text: str, limit: int = 200) -> str:
    """Untrusted text whose lines stay lines; each is `printable`."""
    return "\n".join(printable(line, limit) for line in text.splitlines())


def quoted(value: object, limit: int = 60) -> str:
    """A value from a file as Python writes it."""
    try:
        return printable(repr(value), limit)
    except ValueError:  # Python does not print integers of thousands of digits
        return "this number"


def what_it_says(error: BaseException, limit: int = 200, *, part: Literal["first", "last", "all"] = "first") -> str:
    """What an exception says, on one line; its type where it says nothing.

    Args:
        error: of the system, a library or the user's code. Of an error of the system only the words count, not its
            number and the path, which the message around it names.
        limit: the most characters.
        part: which of several lines: the first as a rule; the last of what TorchScript and a net's forward raise, whose
            first lines are a traceback; all, as one, of what the user's own code says.
    """
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    lines = [line.strip() for line in words.splitlines() if line.strip()] or [type(error).__name__]
    chosen = {"first": lines[0], "last": lines[-1], "all": " ".join(" ".join(lines).split())}[part]
    return printable(chosen, limit)


def named(error: BaseException, limit: int = 200, *, part: Literal["first", "last", "all"] = "first") -> str:
    """An exception's type and what it says: "ValueError: no such key"."""
    kind = printable(type(error).__name__)
    says = what_it_says(error, limit, part=part)
    return kind if says == kind else f"{kind}: {says}"
