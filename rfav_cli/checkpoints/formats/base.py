"""What every format of checkpoints gives, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.records import Payload


@dataclass(frozen=True)
class ReadOptions:
    """How checkpoint files are read.

    Attributes:
        trust_pickle: load pickles that run code.
        trust_program: load programs with operators that nets do not need.
        device: where the weights of a program go; those of a state_dict stay in the file until a net takes them.
    """

    trust_pickle: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    trust_program: bool = False

    @classmethod
    def of(cls, options: Trusting | None, device: torch.device | None = None) -> ReadOptions:
        """What the user chose; nothing is trusted without options, and the device is the CPU unless it is told."""
        trust = (False, False) if options is None else (options.i_trust_this_pickle, options.i_trust_this_program)
        return cls(trust[0], device or torch.device("cpu"), trust[1])


class Trusting(Protocol):
    """Options that say what files are trusted with."""

    @property
    def i_trust_this_pickle(self) -> bool: ...  # noqa: D102
    @property
    def i_trust_this_program(self) -> bool: ...  # noqa: D102


class Format(Protocol):
    """A module that reads the checkpoints of one format: files, or folders (`FolderFormat`)."""

    def recognises(self, path: Path) -> bool:
        """Whether a file is of this format, told by its content; false for any other file, however damaged.

        Raises:
            OSError: the file cannot be read.
        """

    def read(self, path: Path, options: ReadOptions) -> Payload:
        """Read a file, as data: nothing of it is run unless the user trusts it.

        Raises:
            CheckpointError: the file is damaged, or holds what could do more than compute.
        """

    def stored_epoch(self, path: Path, options: ReadOptions) -> int | None:
        """The epoch that a file holds, where that is cheaper to tell than to read it; else None.

        Raises:
            CheckpointError: the file is damaged, or holds what could do more than compute.
        """


class FolderFormat(Format, Protocol):
    """A module that reads folders, each of which is one checkpoint.

    `recognises` is told of folders alone. It is false for a folder that checkpoints lie in.
    """

    def weight_files(self, path: Path) -> list[Path]:
        """The files in a folder, or below it, that hold the weights which `read` gives.

        Raises:
            CheckpointError: the folder is damaged, or names files that are not in it.
            OSError: the folder cannot be read.
        """
