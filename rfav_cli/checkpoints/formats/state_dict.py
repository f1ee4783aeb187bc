"""What `torch.save` wrote: state_dicts, bare or beside the rest of a training's state, and whole nets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints import state_dicts
from rfav_cli.checkpoints.pickles import is_torch_save, saved

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload


def recognises(path: Path) -> bool:
    """Whether the file is torch.save's, told by its first bytes and, for an archive, its names."""
    return is_torch_save(path)


def read(path: Path, options: ReadOptions) -> Payload:
    """Read the state_dicts that a file holds; what else is in it, such as an optimizer's numbers, is only summed.

    Raises:
        CheckpointError: the file is damaged, would run code, holds no state_dict, or changes meanwhile.
    """
    content, digest = content_of(path, options)
    return replace(state_dicts.payload_of(path, content), sha256=digest)


def content_of(path: Path, options: ReadOptions) -> tuple[Any, str]:
    """All that a file holds, in which the numbers of its state_dicts alone are read, and its digest.

    Raises:
        CheckpointError: the file is damaged, would run code, or changes meanwhile.
    """
    with saved(path, options.trust_pickle) as found:
        for candidate in state_dicts.candidates_in(path, found.content):
            found.fill(candidate.weights)
        return found.content, found.digest()


def stored_epoch(path: Path, options: ReadOptions) -> int | None:
    """The `epoch` beside the weights, or None.

    Raises:
        CheckpointError: the file is damaged or would run code.
    """
    with saved(path, options.trust_pickle) as found:
        return state_dicts.stored_epoch(found.content)
