"""Finds the weights, and the epoch, in what a checkpoint holds."""

from __future__ import annotations

from collections.abc import ItemsView, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from rfav_cli.checkpoints.arrays import bytes_of, tensor_of
from rfav_cli.checkpoints.stand_ins import EndlessNetError, Room, StandIn, is_module, module_weights, passed_over
from rfav_cli.checkpoints.stored_arguments import stored_arguments
from rfav_cli.errors import CheckpointError
from rfav_cli.records import Candidate, Payload
from rfav_cli.text import printable
from rfav_cli.usual_names import COUNTER, is_average, usual_place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DEPTH = 4
_MOST = 1000
"""State_dicts in a file: no training saves more."""
_MOST_PARTS = 100
"""Parts of a list that are looked at."""
_LISTED = 3
"""Kinds of objects that a note names."""
_STEPS = ("global_step", "step", "iteration", "iter", "iters", "iter_num")
_LONGEST_PART = 40
"""Characters of a key that are looked at for what it says; all keys of a file may share one long text."""
_EXTRA = ("_extra_state", "_packed_params", "dtype")


def payload_of(path: Path, content: Any) -> Payload:
    """What a file holds for a net: its state_dicts, and the epoch beside them.

    Args:
        path: the file.
        content: what its format made of it: mappings of names to tensors, nested, among anything else.

    Raises:
        CheckpointError: it holds no state_dict.
    """
    state_dicts = candidates_in(path, content)
    if not state_dicts:
        raise CheckpointError(
            f"{path}: holds {_article(content)}, not a state_dict", "Save the net's state_dict() and give that."
        )
    arguments = stored_arguments(content)
    return Payload("eager", path, state_dicts, stored_epoch(content), _notes(content), arguments=arguments)


def candidates_in(path: Path, content: Any) -> list[Candidate]:
    """The state_dicts in what a file holds, as `candidates` gives them.

    Raises:
        CheckpointError: there is no end to them.
    """
    try:
        return candidates(content)
    except EndlessNetError as error:
        raise CheckpointError(f"{path}: holds {error}", "Save the net's state_dict() and give that.") from None


def candidates(content: Any) -> list[Candidate]:
    """The state_dicts in a checkpoint, those under a usual name first and moving averages last.

    Mappings, and objects that were read as data, are searched four levels deep, optimizer states apart; a whole
    nn.Module counts as its state_dict. Arrays of NumPy are weights where there are no tensors. Of a list or tuple, such
    as (weights, optimizer state), they are those of the only part that has any; of several none is known to be meant.

    Raises:
        EndlessNetError: there are more than there can be, or a net in it has no end.
    """
    if isinstance(content, list | tuple):
        parts = parts_with_weights(content)
        return parts[0] if len(parts) == 1 else []
    found = _Found()
    _collect(content, (), found)
    if not found.state_dicts:
        found = _Found(arrays={})
        _collect(content, (), found)
    return sorted(found.state_dicts, key=_rank)


def parts_with_weights(content: Sequence[Any] | Mapping[Any, Any]) -> list[list[Candidate]]:
    """The state_dicts in each part of a list, or of what is kept under numbers, that has any.

    Raises:
        EndlessNetError: see `candidates`.
    """
    if isinstance(content, Mapping):
        parts = [value for key, value in _items(content) if not isinstance(key, str)]
    else:
        parts = list(content)
    mappings = [part for part in parts[:_MOST_PARTS] if not isinstance(part, list | tuple)]
    return [found for found in map(candidates, mappings) if found]


def stored_epoch(content: Any) -> int | None:
    """The checkpoint's own `epoch`, where it has a whole number by that name at its top level."""
    return _counter(content, "epoch", -1)


def stored_step(content: Any) -> int | None:
    """The optimisation step that a checkpoint holds at its top level, by a usual name; None where it holds none."""
    return next((step for name in _STEPS if (step := _counter(content, name, 0)) is not None), None)


def _counter(content: Any, name: str, least: int) -> int | None:
    """A whole number at the top level of a checkpoint, however it is stored."""
    value = dict(_items(content)).get(name) if isinstance(content, Mapping) else None
    if isinstance(value, Tensor) and value.ndim == 0 and value.device.type == "cpu":
        try:
            value = value.item()
        except RuntimeError:  # of a type that torch makes no number of
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value) if least <= value < 2**31 else None


@dataclass
class _Found:
    """What a search has found so far.

    Attributes:
        state_dicts: in the order of the file.
        visited: of what the file holds: a state_dict that is made here is gone soon, and its id free again.
        room: for the names of nets that were read as data.
        arrays: the tensors of arrays so far, by what the file holds; None while only tensors are looked for.
        copied: of their bytes; arrays of the same are copies of their own, too.
    """

    state_dicts: list[Candidate] = field(default_factory=list)
    visited: set[int] = field(default_factory=set)
    room: Room = field(default_factory=Room)
    arrays: dict[int, Tensor | None] | None = None
    copied: set[int] = field(default_factory=set)

    def add(self, keys: tuple[str, ...], weights: Mapping[str, Any], content: Mapping[Any, Any]) -> None:
        """Take a state_dict.

        Args:
            keys: that lead to it.
            weights: its own.
            content: what the file has there, for the versions of its modules.

        Raises:
            EndlessNetError: there are too many, or their names and versions are longer than the file can mean.
        """
        if len(self.state_dicts) == _MOST:
            raise EndlessNetError(f"more than {_MOST} state_dicts")
        self.room.take(sum(map(len, keys)))
        name = ".".join(keys)
        averaged = is_average(name) or COUNTER in weights
        self.state_dicts.append(Candidate(name, weights, self._versions(content), averaged))

    def _versions(self, content: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
        """A state_dict's versions, without what would have torch put the file's own tensors into the net."""
        metadata = getattr(content, "_metadata", None)
        if not isinstance(metadata, Mapping):
            return {}
        taken: dict[str, dict[str, Any]] = {}
        self.room.take(len(metadata))
        for path, versions in _items(metadata):
            if isinstance(path, str) and isinstance(versions, Mapping):
                self.room.take(len(versions))  # all may be one
                taken[path] = {key: value for key, value in _items(versions) if key != "assign_to_params_buffers"}
        return taken

    def tensor(self, value: Any) -> Any:
        """What a value is as a weight: an array as its tensor, once, anything else as it is."""
        if self.arrays is None or not isinstance(value, StandIn):
            return value
        if id(value) not in self.arrays:
            raw = bytes_of(value)
            if id(raw) in self.copied:
                self.room.take(len(raw))
            self.copied.add(id(raw))
            self.arrays[id(value)] = tensor_of(value)
        tensor = self.arrays[id(value)]
        return value if tensor is None else tensor


def _collect(content: Any, keys: tuple[str, ...], found: _Found) -> None:
    if len(keys) > _DEPTH or id(content) in found.visited:
        return
    found.visited.add(id(content))
    if isinstance(content, StandIn):
        for part in content.mappings():
            _collect(part, keys, found)
    if isinstance(content, nn.Module):
        content = content.state_dict()
    if isinstance(content, Mapping):
        _collect_named(content, keys, found)


def _collect_named(content: Mapping[Any, Any], keys: tuple[str, ...], found: _Found) -> None:
    if is_module(content):
        if weights := module_weights(content, found.room):
            found.add(keys, weights, {})
        return
    weights = {
        key: value
        for key, value in ((key, found.tensor(value)) for key, value in _items(content))
        if isinstance(key, str) and (isinstance(value, Tensor) or key[-_LONGEST_PART:].rpartition(".")[2] in _EXTRA)
    }
    if any(isinstance(value, Tensor) for value in weights.values()):
        found.add(keys, weights, content)
    for key, value in _items(content):
        if isinstance(key, str) and not key[:_LONGEST_PART].lower().startswith("optim"):
            _collect(value, (*keys, key), found)


def _notes(content: Any) -> tuple[str, ...]:
    kinds = [printable(kind, 80) for kind in passed_over(content)]
    if not kinds:
        return ()
    more = [f"{len(kinds) - _LISTED} more"] if len(kinds) > _LISTED else []
    *others, last = [*kinds[:_LISTED], *more]
    return (f"holds {' and '.join(filter(None, (', '.join(others), last)))}, read as data",)


def _items(content: Mapping[Any, Any]) -> ItemsView[Any, Any]:
    """What a mapping holds; not by its own `items`, which a file may have put another thing in place of."""
    return dict.items(content) if isinstance(content, dict) else content.items()


def _rank(candidate: Candidate) -> tuple[bool, int, int]:
    """Usual names before others, averages after all, the outer before the inner."""
    usual = usual_place(candidate.name) if candidate.name else -1
    return candidate.average, usual, candidate.name.count(".")


def _article(content: Any) -> str:
    if isinstance(content, list | tuple):
        return f"a {type(content).__name__} of {len(content)}"
    if isinstance(content, StandIn):
        return f"a {printable(content.kind)}"
    return "a mapping without tensors" if isinstance(content, dict) else f"a {printable(type(content).__name__)}"
