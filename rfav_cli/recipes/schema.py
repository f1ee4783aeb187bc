"""Version 1 of a recipe's file: its keys, and what is wrong with its tables, in words."""

from __future__ import annotations

import datetime
import re
import sys
from typing import TYPE_CHECKING

from rfav_cli.records import CENTERINGS, PENALISED, RULES
from rfav_cli.text import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from typing_extensions import TypeIs

SCHEMA = 1
MARK = "# rfav recipe"
"""How a file begins that `rfav recommend` wrote."""
LAST_EPOCH = 2**31 - 1
"""The store's epochs are no larger."""
LARGEST = 4 * 1024 * 1024
"""Bytes of a file; a thousand layers need a tenth of it."""

_BARE = re.compile(r"[\w-]{1,80}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def _is_integer(value: object) -> TypeIs[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _schema(value: object) -> str:
    readable = _is_integer(value) and value == SCHEMA
    return "" if readable else f"must be {SCHEMA}, the only one that this version of rfav reads"


def _rule(value: object) -> str:
    return "" if value in RULES else f"must be one of {', '.join(RULES)}"


def _text(value: object) -> str:
    return "" if isinstance(value, str) else "must be a text"


def _path(value: object) -> str:
    return "" if isinstance(value, str) and value else "must be a path"


def _digest(value: object) -> str:
    return "" if isinstance(value, str) and _DIGEST.fullmatch(value) else "must be a SHA-256 of 64 hexadecimal digits"


def _epoch(value: object) -> str:
    valid = _is_integer(value) and -1 <= value <= LAST_EPOCH
    return "" if valid else f"must be an epoch, a whole number from -1 to {LAST_EPOCH}"


def _switch(value: object) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _centering(value: object) -> str:
    return "" if value in CENTERINGS else f"must be one of {', '.join(CENTERINGS)}"


def _target(value: object) -> str:
    return "" if value in PENALISED else f"must be one of {', '.join(PENALISED)}"


def _weight(value: object) -> str:
    number = value if isinstance(value, float) or _is_integer(value) else -1.0
    return "" if 0 <= number <= sys.float_info.max else "must be a finite number from 0 on"


RUN: Mapping[str, Callable[[object], str]] = {
    "schema": _schema,
    "rule": _rule,
    "store": _path,
    "store_digest": _digest,
    "rewind": _epoch,
    "checkpoint": _path,
    "with_bias": _switch,
    "fold_norm": _switch,
    "centering": _centering,
    "squared": _switch,
}
"""What stands above the layers -> what is wrong with a value, or ""; only `schema` must be there."""

LAYER: Mapping[str, Callable[[object], str]] = {
    "name": _text,
    "target": _target,
    "lambda": _weight,
    "kappa": _weight,
}
"""What stands in a [[layer]]: its name, what lambda is about, and one of the weights or both."""


def problems(table: Mapping[str, object]) -> Iterator[str]:
    """What is wrong with a recipe, each led by its key as a path into the file, such as `layer[2].lambda`.

    Args:
        table: what TOML made of the file.
    """
    layers = table.get("layer", [])
    for key, value in table.items():
        if key != "layer":
            yield from _of_key(key, value, RUN, LAYER, "")
        elif isinstance(layers, list):
            yield from _of_layers(layers)
        else:
            yield f"layer must be tables, each below a [[layer]], not {_shown(layers)}"
    if "schema" not in table:
        yield f"schema is missing; it must be {SCHEMA}"


def _of_layers(layers: list[object]) -> Iterator[str]:
    places: dict[str, str] = {}
    for index, layer in enumerate(layers):
        place = f"layer[{index}]"
        if not isinstance(layer, dict):
            yield f"{place} must be a table, not {_shown(layer)}"
            continue
        for key, value in layer.items():
            yield from _of_key(key, value, LAYER, RUN, f"{place}.")
        name = layer.get("name")
        if isinstance(name, str) and places.setdefault(name, place) != place:
            yield f"{place}.name: the layer {_shown(name)} is {places[name]} already"
        if "name" not in layer:
            yield f"{place}.name is missing"
        if not {"lambda", "kappa"} & layer.keys():
            yield f"{place} has neither lambda nor kappa"


def _of_key(
    key: str,
    value: object,
    allowed: Mapping[str, Callable[[object], str]],
    elsewhere: Mapping[str, Callable[[object], str]],
    place: str,
) -> Iterator[str]:
    """What is wrong with one key of a table.

    Args:
        key: the key.
        value: its value.
        allowed: the keys of this table.
        elsewhere: those of the other kind of table.
        place: the path that leads to the table, with a dot at its end; empty for the file itself.
    """
    path = place + (key if _BARE.fullmatch(key) else f'"{printable(key, 80)}"')
    if key in allowed:
        problem = allowed[key](value)
        if problem:
            yield f"{path} {problem}, not {_shown(value)}"
        return
    keys = f"{', '.join(allowed)}{'' if place else ', layer'}"
    other = "above the first [[layer]]" if place else "in a [[layer]]"
    yield f"{path} belongs {other}" if key in elsewhere else f"{path} is no key of a recipe; here can be {keys}"


def _shown(value: object) -> str:
    """A value as a message shows it, much as the file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else quoted(value)
