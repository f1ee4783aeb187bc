"""Finds the weights in a checkpoint and pairs their names with those of the net."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from rfav_cli.text import printable

StateDict = Mapping[str, Any]

_DEPTH = 4
_USUAL = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params")
_WRAPPERS = ("module", "model", "_orig_mod")
_EXTRA = ("_extra_state", "_packed_params", "dtype")
_LISTED = 4


@dataclass(frozen=True)
class Candidate:
    """A mapping of names to tensors found in a checkpoint.

    Attributes:
        name: the keys that lead to it, joined by dots; empty at the top level.
        weights: the tensors, and the few other things that a net's own state_dict holds.
    """

    name: str
    weights: StateDict


@dataclass(frozen=True)
class Match:
    """How the names of a net and of a candidate go together.

    Attributes:
        pairs: the net's name -> the candidate's.
        missing: names of the net that the candidate has nothing for.
        unexpected: names of the candidate that the net has no use for.
        misshapen: "name AxB, the net has CxD".
    """

    pairs: dict[str, str]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Each weight of the net comes from the candidate, in its shape, and nothing is left over."""
        return not (self.missing or self.unexpected or self.misshapen)

    @property
    def distance(self) -> int:
        """How many names stand in the way."""
        return len(self.missing) + len(self.unexpected) + len(self.misshapen)

    def differences(self) -> str:
        """The names that stand in the way, a few of each with their counts."""
        kinds = (("missing", self.missing), ("unexpected", self.unexpected), ("of another shape", self.misshapen))
        return "; ".join(f"{len(names)} {kind}: {_few(names)}" for kind, names in kinds if names)


def candidates(content: Any) -> list[Candidate]:
    """The state_dicts in a checkpoint, those under a usual name first and moving averages last.

    Mappings are searched four levels deep, optimizer states apart; a whole nn.Module counts as its state_dict.
    """
    found: list[Candidate] = []
    _collect(content, (), found, set())
    return sorted(found, key=lambda candidate: _rank(candidate.name))


def stored_epoch(content: Any) -> int | None:
    """The checkpoint's own `epoch`, where it has a whole number by that name at its top level."""
    value = content.get("epoch") if isinstance(content, Mapping) else None
    if isinstance(value, Tensor) and value.ndim == 0 and value.device.type == "cpu":
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value) if -1 <= value < 2**31 else None


def match(expected: StateDict, found: StateDict) -> Match:
    """Pair the names of a net's state_dict with those of a candidate.

    `module.`, `model.` and `_orig_mod.` in front of a name, in any order on either side, do not count, nor do
    `module` and `_orig_mod` inside it; in the end neither does a prefix that all names of one side have. Each such
    reading is used only where it keeps all names apart. A tied weight needs one of its names.

    Returns:
        The first reading that fits, else the one with the fewest differences.
    """
    attempts: list[Match] = []
    for read in (_exactly, _without_wrappers, _without_inner_wrappers, _without_common_prefix):
        wanted, given = _renamed(expected, read), _renamed(found, read)
        if wanted is None or given is None:
            continue
        attempts.append(_compare(expected, found, wanted, given))
        if attempts[-1].fits:
            return attempts[-1]
    return min(attempts, key=lambda attempt: attempt.distance)


def complete(expected: StateDict, found: StateDict, pairs: Mapping[str, str]) -> dict[str, Any]:
    """The net's state_dict filled from a candidate that fits; a tied weight that it lacks comes from its twin."""
    state = {name: found[pairs[name]] for name in expected if name in pairs}
    twins = {_tie(name, expected[name]): value for name, value in state.items()}
    return {name: state.get(name, twins.get(_tie(name, value), value)) for name, value in expected.items()}


def shapes(weights: StateDict, limit: int = 12) -> str:
    """The first names and shapes as lines, and how many more there are."""
    tensors = [(name, value) for name, value in weights.items() if isinstance(value, Tensor)]
    lines = [f"  {printable(name)}  {_shape(value)}" for name, value in tensors[:limit]]
    return "\n".join(lines + ([f"  and {len(tensors) - limit} more"] if len(tensors) > limit else []))


def _collect(content: Any, keys: tuple[str, ...], found: list[Candidate], visited: set[int]) -> None:
    if isinstance(content, nn.Module):
        content = content.state_dict()
    if not isinstance(content, Mapping) or len(keys) > _DEPTH or id(content) in visited:
        return
    visited.add(id(content))
    weights = {
        key: value
        for key, value in content.items()
        if isinstance(key, str) and (isinstance(value, Tensor) or key.rpartition(".")[2] in _EXTRA)
    }
    if any(isinstance(value, Tensor) for value in weights.values()):
        found.append(Candidate(".".join(keys), weights))
    for key, value in content.items():
        if isinstance(key, str) and not key.lower().startswith("optim"):
            _collect(value, (*keys, key), found, visited)


def _rank(name: str) -> tuple[bool, int, int]:
    """Usual names before others, averages after all, the outer before the inner."""
    last = name.rpartition(".")[2]
    usual = _USUAL.index(last) if last in _USUAL else len(_USUAL)
    return (
        re.search(r"(?<![a-z])(ema|swa)(?![a-z])|averag|shadow", name.lower()) is not None,
        usual if name else -1,
        name.count("."),
    )


def _renamed(names: StateDict, read: Callable[[list[str]], list[str]]) -> dict[str, str] | None:
    """Read name -> name, or None where two names would become one."""
    read_names = dict(zip(read(list(names)), names, strict=True))
    return read_names if len(read_names) == len(names) else None


def _exactly(names: list[str]) -> list[str]:
    return names


def _without_wrappers(names: list[str]) -> list[str]:
    return [re.sub(rf"^(?:(?:{'|'.join(_WRAPPERS)})\.)+", "", name) for name in names]


def _without_inner_wrappers(names: list[str]) -> list[str]:
    return [re.sub(r"(?<=\.)(?:(?:module|_orig_mod)\.)+", "", name) for name in _without_wrappers(names)]


def _without_common_prefix(names: list[str]) -> list[str]:
    parts = [name.split(".") for name in _without_inner_wrappers(names)]
    common = 0
    while parts and all(len(p) > common + 1 and p[common] == parts[0][common] for p in parts):
        common += 1
    return [".".join(p[common:]) for p in parts]


def _compare(expected: StateDict, found: StateDict, wanted: dict[str, str], given: dict[str, str]) -> Match:
    pairs = {name: given[key] for key, name in wanted.items() if key in given}
    tied = {_tie(name, expected[name]) for name in pairs}
    return Match(
        pairs,
        missing=tuple(n for n in expected if n not in pairs and _tie(n, expected[n]) not in tied and not _optional(n)),
        unexpected=tuple(name for key, name in given.items() if key not in wanted),
        misshapen=tuple(
            f"{printable(theirs)} {_shape(found[theirs])}, the net has {_shape(expected[ours])}"
            for ours, theirs in pairs.items()
            if not _same_shape(expected[ours], found[theirs])
        ),
    )


def _tie(name: str, value: Any) -> object:
    """The same for two names of one weight, and for nothing else."""
    if not isinstance(value, Tensor) or is_lazy(value) or value.layout != torch.strided or not value.numel():
        return name
    return value.device, value.data_ptr(), value.shape, value.stride()


def _optional(name: str) -> bool:
    """What evaluation does not use, and what checkpoints of torch 0.4 do not have."""
    return name.endswith("num_batches_tracked")


def _same_shape(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, Tensor) != isinstance(theirs, Tensor):
        return False
    return not isinstance(ours, Tensor) or is_lazy(ours) or bool(ours.shape == theirs.shape)


def _shape(value: Any) -> str:
    if not isinstance(value, Tensor):
        return "no tensor"
    return "x".join(map(str, value.shape)) or "one number"


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(printable(name, 120) for name in names[:_LISTED])
    return shown + (", …" if len(names) > _LISTED else "")
