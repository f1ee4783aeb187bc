"""What a walk through pickles says of a file: tensors, foreign classes, calls that run code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.pickle_names import is_attack, judge
from rfav_cli.checkpoints.sketches import SketchedTensor
from rfav_cli.checkpoints.stand_ins import Name, StandIn
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.checkpoints.inspected import Look
    from rfav_cli.checkpoints.pickle_walk import Walked

_NAMED = 3
"""Classes that a finding names."""
_DEEPEST = 64
_HOLDERS = (SketchedTensor, StandIn, dict, list, tuple)
_OF_MODULES = frozenset({"_parameters", "_buffers", "_modules"})
_MOST_TOP = 20
"""Entries at the top of a file whose values are told."""
NOT_TORCH = "damaged or cut off, or not written by torch.save"


@dataclass(frozen=True)
class _Place:
    """Where a value is: the key that it stands under, and the place around it."""

    key: str = ""
    around: _Place | None = None
    depth: int = 0

    def names(self) -> list[str]:
        """The keys that lead to it, from the outside."""
        place: _Place | None = self
        keys: list[str] = []
        while place is not None and place.around is not None:
            keys.append(place.key)
            place = place.around
        return [key for key in reversed(keys) if key not in _OF_MODULES]


def report_names(walked: Walked, look: Look, where: str = "") -> None:
    """Say which foreign classes a walk has met, and what runs code.

    Args:
        walked: the walk.
        look: takes it down.
        where: the member of the file that the pickle is, for messages.
    """
    inside = f"{where}: " if where else ""
    foreign = []
    for (module, name), called in walked.names.items():
        dotted = f"{module}.{name}"
        judgement = judge(module, name, called)
        if judgement == "runs code":
            look.find("runs-code", f"{inside}{'calls' if called else 'names'} {printable(dotted)}")
            look.names(calls=[dotted])
        elif judgement == "foreign":
            foreign.append(dotted)
        if is_attack(module, name):
            look.find("refused", f"{inside}needs {printable(dotted)}, which could run code")
    if foreign:
        look.names(classes=foreign)
        more = [f"{len(foreign) - _NAMED} more"] if len(foreign) > _NAMED else []
        *others, last = [*(printable(name, 80) for name in foreign[:_NAMED]), *more]
        look.find("objects", f"{inside}holds {' and '.join(filter(None, (', '.join(others), last)))}")
    if walked.calls_given:
        look.find("runs-code", f"{inside}calls or changes what a call or a name gave")


def report_problem(walked: Walked, look: Look, where: str = "") -> None:
    """Say that a pickle cannot be followed."""
    inside = f"{where}: " if where else ""
    if walked.problem:
        look.find("refused", f"{inside}{NOT_TORCH}")
    if not walked.whole:
        look.find("incomplete", f"{inside}the pickle cannot be followed to its end: {walked.problem or 'names in it'}")


def report_tensors(content: Any, look: Look, *, bare: bool = False) -> None:
    """Take down the tensors and arrays in what a pickle holds, and what stands at its top.

    Args:
        content: what the pickle holds.
        look: takes it down.
        bare: the tensors alone, since the pickle is no checkpoint by itself.
    """
    counted: set[str] = set()
    weights = False
    for place, value in _tensors(content):
        keys = place.names()
        name = ".".join(keys)
        if isinstance(value, SketchedTensor):
            look.tensor(name, value.shape, value.dtype, value.bytes, counted=False)
            if value.storage.key not in counted:
                counted.add(value.storage.key)
                look.tensor_bytes += value.storage.bytes
            if value.problem and not (bare and not value.storage.key):
                look.find("refused", f"damaged: {printable(name)!r} {value.problem}")
        else:
            look.tensor(name, *value)
        weights |= _may_be_weight(keys)
    if bare:
        return
    top = content if isinstance(content, dict) else {}
    for key, value in list(top.items())[:_MOST_TOP]:
        if isinstance(key, str) and isinstance(value, str | int | float | None):
            look.say(key, str(value) if not isinstance(value, int) or abs(value) < 2**63 else "a large number")
    optimizer = {"state", "param_groups"} <= {key for key in top if isinstance(key, str)}
    if optimizer or not weights:
        words = "holds the state of an optimizer, no weights" if optimizer else "holds no weights"
        look.find("no-weights", words)
        look.readable, look.why_not = False, words


def _may_be_weight(keys: list[str]) -> bool:
    return not any(key[:40].lower().startswith("optim") for key in keys)


def _tensors(content: Any) -> Iterator[tuple[_Place, Any]]:
    """Tensors, and (shape, type, bytes) of arrays, each with its place; every container is looked into once."""
    seen: set[int] = set()
    waiting = [(_Place(), content)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, SketchedTensor):
            yield place, value
            continue
        if (array := _array(value)) is not None:
            yield place, array
            continue
        if id(value) in seen or place.depth > _DEEPEST or not isinstance(value, _HOLDERS):
            continue
        seen.add(id(value))
        inner = [(_Place(key, place, place.depth + 1), part) for key, part in _parts(value)]
        waiting += reversed(inner)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a container holds that may hold tensors, by key or number."""
    if isinstance(value, dict):
        yield from ((str(key) if isinstance(key, str) else _short(key), v) for key, v in value.items() if _holds(v))
    elif isinstance(value, list | tuple):
        yield from ((str(number), part) for number, part in enumerate(value) if isinstance(part, _HOLDERS))
    else:
        others = [*value.args, *(value.items or ()), *(value.state if isinstance(value.state, list | tuple) else ())]
        for mapping in value.mappings():
            yield from _parts(mapping)
        yield from _parts([part for part in others if not isinstance(part, dict)])


def _holds(value: Any) -> bool:
    return isinstance(value, _HOLDERS)


def _short(key: Any) -> str:
    return str(key)[:40] if isinstance(key, int | float | bytes | bool) else "key"


def _array(value: Any) -> tuple[tuple[int, ...], str, int] | None:
    """What numpy's pickle of an array says: its shape, its type and its bytes; None for anything else."""
    if not isinstance(value, StandIn) or not value.kind.endswith("multiarray._reconstruct"):
        return None
    state = value.state
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[1], tuple):
        return None
    kind, raw = state[2], state[4]
    name = kind.args[0] if isinstance(kind, StandIn) and kind.args and isinstance(kind.args[0], str) else "?"
    if not all(type(n) is int and 0 <= n < 2**63 for n in state[1]):
        return None
    return state[1], f"numpy {name[:20]}", len(raw) if isinstance(raw, bytes) else 0


def named(value: Any) -> str:
    """The class that a value is of, as the file names it."""
    return value.kind if isinstance(value, Name | StandIn) else type(value).__name__
