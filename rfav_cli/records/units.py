"""What the checkpoints of a run are counted by, in words: epochs, or steps where a run has those.

Epochs and steps are numbers along one axis, and each sentence about the one holds for the other.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, TypeVar

T = TypeVar("T")

_EPOCH = re.compile(r"""(?<![\w./\\=\-'"`{])([Ee])poch(s?)(?![\w=/\\]|[.\-]\w)""")
_WORDS = frozenset(
    {
        "reason",
        "figures",
        "why",
        "evidence",
        "words",
        "where",
        "remedy",
        "message",
        "notes",
        "summary",
        "change",
        "warning",
    }
)
"""Fields of records that hold sentences, and not names or paths of the user's."""
_UNIT = "unit"


def in_unit(words: str, unit: str) -> str:
    """A sentence about epochs, for a run that is counted by `unit`; options, paths and names stay as they are.

    >>> in_unit("Epochs 3 to 5 of epoch_3.pt; --epochs says since which epoch.", "step")
    'Steps 3 to 5 of epoch_3.pt; --epochs says since which step.'
    """
    if unit == "epoch":
        return words
    return _EPOCH.sub(lambda found: f"{'S' if found[1] == 'E' else 's'}tep{found[2]}", words)


def said_in(record: T, unit: str) -> T:
    """A record whose sentences about epochs are about `unit`, and those of the records in it; their `unit` says so."""
    if unit == "epoch":
        return record
    changed: Any = record
    if isinstance(record, tuple) and not hasattr(record, "_fields"):
        changed = tuple(said_in(part, unit) for part in record)
    elif dataclasses.is_dataclass(record) and not isinstance(record, type):
        fields = {field.name: getattr(record, field.name) for field in dataclasses.fields(record) if field.init}
        changed = dataclasses.replace(record, **{name: _field_in(name, value, unit) for name, value in fields.items()})
    return changed  # type: ignore[no-any-return]


def _field_in(name: str, value: Any, unit: str) -> Any:
    if name == _UNIT:
        return unit
    if name not in _WORDS:
        return said_in(value, unit)
    if isinstance(value, str):
        return in_unit(value, unit)
    if isinstance(value, tuple):
        return tuple(in_unit(part, unit) if isinstance(part, str) else said_in(part, unit) for part in value)
    return said_in(value, unit)
