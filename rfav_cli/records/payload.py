"""What was read of a checkpoint file, on its way into a net: formats of files make it, kinds of network take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Payload:
    """A checkpoint file, read but not yet put into a network.

    Attributes:
        kind: the kind of network that takes it: "eager", "torchscript", "exported".
        path: the file.
        content: of "eager" the `Candidate`s, a list of at least one; of "torchscript" the ScriptModule; of "exported" a
            `RunnableProgram`.
        epoch: the epoch stored in the file, or None.
        notes: what the user should be told once ("the archive is frozen: ...").
        in_training: of "torchscript": a module in it was in training mode when it was saved.
        arguments: what the file says of how its net was made: key of the file -> name -> plain value
            (`checkpoints.stored_arguments`).
        sha256: of what was read, in hex, as `checkpoints.digests.digest_of` gives it; empty where it was not summed.
    """

    kind: str
    path: Path
    content: Any
    epoch: int | None = None
    notes: tuple[str, ...] = ()
    in_training: bool = False
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sha256: str = ""


@dataclass(frozen=True)
class Candidate:
    """A mapping of names to tensors found in a checkpoint: one of its state_dicts.

    Attributes:
        name: the keys that lead to it, joined by dots; empty at the top level.
        weights: the tensors, and the few other things that a net's own state_dict holds.
        versions: what a state_dict has as its `_metadata`: dotted names of modules -> {"version": number, ...}.
        average: whether these are averages of weights, as of EMA and SWA, and not what was trained.
    """

    name: str
    weights: Mapping[str, Any]
    versions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    average: bool = False


@dataclass(frozen=True)
class RunnableProgram:
    """An exported program, and how it is run.

    Attributes:
        program: the `torch.export.ExportedProgram`.
        module: the nn.Module that runs it, in float32.
        least: the fewest samples that it takes at a time.
        most: the most.
    """

    program: Any
    module: Any
    least: int
    most: int
