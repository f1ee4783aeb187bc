"""What is said of a factory that needs arguments: their names, and the values that the checkpoint has for them."""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import ModelError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rfav_cli.records import Payload

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
    places = {name: place for name in missing for place in [*stored][::-1] if _can_be_typed(stored[place], name)}
    typed = [
        _typed(name, stored[places[name]][name]) if name in places else f"--model-arg {name}=…" for name in missing
    ]
    source = f" (of the file's {_and(tuple(dict.fromkeys(places.values())))})" if places else ""
    return ModelError(what, f"Add {' '.join(typed)}{source}.")


def _can_be_typed(values: Mapping[str, Any], name: str) -> bool:
    if name not in values:
        return False
    text = _text(values[name])
    return len(text) <= _LONGEST and text.isprintable()


def _typed(name: str, value: Any) -> str:
    return f"--model-arg {shlex.quote(f'{name}={_text(value)}')}"


def _text(value: Any) -> str:
    """A value as `--model-arg` reads it."""
    if not isinstance(value, str):
        return repr(value)
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value
    return repr(value)


def _and(names: Sequence[str]) -> str:
    *others, last = map(printable, names)
    return f"{', '.join(others)} and {last}" if others else last
