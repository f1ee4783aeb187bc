"""Values of options that are more than one word or number, read from a text."""

import datetime
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from rfav_cli.records import Allowance
from rfav_cli.text import printable

EXCEPTION = "RULE[@LAYERS] until DATE: REASON"
_SENTENCE = re.compile(r"\s*(?P<rule>\w+)(?:@(?P<layer>\S+))?\s+until\s+(?P<expires>\S+?)\s*:\s*(?P<reason>.*\S)\s*")
_SIZE = re.compile(r"\s*(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(?P<unit>[MGTmgt]?)(?:[iI]?[bB])?\s*")
_UNITS = {"M": 2**20, "G": 2**30, "T": 2**40}
_KEYS = ("rule", "layer", "store", "expires", "reason")


NORMALISATIONS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    "mnist": ((0.1307,), (0.3081,)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "half": ((0.5,), (0.5,)),
}
"""Name -> mean and standard deviation a channel that nets are trained with, of values between 0 and 1."""


def per_channel(text: object) -> str | tuple[float, ...]:
    """One number for all channels, or one a channel, as it is typed or pasted; or a name of `NORMALISATIONS`.

    >>> per_channel("0.485 0.456 0.406"), per_channel("[0.5, 0.25]"), per_channel("ImageNet")
    ((0.485, 0.456, 0.406), (0.5, 0.25), 'imagenet')

    Raises:
        ValueError: something is no finite number and no such name.
    """
    if isinstance(text, str) and text.strip().lower() in NORMALISATIONS:
        return text.strip().lower()
    if isinstance(text, str) and text.rstrip().endswith(","):
        raise ValueError(f"{text!r} ends with a comma: put the whole list into quotes")
    try:
        values = tuple(float(part) for part in _parts(text, r"[\s,;()\[\]]+") if part)
    except ValueError:
        values = (math.nan,)
    if not values or not all(map(math.isfinite, values)):
        known = ", ".join(NORMALISATIONS)
        raise ValueError(f"{text!r} is no number, no list such as 0.49,0.48,0.45 and none of {known}")
    return values


def image_size(text: object) -> int | tuple[int, int]:
    """A side in pixels, or HEIGHTxWIDTH; HEIGHT,WIDTH as well, which is what a list in pyproject.toml comes as.

    >>> image_size("32x48"), image_size("(32, 48)"), image_size((32, 48)), image_size(32)
    ((32, 48), (32, 48), (32, 48), 32)

    Raises:
        ValueError: it is neither.
    """
    plain = text.strip().strip("()[]") if isinstance(text, str) else text
    parts = [part.strip() for part in _parts(plain, "[x,]")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or not 1 <= len(parts) <= 2:
        raise ValueError(f"{text!r} is neither a side such as 32 nor a size such as 32x48")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def count_or_all(text: str | int) -> int | Literal["all"]:
    """A number of samples from 0 on, or "all".

    Raises:
        ValueError: it is neither.
    """
    return "all" if text == "all" else _number(text, 0, "a number of samples nor 'all'")


def count_or_auto(text: str | int) -> int | Literal["auto"]:
    """A number of samples from 1 on, or "auto".

    Raises:
        ValueError: it is neither.
    """
    return "auto" if text == "auto" else _number(text, 1, "a number of samples nor 'auto'")


def number_to_keep(text: str | int) -> int | Literal["all"]:
    """A number of checkpoints from 1 on, or "all".

    Raises:
        ValueError: it is neither.
    """
    return "all" if text == "all" else _number(text, 1, "a number of checkpoints from 1 on nor 'all'")


def size_or_none(text: object) -> str | None:
    """A size as it is typed, of a number of MiB or with a unit, as one word: "4GiB"; None as it is.

    >>> size_or_none("4GiB"), size_or_none("1.5 g"), size_or_none(200)
    ('4GiB', '1.5GiB', '200MiB')

    Raises:
        ValueError: it is no size from 1 MiB on.
    """
    if text is None:
        return None
    match = _SIZE.fullmatch(str(text)) if not isinstance(text, bool) else None
    if match is None or not 1 <= float(match["number"]) < 10**9:
        raise ValueError(f"{text!r} is no size such as 500MiB or 4GiB")
    return f"{match['number']}{match['unit'].upper() or 'M'}iB"


def bytes_of(size: str) -> int:
    """The bytes of a size as `size_or_none` gives it.

    >>> bytes_of("1.5GiB"), bytes_of("200MiB")
    (1610612736, 209715200)
    """
    return int(float(size[:-3]) * _UNITS[size[-3]])


def words(text: object) -> tuple[str, ...]:
    """Words: a list, or a text with commas.

    Raises:
        ValueError: something is no text.
    """
    entries = text.split(",") if isinstance(text, str) else text
    if not isinstance(entries, (list, tuple, set, frozenset)) or not all(isinstance(word, str) for word in entries):
        raise ValueError(f"{text!r} is no text and no list of texts")
    return tuple(word.strip() for word in entries if word.strip())


def states(text: object) -> tuple[str, ...]:
    """Words as in `words`; none for "none".

    Raises:
        ValueError: something is no text.
    """
    return tuple(word for word in words(text) if word != "none")


def per_layer(text: object) -> tuple[str, float]:
    """A limit for layers, GLOB=X, or X for all of them.

    Raises:
        ValueError: X is no number from 0 to 1.
    """
    if isinstance(text, (list, tuple)):
        if len(text) != 2 or not isinstance(text[0], str):
            raise ValueError(f"{text!r} is no glob of layers and a number from 0 to 1")
        return text[0], share(text[1])
    glob, _, number = ("*", "", str(text)) if "=" not in str(text) else str(text).rpartition("=")
    return glob.strip() or "*", share(number)


def share(text: object) -> float:
    """A number from 0 to 1, or a percentage.

    >>> share("0.85"), share("85%"), share(" 85 % ")
    (0.85, 0.85, 0.85)

    Raises:
        ValueError: it is none.
    """
    words = str(text).strip()
    try:
        value = math.nan if isinstance(text, bool) else float(words.removesuffix("%")) / (100 if "%" in words else 1)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ValueError(f"{text!r} is no number from 0 to 1")
    return value


def _parts(value: object, separator: str) -> list[str]:
    """The parts of a text, or of what lists them; a bool is left as a word, which is no number."""
    entries: list[object] = [value]
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
        entries = list(value)
    return [part for entry in entries for part in re.split(separator, str(entry).lower())]


def _number(text: str | int, least: int, what: str) -> int:
    if not str(text).isdecimal() or int(text) < least:
        raise ValueError(f"{text!r} is neither {what}")
    return int(text)


def allowance(value: Any) -> Allowance:
    """An exception.

    Raises:
        ValueError: it is none, or lacks its rule, its reason or its last day.
    """
    if isinstance(value, Allowance):
        return value
    table = value if isinstance(value, dict) else _sentence(str(value))
    unknown = [key for key in table if key not in _KEYS]
    missing = [key for key in ("rule", "expires", "reason") if not table.get(key)]
    if unknown or missing:
        words = f"has no key {unknown[0]!r}" if unknown else f"lacks {' and '.join(missing)}"
        raise ValueError(f"an exception {words}; its keys are {', '.join(_KEYS)}")
    texts = {key: table[key] for key in ("rule", "reason", "layer", "store") if key in table}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"the exception for {printable(table['rule'], 40)}: what is no date must be a text")
    return Allowance(expires=_date(table["expires"]), **texts)


def _sentence(text: str) -> dict[str, Any]:
    match = _SENTENCE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not {EXCEPTION}")
    return {key: value for key, value in match.groupdict().items() if value is not None}


def _date(value: Any) -> datetime.date:
    if type(value) is datetime.date:  # a datetime is a date as well
        return value
    try:
        return datetime.datetime.strptime(str(value), "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"{str(value)!r:.60} is no date such as 2027-01-31") from None
