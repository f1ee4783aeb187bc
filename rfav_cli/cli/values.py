"""Values of options that are more than one word or number."""

import math
import re
from typing import Literal

import typer


def per_channel(text: str) -> tuple[float, ...]:
    """One number for all channels, or one a channel, separated by commas.

    Raises:
        typer.BadParameter: something is no finite number.
    """
    try:
        values = tuple(float(part) for part in str(text).split(","))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise typer.BadParameter(f"{text!r} is no number and no list such as 0.49,0.48,0.45")
    return values


def image_size(text: str) -> int | tuple[int, int]:
    """A side in pixels, or HEIGHTxWIDTH; HEIGHT,WIDTH as well, which is what a list in pyproject.toml comes as.

    Raises:
        typer.BadParameter: it is neither.
    """
    parts = re.split("[x,]", str(text).lower())
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or len(parts) > 2:
        raise typer.BadParameter(f"{text!r} is neither a side such as 32 nor a size such as 32x48")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def count_or_all(text: str | int) -> int | Literal["all"]:
    """A number of samples from 0 on, or "all".

    Raises:
        typer.BadParameter: it is neither.
    """
    return "all" if text == "all" else _number(text, 0, "a number of samples nor 'all'")


def count_or_auto(text: str | int) -> int | Literal["auto"]:
    """A number of samples from 1 on, or "auto".

    Raises:
        typer.BadParameter: it is neither.
    """
    return "auto" if text == "auto" else _number(text, 1, "a number of samples nor 'auto'")


def kept(text: str | int) -> int | Literal["all"]:
    """A number of checkpoints from 1 on, or "all".

    Raises:
        typer.BadParameter: it is neither.
    """
    return "all" if text == "all" else _number(text, 1, "a number of checkpoints from 1 on nor 'all'")


def words(text: object) -> tuple[str, ...]:
    """Words separated by commas."""
    return text if isinstance(text, tuple) else tuple(word.strip() for word in str(text).split(",") if word.strip())


def states(text: object) -> tuple[str, ...]:
    """Words separated by commas; none for "none"."""
    return tuple(word for word in words(text) if word != "none")


def per_layer(text: object) -> tuple[str, float]:
    """A limit for layers, GLOB=X, or X for all of them.

    Raises:
        typer.BadParameter: X is no number from 0 to 1.
    """
    if isinstance(text, tuple):
        return text
    glob, _, number = ("*", "", str(text)) if "=" not in str(text) else str(text).rpartition("=")
    return glob.strip() or "*", share(number)


def share(text: object) -> float:
    """A number from 0 to 1.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        value = math.nan if isinstance(text, bool) else float(str(text))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{text!r} is no number from 0 to 1")
    return value


def _number(text: str | int, least: int, what: str) -> int:
    if not str(text).isdecimal() or int(text) < least:
        raise typer.BadParameter(f"{text!r} is neither {what}")
    return int(text)
