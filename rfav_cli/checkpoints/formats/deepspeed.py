"""What DeepSpeed's `save_checkpoint` wrote, where one rank held the whole net: `mp_rank_00_model_states.pt`.

Trainers put its folder into one of their own. Where ranks held parts (ZeRO stage 3, tensor or pipeline parallelism)
DeepSpeed's own script has to join them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.formats import huggingface, state_dict
from rfav_cli.checkpoints.opened import digest_of_folder
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload

_WEIGHTS = "mp_rank_00_model_states.pt"
_STATES = re.compile(r".*(?:mp_rank|layer)_\d+[\w-]*model_states\.pt")
"""The files of weights, of one rank or of each."""
_OF_A_TRAINER = ("trainer_state.json", "random_states_0.pkl")
"""Either says that DeepSpeed's folder belongs to the checkpoint that the trainer made of the one around it."""


def recognises(path: Path) -> bool:
    """Whether DeepSpeed's files are there, or, in a trainer's checkpoint, in one folder of it."""
    return _place(path) is not None


def weight_files(path: Path) -> list[Path]:
    """The one file of weights, or those of all ranks."""
    return _states(_place(path) or path)


def read(path: Path, options: ReadOptions) -> Payload:
    """Read the weights.

    Raises:
        CheckpointError: the file is damaged or would run code, or ranks held parts of the net.
    """
    payload = state_dict.read(_single(path), options)
    epoch = huggingface.trainer_epoch(path)
    digest = digest_of_folder(path, {_single(path): payload.sha256})
    return replace(payload, path=path, epoch=payload.epoch if epoch is None else epoch, sha256=digest)


def stored_epoch(path: Path, options: ReadOptions) -> int | None:
    """The `epoch` that the trainer says, or that was saved beside the weights; None without.

    Raises:
        CheckpointError: the file is damaged or would run code, or ranks held parts of the net.
    """
    weights, epoch = _single(path), huggingface.trainer_epoch(path)
    return state_dict.stored_epoch(weights, options) if epoch is None else epoch


def _place(path: Path) -> Path | None:
    """The folder with DeepSpeed's files: this, or the one of several in it that has some."""
    if _states(path):
        return path
    if not any((path / name).is_file() for name in _OF_A_TRAINER):
        return None
    inner = [entry for entry in path.iterdir() if entry.is_dir() and _states(entry)]
    return inner[0] if len(inner) == 1 else None


def _states(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if _STATES.fullmatch(entry.name) and entry.is_file())


def _single(path: Path) -> Path:
    """The file that holds the whole net.

    Raises:
        CheckpointError: there is none, since ranks held parts.
    """
    files = weight_files(path)
    if [file.name for file in files] == [_WEIGHTS]:
        return files[0]
    if any("zero_pp_rank" in file.name for file in files):
        raise CheckpointError(
            f"{path}: ranks held parts of the net (ZeRO stage 3)",
            "Join them with DeepSpeed's own script, in the folder above: python zero_to_fp32.py . joined",
        )
    raise CheckpointError(
        f"{path}: {len(files)} files hold parts of the net (tensor or pipeline parallelism)",
        "Join them with ds_to_universal.py of DeepSpeed, or save the net's state_dict() and give that.",
    )
