"""Reads the names of a checkpoint's weights as those of the net: which dictionary is meant, under which prefix."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from rfav_cli.text import printable

if TYPE_CHECKING:
    from rfav_cli.records import Candidate

StateDict = Mapping[str, Any]
Rename = Callable[[str], str]

_PRIVATE = "_orig_mod|_fsdp_wrapped_module|_fpw_module|_checkpoint_wrapped_module|_forward_module"
"""What torch.compile, FSDP (now and once), activation checkpointing and Fabric call what they wrap."""
_WRAPPERS = frozenset({"module", "model", *_PRIVATE.split("|")})
_MOST_PREFIXES = 4
"""Prefixes that hold only some of the net's names and are tried for all that."""


@dataclass(frozen=True)
class Reading:
    """One way to read the names of a candidate as those of the net.

    Attributes:
        names: what the net is given -> the candidate's name for it.
        prefix: the candidate's prefix, with its dot, under which the net is.
        beside: names of the candidate that are not under the prefix, and are no business of the net.
        versions: the versions of the modules that the names are of, as a state_dict's `_metadata` has them.
        missing: names of the net that the candidate has nothing for.
        unexpected: names of the candidate that are no name of the net.
        misshapen: name of the net -> "AxB, the net has CxD".
    """

    names: dict[str, str]
    prefix: str
    beside: tuple[str, ...]
    versions: dict[str, dict[str, Any]]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: dict[str, str]

    @property
    def holds_all(self) -> bool:
        """Each weight of the net is there, in its shape."""
        return not (self.missing or self.misshapen)

    @property
    def fits(self) -> bool:
        """Each weight of the net is there, in its shape, and nothing is left over."""
        return self.holds_all and not self.unexpected

    @property
    def found(self) -> int:
        """How many of the net's names are there, in the right shape."""
        return len(self.names) - len(self.unexpected) - len(self.misshapen)

    @property
    def distance(self) -> int:
        """How many names stand in the way."""
        return len(self.missing) + len(self.unexpected) + len(self.misshapen)

    def fill(self, expected: StateDict, weights: StateDict) -> OrderedDict[str, Any]:
        """The state_dict for the net's `load_state_dict`.

        A weight that has two names in the net and one in the file comes from the one. Counters of batch normalisation,
        which evaluation does not use and torch 0.4 did not save, stay as they are.
        """
        state = OrderedDict((name, weights[there]) for name, there in self.names.items())
        tied = {_tie(name, expected[name]): value for name, value in state.items() if name in expected}
        for name, own in expected.items():
            if (
                name not in state
                and (value := tied.get(_tie(name, own), own if is_optional(name) else None)) is not None
            ):
                state[name] = value
        if self.versions:
            state._metadata = self.versions  # type: ignore[attr-defined]  # where load_state_dict looks for it
        return state


def readings(expected: StateDict, candidate: Candidate) -> list[Reading]:
    """The ways to read the names of a candidate as those of a net's state_dict.

    What wrappers put into names does not count, on either side, nor does a prefix under which all names of the net are,
    on either side. Each such reading is used only where it keeps all names apart. Where the candidate has names beside
    the prefix, all of the net's must be under it. A tied weight needs one of its names.

    Returns:
        All of the simplest kind that fits; where none fits by its names, all that there are, the nearest first.
    """
    attempts: list[Reading] = []
    for rename, whole in [(rename, False) for rename in _RENAMES] + [(rename, True) for rename in _RENAMES]:
        net_names, file_names = _renamed(expected, rename), _renamed(candidate.weights, rename)
        if net_names is None or file_names is None:
            continue
        of_this_kind = [
            _read(expected, candidate, net_names, file_names, (ours, theirs, rename), whole)
            for ours in ([_common_prefix(net_names)] if whole else _wrapper_prefixes(net_names))
            for theirs in _prefixes({name[len(ours) :] for name in net_names}, list(file_names))
        ]
        if any(reading.fits for reading in of_this_kind):
            return _different(reading for reading in of_this_kind if reading.holds_all)
        attempts += of_this_kind
    return sorted(_different(attempts), key=lambda reading: (-reading.found, reading.distance))


def is_optional(name: str) -> bool:
    """Whether a name is of what evaluation does not use."""
    return name.endswith("num_batches_tracked")


def shapes(weights: StateDict, limit: int = 12) -> str:
    """The first names and shapes as lines, and how many more there are."""
    tensors = [(name, value) for name, value in weights.items() if isinstance(value, Tensor)]
    lines = [f"  {printable(name)}  {shape_of(value)}" for name, value in tensors[:limit]]
    return "\n".join(lines + ([f"  and {len(tensors) - limit} more"] if len(tensors) > limit else []))


def shape_of(value: Any) -> str:
    """A tensor's shape in words: "AxB"."""
    if not isinstance(value, Tensor):
        return "no tensor"
    return "x".join(map(str, value.shape)) or "one number"


def unlike_shape(name: str, stored: Any, own: Any) -> str:
    """What is to be said where a weight of the file has another shape than the net's; empty where it has not."""
    if not (isinstance(own, Tensor) and isinstance(stored, Tensor)):
        alike = isinstance(own, Tensor) == isinstance(stored, Tensor)
    else:
        # A single number had an axis in torch 0.3.
        alike = is_lazy(own) or stored.shape == own.shape or (stored.shape == (1,) and own.dim() == 0)
    return "" if alike else f"{printable(name)} {shape_of(stored)}, the net has {shape_of(own)}"


def _different(attempts: Iterable[Reading]) -> list[Reading]:
    first: dict[object, Reading] = {}
    for reading in attempts:
        first.setdefault(frozenset(reading.names.items()), reading)
    return list(first.values())


def _without(pattern: str) -> Rename:
    return lambda name: re.sub(pattern, "", name)


_RENAMES: tuple[Rename, ...] = (
    lambda name: name,
    _without(rf"(?<![^.])(?:{_PRIVATE})\."),
    _without(rf"(?<![^.])(?:{_PRIVATE})\.|(?<=\.)module\."),
    _without(rf"(?<![^.])(?:{'|'.join(sorted(_WRAPPERS))})\."),
)
"""As they are; without what only wrappers have in their names; without `module` inside them, too; without all of it."""


def _renamed(names: Iterable[str], rename: Rename) -> dict[str, str] | None:
    """Read name -> name, or None where two names would become one."""
    pairs = [(rename(name), name) for name in names]
    return read if len(read := dict(pairs)) == len(pairs) else None


def _common_prefix(names: Iterable[str]) -> str:
    """What all names begin with, up to a dot; a last part is always left."""
    parts = [name.split(".") for name in names]
    common = 0
    while parts and all(len(p) > common + 1 and p[common] == parts[0][common] for p in parts):
        common += 1
    return "".join(f"{part}." for part in parts[0][:common]) if parts else ""


def _wrapper_prefixes(names: Iterable[str]) -> Iterator[str]:
    """No prefix, and what wrappers alone put before all names."""
    yield ""
    parts = _common_prefix(names).split(".")[:-1]
    count = next((i for i, part in enumerate(parts) if part not in _WRAPPERS), len(parts))
    if count:
        yield "".join(f"{part}." for part in parts[:count])


def _prefixes(net_names: set[str], file_names: list[str]) -> list[str]:
    """Prefixes of a file's names under which the net may be: those with all of its names, and a few others."""
    count: Counter[str] = Counter()
    for name in file_names:
        parts = name.split(".")
        for start in range(len(parts)):
            if ".".join(parts[start:]) in net_names:
                count["".join(f"{part}." for part in parts[:start])] += 1
    needed = sum(not is_optional(name) for name in net_names)
    full = [prefix for prefix, number in count.items() if number >= needed]
    some = [prefix for prefix, _ in count.most_common(_MOST_PREFIXES)]
    return list(dict.fromkeys([*full, *some, "", *_wrapper_prefixes(file_names), _common_prefix(file_names)]))


def _read(
    expected: StateDict,
    candidate: Candidate,
    net_names: dict[str, str],
    file_names: dict[str, str],
    reading: tuple[str, str, Rename],
    whole: bool,
) -> Reading:
    """Read with a prefix on the net's side and one on the file's; with `whole` no name may be beside the latter."""
    ours, theirs, rename = reading
    short = {name[len(ours) :]: own for name, own in net_names.items()}
    under = {key[len(theirs) :]: name for key, name in file_names.items() if key.startswith(theirs)}
    beside = {key: name for key, name in file_names.items() if not key.startswith(theirs)}
    names = {short.get(key, ours + key): name for key, name in under.items()}
    if whole:
        names |= beside
        beside = {}
    versions = {}
    for path, version in candidate.versions.items():
        key = rename(f"{path}." if path else "")
        if key.startswith(theirs):
            versions[(ours + key[len(theirs) :]).removesuffix(".")] = dict(version)
    paired = {name: there for name, there in names.items() if name in expected}
    tied = {_tie(name, expected[name]) for name in paired}
    wrong = {name: unlike_shape(there, candidate.weights[there], expected[name]) for name, there in paired.items()}
    return Reading(
        names,
        theirs,
        tuple(beside.values()),
        versions,
        missing=tuple(
            n for n in expected if n not in paired and _tie(n, expected[n]) not in tied and not is_optional(n)
        ),
        unexpected=tuple(there for name, there in names.items() if name not in expected),
        misshapen={name: words for name, words in wrong.items() if words},
    )


def _tie(name: str, value: Any) -> object:
    """The same for two names of one weight, and for nothing else."""
    if not isinstance(value, Tensor) or is_lazy(value) or value.layout != torch.strided or not value.numel():
        return name
    return value.device, value.data_ptr(), value.shape, value.stride()
