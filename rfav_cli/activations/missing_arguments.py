"""What is said where a factory needs other arguments: their names, and the values that the checkpoint has for them."""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import ModelError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rfav_cli.records import Payload

CLASSES = ("num_classes", "classes", "n_classes", "nb_classes", "num_labels", "n_class", "num_class", "num_outputs")
"""What people call the argument that says how many classes there are."""
_PLAIN = (bool, int, float, str, list, tuple, type(None))
_LONGEST = 60
"""Characters of a value that is still suggested."""
_CONTAINERS = frozenset({"args", "cfg", "conf", "config", "configs", "hparams", "opt", "options", "params", "settings"})
"""What people call an argument that holds all others."""


def asked_for(spec: str, missing: Sequence[str], payload: Payload | None) -> ModelError:
    """The error for a factory that needs more arguments than it was given.

    Args:
        spec: the specification.
        missing: what it needs.
        payload: the checkpoint, whose stored arguments may have them.
    """
    what = f"--model {printable(spec)}: it needs {_and(missing)}, which the command does not give"
    stored = payload.arguments if payload is not None else {}
    if len(missing) == 1 and missing[0] in _CONTAINERS:
        remedy = "Write a function without arguments that makes the net, and give --model path/to/file.py:function."
        there = f" The file has values for it in its {_and(tuple(stored))}." if stored else ""
        return ModelError(what, remedy + there)
    places = {name: place for name in missing if (place := _place_of(name, stored))}
    words = [
        typed(name, stored[places[name]][name]) if name in places else f"--model-arg {printable(name)}=…"
        for name in missing
    ]
    function = "" if len(places) == len(missing) else ", or write a function that makes it: path/to/file.py:function"
    return ModelError(what, f"Add {' '.join(words)}{_of(places.values())}{function}.")


def stored_otherwise(arguments: Mapping[str, Any], payload: Payload) -> str:
    """What to add to the command where the checkpoint was made with other arguments; empty where none are known.

    A dropout does not count: evaluation has none.

    Args:
        arguments: those that the command does not give, with what the factory takes in their place.
        payload: the checkpoint.
    """
    stored, words, places = payload.arguments, [], []
    for name, taken in arguments.items():
        place = _place_of(name, stored)
        if place and "drop" not in name and type(taken) in _PLAIN and stored[place][name] != taken:
            words.append(typed(name, stored[place][name]))
            places.append(place)
    return f"Add {' '.join(words)}{_of(places)}." if words else ""


def typed(name: str, value: Any) -> str:
    """An argument of the factory as it is typed."""
    return f"--model-arg {shlex.quote(f'{name}={_text(value)}')}"


def _place_of(name: str, stored: Mapping[str, Mapping[str, Any]]) -> str:
    """The first place in the file that has a value for an argument which can be typed; empty where there is none."""
    for place, values in stored.items():
        if name in values and len(text := _text(values[name])) <= _LONGEST and text.isprintable():
            return place
    return ""


def _text(value: Any) -> str:
    """A value as `--model-arg` reads it."""
    if not isinstance(value, str):
        return repr(value)
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
    return repr(value)


def _of(places: Iterable[str]) -> str:
    """Where in the file values are, in brackets."""
    different = tuple(dict.fromkeys(places))
    return f" (of the file's {_and(different)})" if different else ""


def _and(names: Sequence[str]) -> str:
    *others, last = map(printable, names)
    return f"{', '.join(others)} and {last}" if others else last
