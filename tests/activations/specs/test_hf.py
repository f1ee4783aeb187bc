"""Nets of transformers', told by the `config.json` beside their weights."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import open_network
from rfav_cli.activations.specs import net_maker
from rfav_cli.checkpoints.state_dicts import payload_of
from rfav_cli.errors import CheckpointError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from rfav_cli.records import Payload


def test_arguments_are_in_the_configuration() -> None:
    with pytest.raises(ModelError, match="--model-arg classes"):
        net_maker("hf:", ["classes=3"])


def test_without_a_checkpoint_the_folder_is_asked_for() -> None:
    with pytest.raises(ModelError, match="no checkpoint says") as caught:
        net_maker("hf:")()
    assert "hf:FOLDER" in caught.value.remedy


def test_a_folder_without_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no"):
        net_maker(f"hf:{tmp_path}")()
    with pytest.raises(ModelError, match="there is no"):
        net_maker("hf:").make(payload_of(tmp_path / "a.bin", {"a": torch.zeros(1)}), [])


@pytest.fixture(scope="module")
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="pip install 'rfav-cli[transformers]'")


def vit(transformers: Any, **changes: Any) -> nn.Module:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = transformers.ViTConfig(**sizes, image_size=8, patch_size=4, num_labels=3, **changes)
    return transformers.ViTForImageClassification(config).eval()


def bert(transformers: Any) -> nn.Module:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    config = transformers.BertConfig(**sizes, vocab_size=11, max_position_embeddings=12, num_labels=3)
    return transformers.BertForSequenceClassification(config).eval()


def write_config(net: Any, folder: Path, **changes: Any) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    content = {**json.loads(net.config.to_json_string()), "architectures": [type(net).__name__], **changes}
    (folder / "config.json").write_text(json.dumps(content))


def opened(payload: Payload, spec: str = "hf:") -> tuple[nn.Module, list[str]]:
    options = OpenOptions(torch.device("cpu"), net_maker(spec))
    network: Any = open_network(payload, options)
    return network.model, options.notes


def old_names_of_vit(name: str) -> str:
    """As transformers 4 saved them."""
    attention = {"q_proj": "attention.query", "k_proj": "attention.key", "v_proj": "attention.value"}
    for new, old in attention.items():
        name = name.replace(f"attention.{new}", f"attention.{old}")
    for new, old in {
        "vit.layers.": "vit.encoder.layer.",
        "attention.o_proj": "attention.output.dense",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
    }.items():
        name = name.replace(new, old)
    return name


def old_names_of_bert(name: str) -> str:
    """As TensorFlow called them, and transformers long did."""
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


@pytest.mark.parametrize(("make", "old"), [(vit, str), (bert, str), (vit, old_names_of_vit), (bert, old_names_of_bert)])
def test_each_weight_is_the_files_under_whatever_name(
    tmp_path: Path, transformers: Any, make: Callable[[Any], nn.Module], old: Callable[[str], str]
) -> None:
    net = make(transformers)
    write_config(net, tmp_path)
    weights = {old(name): value for name, value in net.state_dict().items()}
    model, notes = opened(payload_of(tmp_path / "pytorch_model.bin", weights))
    assert type(model) is type(net)
    assert notes == []
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in net.state_dict().items())


def test_the_names_of_a_wrapper_do_not_count(tmp_path: Path, transformers: Any) -> None:
    net = vit(transformers)
    write_config(net, tmp_path)
    model, _ = opened(payload_of(tmp_path / "a.pt", {f"module.{n}": v for n, v in net.state_dict().items()}))
    assert torch.equal(model.state_dict()["classifier.weight"], net.state_dict()["classifier.weight"])


@pytest.mark.parametrize("change", ["missing", "more", "shape"])
def test_what_is_not_all_of_the_net_is_refused(tmp_path: Path, transformers: Any, change: str) -> None:
    net = vit(transformers)
    write_config(net, tmp_path)
    weights = dict(net.state_dict())
    if change == "missing":
        del weights["vit.layers.1.mlp.fc1.weight"]
    elif change == "more":
        weights["vit.layers.9.mlp.fc1.weight"] = torch.zeros(2, 2)
    else:
        weights["classifier.weight"] = torch.zeros(7, 16)
    with pytest.raises(CheckpointError, match="not a checkpoint of this net"):
        opened(payload_of(tmp_path / "a.pt", weights))


def test_code_that_it_names_is_not_followed(tmp_path: Path, transformers: Any) -> None:
    net = vit(transformers)
    (tmp_path / "evil.py").write_text("raise SystemExit('the code of the file ran')")
    code = {"AutoConfig": "evil.Config", "AutoModelForImageClassification": "evil.Net"}
    write_config(net, tmp_path, auto_map=code)
    model, _ = opened(payload_of(tmp_path / "a.pt", dict(net.state_dict())))
    assert type(model) is type(net)
    write_config(net, tmp_path, auto_map=code, model_type="evil")
    with pytest.raises(ModelError, match="auto_map, is not followed"):
        opened(payload_of(tmp_path / "a.pt", dict(net.state_dict())))


@pytest.mark.parametrize(
    "change",
    [
        {"attn_implementation": "kernels-community/none"},
        {"_attn_implementation": "kernels-community/none"},
        {"_attn_implementation_internal": "kernels-community/none"},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        {"dtype": "load"},
        {"torch_dtype": "float16"},
        {"name_or_path": "someone/else"},
    ],
)
def test_what_reaches_beyond_the_net_changes_nothing(
    tmp_path: Path, transformers: Any, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a download"))
    net = vit(transformers)
    write_config(net, tmp_path, **change)
    model, _ = opened(payload_of(tmp_path / "a.pt", dict(net.state_dict())))
    pixels = torch.rand(2, 3, 8, 8)
    assert torch.allclose(model(pixels).logits, net(pixels).logits, atol=1e-6)


def test_each_checkpoint_has_a_configuration_of_its_own_and_they_are_alike(tmp_path: Path, transformers: Any) -> None:
    net = vit(transformers)
    options = OpenOptions(torch.device("cpu"), net_maker("hf:"))
    write_config(net, tmp_path / "checkpoint-1")
    write_config(net, tmp_path / "checkpoint-2", transformers_version="0.1")
    write_config(net, tmp_path / "checkpoint-3", hidden_act="relu")
    first, second, third = (
        payload_of(tmp_path / f"checkpoint-{number}" / "model.pt", dict(net.state_dict())) for number in (1, 2, 3)
    )
    network = open_network(first, options)
    network.load(second)
    with pytest.raises(CheckpointError, match="hidden_act differs"):
        network.load(third)


def test_the_configuration_of_a_folder(tmp_path: Path, transformers: Any) -> None:
    net = vit(transformers)
    write_config(net, tmp_path / "config")
    payload = payload_of(tmp_path / "elsewhere" / "model.pt", dict(net.state_dict()))
    model, _ = opened(payload, f"hf:{tmp_path / 'config'}")
    assert type(model) is type(net)


@pytest.mark.parametrize("change", [{}, {"sub_configs": "\x1b[31m"}, {"\x1b[31m": 1}, {"id2label": {"0": "\x1b[2J"}}])
def test_it_says_nothing_on_the_terminal(
    tmp_path: Path, transformers: Any, capfd: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    net = vit(transformers)
    write_config(net, tmp_path, **change)
    capfd.readouterr()
    with contextlib.suppress(ModelError, CheckpointError):
        opened(payload_of(tmp_path / "a.pt", dict(net.state_dict())))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("old", [str, old_names_of_vit])
def test_a_net_that_the_users_own_code_makes_takes_the_names_of_its_checkpoints(
    tmp_path: Path, transformers: Any, old: Callable[[str], str]
) -> None:
    net = vit(transformers)
    weights = {old(name): value for name, value in net.state_dict().items()}
    options = OpenOptions(torch.device("cpu"), net_maker(lambda: vit(transformers)))
    model: Any = open_network(payload_of(tmp_path / "model.safetensors", weights), options)
    assert all(torch.equal(value, model.model.state_dict()[name]) for name, value in net.state_dict().items())
    with pytest.raises(CheckpointError, match="not a checkpoint of this net"):
        open_network(payload_of(tmp_path / "a.pt", {**weights, "more": torch.zeros(1)}), options)


SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_labels",
    "image_size",
    "patch_size",
    "vocab_size",
    "num_attention_heads",
)


@pytest.mark.parametrize("name", [*SIZES, "id2label", "hidden_act", "to_dict", "sub_configs", "per_layer_config"])
@pytest.mark.parametrize("value", [10**30, 10**9, -1, 1e300, "x", [[1]], {"a": {"b": 1}}, None])
def test_whatever_a_configuration_says_it_ends_in_a_net_or_in_words(
    tmp_path: Path, transformers: Any, name: str, value: Any
) -> None:
    net = vit(transformers)
    write_config(net, tmp_path, **{name: value})
    with contextlib.suppress(ModelError, CheckpointError):
        model, _ = opened(payload_of(tmp_path / "a.pt", dict(net.state_dict())))
        assert type(model) is type(net)
