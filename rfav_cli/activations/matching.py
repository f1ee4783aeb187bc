"""Pairs the names of a checkpoint's weights with those of the net."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from rfav_cli.text import printable

StateDict = Mapping[str, Any]

_WRAPPERS = ("module", "model", "_orig_mod")
_LISTED = 4


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
        return "; ".join(f"{len(names)} {kind}: {_first_names(names)}" for kind, names in kinds if names)


def match(expected: StateDict, weights: StateDict) -> Match:
    """Pair the names of a net's state_dict with those of a candidate.

    `module.`, `model.` and `_orig_mod.` in front of a name, in any order on either side, do not count, nor do
    `module` and `_orig_mod` inside it; in the end neither does a prefix that all names of one side have. Each such
    reading is used only where it keeps all names apart. A tied weight needs one of its names.

    Returns:
        The first reading that fits, else the one with the fewest differences.
    """
    attempts: list[Match] = []
    for read in (_exactly, _without_wrappers, _without_inner_wrappers, _without_common_prefix):
        net_names, file_names = _renamed(expected, read), _renamed(weights, read)
        if net_names is None or file_names is None:
            continue
        attempts.append(_compare(expected, weights, net_names, file_names))
        if attempts[-1].fits:
            return attempts[-1]
    return min(attempts, key=lambda attempt: attempt.distance)


def complete(expected: StateDict, weights: StateDict, pairs: Mapping[str, str]) -> dict[str, Any]:
    """The net's state_dict filled from a candidate that fits; a tied weight that it lacks comes from its other name."""
    state = {name: weights[pairs[name]] for name in expected if name in pairs}
    tied = {_tie(name, expected[name]): value for name, value in state.items()}
    return {name: state.get(name, tied.get(_tie(name, value), value)) for name, value in expected.items()}


def shapes(weights: StateDict, limit: int = 12) -> str:
    """The first names and shapes as lines, and how many more there are."""
    tensors = [(name, value) for name, value in weights.items() if isinstance(value, Tensor)]
    lines = [f"  {printable(name)}  {_shape(value)}" for name, value in tensors[:limit]]
    return "\n".join(lines + ([f"  and {len(tensors) - limit} more"] if len(tensors) > limit else []))


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


def _compare(expected: StateDict, weights: StateDict, net_names: dict[str, str], file_names: dict[str, str]) -> Match:
    pairs = {name: file_names[key] for key, name in net_names.items() if key in file_names}
    tied = {_tie(name, expected[name]) for name in pairs}
    return Match(
        pairs,
        missing=tuple(n for n in expected if n not in pairs and _tie(n, expected[n]) not in tied and not _optional(n)),
        unexpected=tuple(name for key, name in file_names.items() if key not in net_names),
        misshapen=tuple(
            f"{printable(name_there)} {_shape(weights[name_there])}, the net has {_shape(expected[name])}"
            for name, name_there in pairs.items()
            if not _same_shape(expected[name], weights[name_there])
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


def _same_shape(wanted: Any, stored: Any) -> bool:
    if isinstance(wanted, Tensor) != isinstance(stored, Tensor):
        return False
    return not isinstance(wanted, Tensor) or is_lazy(wanted) or bool(wanted.shape == stored.shape)


def _shape(value: Any) -> str:
    if not isinstance(value, Tensor):
        return "no tensor"
    return "x".join(map(str, value.shape)) or "one number"


def _first_names(names: tuple[str, ...]) -> str:
    shown = ", ".join(printable(name, 120) for name in names[:_LISTED])
    return shown + (", …" if len(names) > _LISTED else "")
