from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import Marker, state

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


def save(path: Path, weights: Any) -> None:
    save_file(weights, path) if path.suffix == ".safetensors" else torch.save(weights, path)


def in_parts(folder: Path, stem: str, ending: str, *, index: bool = True) -> dict[str, str]:
    """The weights of a small net in three files."""
    weights = state()
    files = {name: f"{stem}-{1 + place % 3:05}-of-00003.{ending}" for place, name in enumerate(weights)}
    for file in set(files.values()):
        save(folder / file, {name: weights[name] for name in weights if files[name] == file})
    if index:
        (folder / f"{stem}.{ending}.index.json").write_text(json.dumps({"weight_map": files}))
    return files


def beside(folder: Path, epoch: float) -> None:
    """What a trainer leaves beside weights."""
    torch.save({"state": {}}, folder / "optimizer.pt")
    torch.save({"last_epoch": 3}, folder / "scheduler.pt")
    torch.save({"cpu": torch.get_rng_state()}, folder / "rng_state_0.pth")
    (folder / "training_args.bin").write_bytes(b"a pickle of its own")
    (folder / "trainer_state.json").write_text(json.dumps({"epoch": epoch, "global_step": 50, "log_history": []}))


def read(folder: Path) -> dict[str, dict[str, Tensor]]:
    return {candidate.name: dict(candidate.weights) for candidate in formats.read(folder, ReadOptions()).content}


def same(weights: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return weights.keys() == expected.keys() and all(torch.equal(weights[name], expected[name]) for name in expected)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "pytorch_model_fsdp.bin"])
def test_weights_in_one_file(tmp_path: Path, name: str) -> None:
    save(tmp_path / name, state())
    beside(tmp_path, 2.0)
    assert formats.is_checkpoint_folder(tmp_path)
    assert same(read(tmp_path)[""], state())
    assert formats.weight_files(tmp_path) == [tmp_path / name]
    assert formats.read(tmp_path, ReadOptions()).epoch == formats.stored_epoch(tmp_path, ReadOptions()) == 2


@pytest.mark.parametrize(("stem", "ending"), [("model", "safetensors"), ("pytorch_model", "bin")])
@pytest.mark.parametrize("index", [True, False])
def test_weights_in_several_files(tmp_path: Path, stem: str, ending: str, index: bool) -> None:
    files = in_parts(tmp_path, stem, ending, index=index)
    assert formats.is_checkpoint_folder(tmp_path)
    assert same(read(tmp_path)[""], state())
    assert formats.weight_files(tmp_path) == sorted(tmp_path / name for name in set(files.values()))


def test_a_part_that_is_missing(tmp_path: Path) -> None:
    files = in_parts(tmp_path, "model", "safetensors")
    (tmp_path / files["0.weight"]).unlink()
    assert formats.is_checkpoint_folder(tmp_path)
    with pytest.raises(CheckpointError, match="is not there, which its index names"):
        read(tmp_path)


def test_two_parts_that_hold_one_weight(tmp_path: Path) -> None:
    files = in_parts(tmp_path, "model", "safetensors", index=False)
    save(tmp_path / files["0.weight"], {"0.weight": torch.ones(2), "0.bias": torch.ones(2)})
    with pytest.raises(CheckpointError, match=r"'0\.bias' is in two of its files"):
        read(tmp_path)


def test_the_models_of_one_training(tmp_path: Path) -> None:
    for name in ("model.safetensors", "model_1.safetensors", "model_10.safetensors", "model_2.safetensors"):
        save(tmp_path / name, {f"{name}.weight": torch.ones(2)})
    for name in ("optimizer.bin", "scheduler.bin", "random_states_0.pkl", "custom_checkpoint_0.pkl"):
        torch.save({}, tmp_path / name)
    assert {name: list(weights) for name, weights in read(tmp_path).items()} == {
        "model": ["model.safetensors.weight"],
        "model_1": ["model_1.safetensors.weight"],
        "model_2": ["model_2.safetensors.weight"],
        "model_10": ["model_10.safetensors.weight"],
    }


@pytest.mark.parametrize(
    "names",
    [
        ["model.safetensors", "model_1.safetensors", "model_2.safetensors"],
        ["model.safetensors", "epoch_3.pt", "config.json"],
        ["pytorch_model.bin", "net.ckpt", "training_args.bin"],
        ["optimizer.pt", "scheduler.pt"],
        ["epoch_1.safetensors"],
        ["config.json"],
        [],
    ],
)
def test_a_folder_of_checkpoints_is_none_itself(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert not formats.is_checkpoint_folder(tmp_path)


@pytest.mark.parametrize(
    "text", ['{"epoch": 1.5}', '{"epoch": null}', "{}", '{"epoch": "2"}', "[]", "{", '{"epoch": 1e99}']
)
def test_no_whole_epoch_is_stored(tmp_path: Path, text: str) -> None:
    save(tmp_path / "model.safetensors", state())
    (tmp_path / "trainer_state.json").write_text(text)
    assert formats.stored_epoch(tmp_path, ReadOptions()) is None
    assert formats.read(tmp_path, ReadOptions()).epoch is None


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_model.bin"])
def test_an_adapter_alone_is_refused(tmp_path: Path, name: str) -> None:
    save(tmp_path / name, {"base_model.model.a.lora_A.weight": torch.ones(2, 2)})
    (tmp_path / "adapter_config.json").write_text("{}")
    assert formats.is_checkpoint_folder(tmp_path)
    for function in (formats.read, formats.stored_epoch):
        with pytest.raises(CheckpointError, match="adapter alone") as caught:
            function(tmp_path, ReadOptions())
        assert "merge_and_unload" in caught.value.remedy


def test_what_is_no_mapping_is_no_part(tmp_path: Path) -> None:
    torch.save([torch.ones(2)], tmp_path / "pytorch_model-00001-of-00001.bin")
    with pytest.raises(CheckpointError, match="holds no weights"):
        read(tmp_path)


def test_a_pickle_in_a_folder_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    torch.save({"weight": torch.ones(2), "more": Marker(tmp_path / "ran")}, tmp_path / "a" / "pytorch_model.bin")
    with pytest.raises(CheckpointError):
        read(tmp_path / "a")
    assert not (tmp_path / "ran").exists()
