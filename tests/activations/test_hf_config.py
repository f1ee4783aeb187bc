"""A stranger's configuration, as data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.activations.hf_config import ConfigFile, read_config
from rfav_cli.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, **content: Any) -> ConfigFile:
    (folder / "config.json").write_text(json.dumps(content))
    return read_config(folder, "hf:")


def test_what_it_says(tmp_path: Path) -> None:
    config = read(tmp_path, model_type="vit", architectures=["ViTModel"], hidden_size=16, id2label={"0": "cat"})
    assert config == ConfigFile(
        tmp_path / "config.json", "vit", ("ViTModel",), {"hidden_size": 16, "id2label": {"0": "cat"}}, has_code=False
    )


@pytest.mark.parametrize(
    "name",
    [
        *("auto_map", "attn_implementation", "experts_implementation", "_attn_implementation", "quantization_config"),
        *("backbone", "use_pretrained_backbone", "name_or_path", "_name_or_path", "dtype", "torch_dtype", "__class__"),
    ],
)
def test_what_could_reach_beyond_sizes_is_left_out_at_any_depth(tmp_path: Path, name: str) -> None:
    config = read(tmp_path, **{"model_type": "detr", name: "x", "backbone_config": {"model_type": "resnet", name: {}}})
    assert config.fields == {"backbone_config": {"model_type": "resnet"}}
    assert config.has_code == (name == "auto_map")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"model_type": 3}', '{"model_type": ""}', "\x00", "[" * 100_000, '{"model_type": "vit"'],
)
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json"):
        read_config(tmp_path, "hf:")


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no") as caught:
        read_config(tmp_path, "hf:")
    assert "hf:FOLDER" in caught.value.remedy


def test_one_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelError, match="too large"):
        read_config(tmp_path, "hf:")


@pytest.mark.parametrize("architectures", ["ViTModel", [3], {}, None, 5])
def test_classes_that_are_no_list_of_names(tmp_path: Path, architectures: Any) -> None:
    assert read(tmp_path, model_type="vit", architectures=architectures).architectures == ()
