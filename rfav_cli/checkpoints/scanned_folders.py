"""Folders that are one checkpoint, named as what they are; the files in them are looked through one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.checkpoints import formats
from rfav_cli.errors import CheckpointError
from rfav_cli.records import ScanFinding, ScannedFile
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_MARKS = (".metadata", "trainer_state.json", "config.json", "adapter_config.json", "random_states_0.pkl", "latest")
_ENDINGS = (".index.json", "model_states.pt", ".distcp", "model.safetensors", "pytorch_model.bin")
"""Names of files of which each such folder has one; without, torch is not loaded to ask."""


def inspect_folder(folder: Path, names: Collection[str], shown: str) -> ScannedFile | None:
    """What a folder is, where it is one checkpoint; None for any other.

    Args:
        folder: the folder.
        names: of the files directly in it.
        shown: its name for the user.
    """
    if not any(name in _MARKS or name.endswith(_ENDINGS) for name in names):
        return None
    try:
        name = formats.format_of(folder)
    except CheckpointError:
        return None
    what = f"{formats.FOLDERS[name].removeprefix('folders of ')} folder"
    try:
        size = sum(file.stat().st_size for file in formats.weight_files(folder))
    except CheckpointError as error:
        words = printable(error.what.removeprefix(f"{folder}: "), 500)
    except OSError as error:
        words = f"cannot be read: {what_it_says(error)}"
    else:
        return ScannedFile(shown, name, what, size, opens=True)
    return ScannedFile(shown, name, what, 0, why_not=words, findings=(ScanFinding("refused", words),))
