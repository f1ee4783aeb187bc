"""What a checkpoint holds, as far as finding a run takes it: epoch, step, names and shapes; no tensor is read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.checkpoints import archives, formats, pickles, state_dicts
from rfav_cli.checkpoints.formats import safetensors
from rfav_cli.checkpoints.pickles import is_zip
from rfav_cli.checkpoints.stand_ins import EndlessNetError
from rfav_cli.errors import CheckpointError
from rfav_cli.files.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.checkpoints.saved import Saved
    from rfav_cli.records import Candidate

Shapes = Mapping[str, tuple[int, ...]]

_OPTIMIZER = frozenset({"state", "param_groups"})
_SCHEDULER = frozenset({"last_epoch", "base_lrs", "_last_lr", "_step_count"})
_SCALER = frozenset({"scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"})
_SAMPLES = frozenset(
    {"x", "y", "images", "image", "labels", "label", "inputs", "targets", "target", "data", "features", "indices"}
)
SEVERAL = "the weights of several nets or epochs in one list"
"""What is told of a file that holds them."""
_GRADIENT = re.compile(r"(?<![a-z])grad(?:s|ients?)?(?![a-z])", re.IGNORECASE)
_SMALL_JSON = 2**24
"""Bytes of a `trainer_state.json`, which has a line for each step that was logged, that are read."""
_LONGEST_HEADER = 10**8
"""Bytes of the header of a safetensors file, by its makers."""


@dataclass(frozen=True)
class Contents:
    """What a checkpoint holds.

    Attributes:
        path: the file or folder.
        other: what it holds where that is no weights ("optimizer state"); empty where it is weights.
        epoch: the one stored in it, or None.
        step: the one stored in it, or None.
        shapes: the names and shapes of its foremost state_dict; empty where that takes more than a look, and of
            programs.
    """

    path: Path
    other: str = ""
    epoch: int | None = None
    step: int | None = None
    shapes: Shapes = field(default_factory=dict)


def look_into(path: Path, options: ReadOptions) -> Contents:
    """Look into a checkpoint of any format.

    Raises:
        CheckpointError: it is missing, empty, of no known format, or would run code; not each fault is found.
    """
    name = formats.format_of(path)
    if name == "state_dict":
        return _of_pickle(path, options)
    if name == "safetensors":
        epoch, step = safetensors.stored_number(path, "epoch"), safetensors.stored_number(path, "step", "global_step")
        return Contents(path, epoch=epoch, step=step, shapes=_header_of(path))
    epoch = formats.stored_epoch(path, options)
    return Contents(path, epoch=epoch, step=_trainer_step(path) if path.is_dir() else None)


@dataclass(frozen=True)
class Comparable:
    """A checkpoint that is open to be compared.

    Attributes:
        state_dicts: the tensors of each by their names; none of a program.
        fill: reads the numbers of a tensor, which mean nothing before.
    """

    state_dicts: Sequence[Mapping[str, Tensor]]
    fill: Callable[[Tensor], None]


@contextmanager
def comparable(path: Path, options: ReadOptions) -> Iterator[Comparable]:
    """A checkpoint, to be compared; without its checksums, which take a look at every byte.

    Raises:
        CheckpointError: it cannot be read.
    """
    name = formats.format_of(path)
    with ExitStack() as stack:
        if name == "state_dict":
            found = stack.enter_context(pickles.saved(path, options.trust_pickle))
            yield Comparable(_tensors(_weights_in(path, found.content)), found.fill)
        elif name == "safetensors":
            found = stack.enter_context(safetensors.saved(path))
            yield Comparable([found.content], found.fill)
        else:
            payload = formats.read(path, options)
            yield Comparable(_tensors(payload.content if payload.kind == "eager" else ()), lambda _: None)


def _tensors(state_dicts: Sequence[Candidate]) -> list[dict[str, Tensor]]:
    return [{name: value for name, value in each.weights.items() if isinstance(value, Tensor)} for each in state_dicts]


def _of_pickle(path: Path, options: ReadOptions) -> Contents:
    try:
        with _looked_into(path, options) as found:
            return _contents(path, found.content)
    except CheckpointError:
        if is_zip(path) and _has_no_tensors(path):
            return Contents(path, "no tensors")
        raise


@contextmanager
def _looked_into(path: Path, options: ReadOptions) -> Iterator[Saved]:
    """What a file holds, read as data where it can be: what makes objects reads all numbers, too."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(pickles.saved(path, trust=False))
        except CheckpointError:
            if not options.trust_pickle:
                raise
            found = stack.enter_context(pickles.saved(path, trust=True))
        yield found


def _contents(path: Path, content: Any) -> Contents:
    found = _weights_in(path, content)
    if not found:
        return Contents(path, _other(content))
    other = "gradients" if _GRADIENT.search(path.stem) else ""
    shapes = {name: tuple(value.shape) for name, value in found[0].weights.items() if isinstance(value, Tensor)}
    return Contents(path, other, state_dicts.stored_epoch(content), state_dicts.stored_step(content), shapes)


def _weights_in(path: Path, content: Any) -> list[Candidate]:
    """The state_dicts that may be of a net.

    Raises:
        CheckpointError: there is no end to them.
    """
    if _keys(content) >= _OPTIMIZER:
        return []
    try:
        return [found for found in state_dicts.candidates(content) if _may_be_weights(found)]
    except EndlessNetError as error:
        raise CheckpointError(f"{path}: holds {error}", "Save the net's state_dict() and give that.") from None


def _keys(content: Any) -> set[str]:
    """The names at the top level; not by its own `keys`, which a file may have put another thing in place of."""
    return {key for key in dict.keys(content) if isinstance(key, str)} if isinstance(content, dict) else set()


def _may_be_weights(candidate: Candidate) -> bool:
    tensors = {name: value for name, value in candidate.weights.items() if isinstance(value, Tensor)}
    if _GRADIENT.search(candidate.name) or all(name.endswith(".grad") for name in tensors):
        return False
    if all(_is_of_generator(value) for value in tensors.values()) or tensors.keys() <= _SAMPLES:
        return False
    return any(value.ndim for value in tensors.values())


def _is_of_generator(tensor: Tensor) -> bool:
    """Whether a tensor may be the state of a random generator."""
    return tensor.dtype == torch.uint8 and tensor.ndim == 1


def _other(content: Any) -> str:
    """What a content is that holds no weights."""
    keys = _keys(content)
    if keys >= _OPTIMIZER:
        return "optimizer state"
    if len(keys & _SCHEDULER) > 1 or keys == {"last_epoch"}:
        return "scheduler state"
    if keys and keys <= _SCALER:
        return "scaler state"
    found = state_dicts.candidates(content)
    tensors = [value for each in found for value in each.weights.values() if isinstance(value, Tensor)]
    if tensors and all(map(_is_of_generator, tensors)):
        return "state of random generators"
    if any(_GRADIENT.search(each.name) or any(name.endswith(".grad") for name in each.weights) for each in found):
        return "gradients"
    several = isinstance(content, list | tuple | dict) and len(state_dicts.parts_with_weights(content)) > 1
    return SEVERAL if several else "no weights"


def _has_no_tensors(path: Path) -> bool:
    """Whether an archive of torch.save holds not one tensor, told by its members alone."""
    names = archives.member_names(path)
    return bool(names) and not any(name.startswith("data/") for name in names)


def _header_of(path: Path) -> Shapes:
    """The names and shapes in a safetensors header; none where it is damaged, which reading will tell."""
    try:
        with safetensors.saved(path) as found:
            return {name: tuple(value.shape) for name, value in found.content.items()}
    except (CheckpointError, OSError):
        return {}


def _trainer_step(folder: Path) -> int | None:
    """The `global_step` in a folder's `trainer_state.json`, where Trainer of transformers wrote one."""
    file = folder / "trainer_state.json"
    try:
        with open_regular(file) as opened:
            text = opened.read(_SMALL_JSON + 1)
        step = json.loads(text).get("global_step") if len(text) <= _SMALL_JSON else None
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return step if isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 2**31 else None
