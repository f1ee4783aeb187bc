"""What `torch.save` wrote: state_dicts, bare or beside the rest of a training's state, and whole nets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints import state_dicts
from rfav_cli.checkpoints.integrity import check_archive
from rfav_cli.checkpoints.pickles import is_torch_save, is_zip, load_pickle

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload


def recognises(path: Path) -> bool:
    """Whether the file is torch.save's, told by its first bytes and, for an archive, its names."""
    return is_torch_save(path)


def read(path: Path, options: ReadOptions) -> Payload:
    """Read the state_dicts that a file holds; tensors stay in the file until they are used.

    Raises:
        CheckpointError: the file is damaged, would run code, or holds no state_dict.
    """
    return state_dicts.payload_of(path, content_of(path, options))


def content_of(path: Path, options: ReadOptions) -> Any:
    """All that a file holds; tensors stay in it until they are used.

    Raises:
        CheckpointError: the file is damaged or would run code.
    """
    content = load_pickle(path, options.trust_pickle)
    if is_zip(path):
        check_archive(path)
    return content


def stored_epoch(path: Path, options: ReadOptions) -> int | None:
    """The `epoch` beside the weights, or None.

    Raises:
        CheckpointError: the file is damaged or would run code.
    """
    return state_dicts.stored_epoch(load_pickle(path, options.trust_pickle))
