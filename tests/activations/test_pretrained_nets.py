from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import torch

from rfav_cli.activations import pretrained_nets
from rfav_cli.activations.hf_config import ConfigFile
from rfav_cli.errors import ModelError

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "image_size": 8,
    "patch_size": 4,
}


def config(model_type: str = "vit", *classes: str, **fields: Any) -> ConfigFile:
    return ConfigFile(Path("run/config.json"), model_type, classes, {**SMALL, **fields}, has_code=False)


@pytest.mark.parametrize(
    "fields", [{"num_hidden_layers": 10**9}, {"depths": [1, 10**12]}, {"part": {"num_labels": 1e300}}]
)
def test_more_layers_than_any_net_has_are_not_made(fields: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="more than any net has"):
        pretrained_nets.check_sizes(config(**fields), [torch.zeros(3)])


def test_as_many_as_there_are_weights_for() -> None:
    pretrained_nets.check_sizes(config(num_labels=20_000, vocab_size=10**9), [torch.zeros(20_000)])


@pytest.fixture
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="pip install 'rfav-cli[transformers]'")


def test_the_class_that_was_saved(transformers: Any) -> None:
    kind = pretrained_nets.kind_of(config("vit", "ViTForImageClassification"))
    assert (kind.net_class, kind.note) == (transformers.ViTForImageClassification, "")


@pytest.mark.parametrize(
    ("model_type", "classes", "taken"),
    [
        ("vit", (), "ViTForImageClassification"),
        ("bert", (), "BertForSequenceClassification"),
        ("clip_vision_model", (), "CLIPVisionModel"),
        ("vit", ("BertModel",), "ViTForImageClassification"),
        ("vit", ("Trainer",), "ViTForImageClassification"),
        ("vit", ("os.system",), "ViTForImageClassification"),
        ("vit", ("NoSuchNet",), "ViTForImageClassification"),
    ],
)
@pytest.mark.usefixtures("transformers")
def test_another_is_taken_by_its_task_and_told(model_type: str, classes: tuple[str, ...], taken: str) -> None:
    kind = pretrained_nets.kind_of(config(model_type, *classes))
    assert kind.name == taken
    assert f"took {taken}" in kind.note


@pytest.mark.parametrize(("model_type", "fields"), [("no_such_net", {}), ("vit", {"hidden_size": "many"})])
@pytest.mark.usefixtures("transformers")
def test_what_transformers_cannot_make(model_type: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        pretrained_nets.make(pretrained_nets.kind_of(config(model_type, **fields)), config(), 0)


@pytest.mark.usefixtures("transformers")
def test_a_net_far_larger_than_the_checkpoint_is_not_made() -> None:
    large = config(hidden_size=2**14)
    with pytest.raises(ModelError, match="the checkpoint has 1,000"):
        pretrained_nets.make(pretrained_nets.kind_of(large), large, 1000)


@pytest.mark.usefixtures("transformers")
def test_it_is_left_as_it_was_what_transformers_writes_and_fetches() -> None:
    from huggingface_hub import constants
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled(), constants.HF_HUB_OFFLINE
    with contextlib.suppress(KeyError), pretrained_nets.alone():
        during = constants.HF_HUB_OFFLINE
        raise KeyError
    assert during
    assert before == (logging.get_verbosity(), logging.is_progress_bar_enabled(), constants.HF_HUB_OFFLINE)


@pytest.mark.usefixtures("transformers")
def test_weights_that_are_not_all_of_the_net() -> None:
    kind = pretrained_nets.kind_of(config("vit", "ViTForImageClassification"))
    whole = dict(pretrained_nets.make(kind, config(), 0).state_dict())
    assert pretrained_nets.own_names(kind, whole) is not None
    less = {name: value for name, value in whole.items() if name != "classifier.weight"}
    for other in (less, {**whole, "more": torch.zeros(1)}, {**whole, "classifier.bias": torch.zeros(9)}):
        assert pretrained_nets.own_names(kind, other) is None
