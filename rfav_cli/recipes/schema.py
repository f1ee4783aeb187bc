"""Version 1 of a recipe's file: its keys, and what is wrong with a value, in words; empty where nothing is."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from rfav_cli.records import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import TypeIs

SCHEMA = 1
MARK = "# rfav recipe"
"""How a file begins that `rfav recommend` wrote."""
CENTERINGS = ("pearson", "paper")
"""As in `Settings.centering`."""
LAST_EPOCH = 2**31 - 1
"""The store's epochs are no larger."""
LARGEST = 4 * 1024 * 1024
"""Bytes of a file; a thousand layers need a tenth of it."""

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def _is_integer(value: object) -> TypeIs[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _schema(value: object) -> str:
    known = _is_integer(value) and value == SCHEMA
    return "" if known else f"must be {SCHEMA}, the only one that this version of rfav reads"


def _rule(value: object) -> str:
    return "" if value in RULES else f"must be one of {', '.join(RULES)}"


def _text(value: object) -> str:
    return "" if isinstance(value, str) else "must be a text"


def _path(value: object) -> str:
    return "" if isinstance(value, str) and value else "must be a path"


def _digest(value: object) -> str:
    return "" if isinstance(value, str) and _DIGEST.fullmatch(value) else "must be a SHA-256 of 64 hexadecimal digits"


def _epoch(value: object) -> str:
    known = _is_integer(value) and -1 <= value <= LAST_EPOCH
    return "" if known else f"must be an epoch, a whole number from -1 to {LAST_EPOCH}"


def _switch(value: object) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _centering(value: object) -> str:
    return "" if value in CENTERINGS else f"must be one of {', '.join(CENTERINGS)}"


def _weight(value: object) -> str:
    number = value if isinstance(value, float) or _is_integer(value) else -1.0
    return "" if 0 <= number <= sys.float_info.max else "must be a finite number from 0 on"


RUN: dict[str, Callable[[object], str]] = {
    "schema": _schema,
    "rule": _rule,
    "store": _path,
    "store_digest": _digest,
    "rewind": _epoch,
    "checkpoint": _path,
    "with_bias": _switch,
    "fold_norm": _switch,
    "centering": _centering,
}
"""What stands above the layers; only `schema` must."""

LAYER: dict[str, Callable[[object], str]] = {"name": _text, "lambda": _weight, "kappa": _weight}
"""What stands below a [[layer]]: its name, and one of the weights or both."""
