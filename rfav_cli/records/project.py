"""What was recognised in a user's folder, and what was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Choice:
    """Something that an option may be set to.

    Attributes:
        value: what the option takes.
        why: how it was told, in words.
        arguments: of a net, what `--model-arg` takes with it.
    """

    value: str
    why: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recognised:
    """What lies in a folder.

    Attributes:
        checkpoints: what `rfav analyze` takes, the folder or file as it is named.
        count: how many checkpoints there are.
        epochs: the first and the last.
        kind: what the checkpoints are: "eager" where a net has to be made for their weights, "torchscript", "exported".
        notes: what the user should be told of how they were found.
        unit: what the epochs count, "epoch" or "step".
        nets: what `--model` may be, the likeliest first; none where the checkpoints hold their net.
        samples: what `--probe` may be, the likeliest first.
    """

    checkpoints: str
    count: int
    epochs: tuple[int, int]
    kind: str
    notes: tuple[str, ...] = ()
    unit: str = "epoch"
    nets: tuple[Choice, ...] = ()
    samples: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class ProjectSetup:
    """What `rfav init` has made.

    Attributes:
        recognised: what it saw.
        settings: option -> value, as they stand in `[tool.rfav]`.
        files: path -> text, of what was written, or would be.
        command: the line to type next.
        written: the files were written.
    """

    recognised: Recognised
    settings: Mapping[str, str | tuple[str, ...]]
    files: Mapping[Path, str]
    command: str
    written: bool
