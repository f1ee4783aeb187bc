"""Folders that transformers' `Trainer` and `save_pretrained`, and accelerate's `save_state`, write.

The weights are one file of a usual name or several with an index; beside them lies the rest of a training's state.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints import shards, state_dicts
from rfav_cli.checkpoints.formats import safetensors, state_dict
from rfav_cli.checkpoints.json_files import read_json
from rfav_cli.checkpoints.opened import digest_of_folder
from rfav_cli.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.records import Payload

_WHOLE = (
    *("model.safetensors", "pytorch_model.bin", "pytorch_model_fsdp.bin"),
    *("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
)
"""Files that hold all weights; the first is taken, as by those who write them."""
_INDEX = ".index.json"
_ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")
_STATES = "random_states_0.pkl"
"""What accelerate's `save_state` always writes; several models of one training lie beside it."""
_MORE = re.compile(r"(?:pytorch_)?model_(?P<number>\d{1,4})\.(?:safetensors|bin)")
_TRAINER_STATE = "trainer_state.json"
_ENDINGS = (".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".tar", ".pkl", ".torch", ".pt2")
_BESIDE = re.compile(
    r"(?:.*optim|.*sched|.*rng|random_states|.*scaler|.*sampler|training_args|custom_checkpoint|dl_state|adapter_)"
    r"|(?:diffusion_)?(?:pytorch_)?model(?:_fsdp)?(?:-\d+-of-\d+)?\.(?:bin|safetensors)$",
    re.IGNORECASE,
)
"""What lies beside weights in such a folder, and their other forms."""


def recognises(path: Path) -> bool:
    """Whether the usual names are there, and no file that may be a checkpoint of its own."""
    names = _names(path)
    if not (_whole(names) or _index(names) or _shards(names) or any(name in names for name in _ADAPTERS)):
        return False
    if _index(names) or _TRAINER_STATE in names or _STATES in names:
        return True
    return all(_BESIDE.match(name) for name in names if name.lower().endswith(_ENDINGS))


def weight_files(path: Path) -> list[Path]:
    """The file of weights, or all where they lie in several.

    Raises:
        CheckpointError: one is missing, or the index is damaged.
    """
    names = _names(path)
    if whole := _whole(names):
        return [path / whole, *(path / name for name in _others(names))]
    if index := _index(names):
        return shards.indexed_files(path / index)
    if _shards(names):
        return shards.numbered_files(path, _shards(names))
    return [path / name for name in _ADAPTERS if name in names]


def read(path: Path, options: ReadOptions) -> Payload:
    """Read the weights; of a training of several models those of each.

    Raises:
        CheckpointError: a file is damaged or missing, or the folder holds a PEFT adapter alone.
    """
    digests: dict[Path, str] = {}

    def take(file: Path) -> Any:
        content, digests[file] = _load(file, options)
        return content

    def load(file: Path) -> Mapping[str, Any]:
        content = take(file)
        if not isinstance(content, dict):
            raise CheckpointError(f"{file}: holds no weights", "Copy or save the folder again, or leave it out.")
        return content

    names = _names(path)
    _refuse_adapter(path, names)
    files = weight_files(path)
    if not _whole(names):
        index = _index(names)
        content: Any = shards.joined(path, files, load, path / index if index else None)
    elif len(files) == 1:
        content = take(files[0])
    else:
        content = {file.stem.removeprefix("pytorch_"): load(file) for file in files}
    digest = digest_of_folder(path, digests)
    return replace(state_dicts.payload_of(path, content), epoch=stored_epoch(path, options), sha256=digest)


def stored_epoch(path: Path, _: ReadOptions) -> int | None:
    """The whole epoch that the trainer says in `trainer_state.json`; None where it says none, or a part of one.

    Raises:
        CheckpointError: the folder holds a PEFT adapter alone.
    """
    names = _names(path)
    _refuse_adapter(path, names)
    return trainer_epoch(path)


def trainer_epoch(path: Path) -> int | None:
    """The whole epoch that `trainer_state.json` in a folder says; None where it says none, or is not there."""
    if not (path / _TRAINER_STATE).is_file():
        return None
    try:
        return state_dicts.stored_epoch(read_json(path / _TRAINER_STATE))
    except CheckpointError:  # the weights do not need it
        return None


def _load(file: Path, options: ReadOptions) -> tuple[Any, str]:
    """What a file holds, and its digest."""
    return safetensors.content_of(file) if file.suffix == ".safetensors" else state_dict.content_of(file, options)


def _names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir() if entry.is_file()}


def _whole(names: set[str]) -> str:
    return next((name for name in _WHOLE if name in names), "")


def _index(names: set[str]) -> str:
    return next((name + _INDEX for name in _WHOLE if name + _INDEX in names), "")


def _shards(names: set[str]) -> set[str]:
    """The files whose names say that they are parts of a usual one."""
    found = {name: match for name in names if (match := shards.SHARD.fullmatch(name))}
    return {name for name, match in found.items() if match["stem"] + match["ending"] in _WHOLE}


def _others(names: set[str]) -> list[str]:
    """The files of a training's further models, in their order."""
    found = {int(match["number"]): name for name in sorted(names) if (match := _MORE.fullmatch(name))}
    return [found[number] for number in sorted(found)] if _STATES in names else []


def _refuse_adapter(path: Path, names: set[str]) -> None:
    if not (_whole(names) or _index(names) or _shards(names)):
        raise CheckpointError(
            f"{path}: holds a PEFT adapter alone, without the weights that it adapts",
            "Merge it: model.merge_and_unload().save_pretrained(FOLDER), and give that folder.",
        )
