from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.programs import ProgramNetwork, is_layer_class, named_tensors, wrapper_prefix
from rfav_cli.activations.weight_names import WeightNames
from rfav_cli.errors import CheckpointError, SampleError
from rfav_cli.records import Payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.activations.network import Activation


class Plain(ProgramNetwork):
    """The least that a kind of program is: an nn.Module that is called."""

    kind = "plain"

    def _put(self, payload: Payload) -> None:
        self._module = payload.content

    def _call(self, images: Tensor) -> Any:
        return self._module(images)

    def _weight_names(self) -> WeightNames:
        return WeightNames(self._module.named_parameters())

    def _expected(self) -> Iterator[tuple[str, str]]:
        yield "0", "it is used"
        yield "absent", "it is not there"


def payload(*layers: nn.Module, name: str = "0.pt") -> Payload:
    return Payload("plain", Path(name), nn.Sequential(*layers).eval())


def opened(*layers: nn.Module, **options: Any) -> Plain:
    return Plain(payload(*layers), OpenOptions(torch.device("cpu"), **options))


def test_a_trace_lists_what_is_used_and_what_was_expected() -> None:
    trace = opened(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).trace(torch.randn(2, 3))
    assert [(layer.name, layer.kind, layer.channels) for layer in trace.layers] == [
        ("0", "Linear", 4),
        ("2", "Linear", 2),
    ]
    assert trace.uses == {"0": 1, "2": 1}
    assert [(layer.name, layer.reason) for layer in trace.skipped] == [("absent", "it is not there")]


@pytest.mark.parametrize("with_bias", [False, True])
def test_activations_come_as_they_arise_and_the_sink_may_end_the_forward(with_bias: bool) -> None:
    network, seen = opened(nn.Linear(3, 4), nn.Linear(4, 2), with_bias=with_bias), []

    def sink(activation: Activation) -> bool:
        seen.append((activation.layer, activation.bias is None))
        return activation.layer == "0"

    network.trace(torch.randn(2, 3))
    assert network.forward(torch.randn(5, 3), sink) is None
    assert seen == [("0", with_bias)]


def test_a_norm_is_folded_into_the_filters_unless_raw_ones_are_asked_for() -> None:
    layers = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)
    nn.init.uniform_(layers[1].running_var, 1, 2)
    plain, folded = opened(*layers, fold_norm=False), opened(*layers)
    for network in (plain, folded):
        assert [layer.normalised for layer in network.trace(torch.randn(2, 3, 5, 5)).layers] == [True]
    scale = (layers[1].running_var + layers[1].eps).rsqrt().view(1, 4, 1)
    torch.testing.assert_close(folded.filters("0"), plain.filters("0") * scale)
    assert torch.equal(folded.filters("0", folded=False), plain.filters("0"))


def test_the_next_checkpoint_must_have_the_same_layers() -> None:
    network = opened(nn.Linear(3, 4), nn.Linear(4, 2))
    network.trace(torch.randn(2, 3))
    network.load(payload(other := nn.Linear(3, 4), nn.Linear(4, 2), name="1.pt"))
    assert torch.equal(network.filters("0")[0], other.weight)
    with pytest.raises(CheckpointError, match=r"2\.pt: its layers are not those .*'1' is Linear \(3, 4\), not"):
        network.load(payload(nn.Linear(3, 4), nn.Linear(4, 3), name="2.pt"))
    network.load(payload(nn.Linear(3, 4), nn.Linear(4, 2), name="1.pt"))  # which a refused one does not change
    with pytest.raises(CheckpointError, match=r"3\.pt: not a checkpoint of this net"):
        network.load(payload(nn.Linear(9, 4), name="3.pt"))


def test_a_program_that_does_not_run_is_named() -> None:
    with pytest.raises(SampleError, match=r"the program in 0\.pt does not run on samples of"):
        opened(nn.Linear(9, 4)).trace(torch.randn(2, 3))


def test_operators_that_take_sizes_on_trust_are_not_called_with_those_that_do_not_fit() -> None:
    class Attention(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            key, value = torch.zeros(1, 1, 1, 8), torch.zeros(1, 1, 99, 8)
            return x + nn.functional.scaled_dot_product_attention(key, key, value).sum()

    with pytest.raises(CheckpointError, match=r"0\.pt: malformed: scaled_dot_product_flash_attention_for_cpu is given"):
        opened(Attention()).trace(torch.randn(2, 3))


def test_names_lose_what_all_of_them_begin_with() -> None:
    assert wrapper_prefix(["module._orig_mod.a", "module._orig_mod.b"]) == "module._orig_mod."
    assert wrapper_prefix(["module.a", "b"]) == ""
    assert wrapper_prefix([]) == ""


@pytest.mark.parametrize(
    ("name", "layer"),
    [("Conv2d", True), ("ConvTranspose3d", True), ("Linear", True), ("QuantizedConv1d", True), ("LinearHead", False)],
)
def test_classes_of_layers_are_told_by_their_name(name: str, layer: bool) -> None:
    assert is_layer_class(name) is layer


def test_shared_tensors_have_all_of_their_names() -> None:
    net = nn.ModuleDict({"a": nn.Linear(2, 2), "norm": nn.BatchNorm1d(2)})
    net["b"] = net["a"]
    assert {"a.weight", "b.weight", "norm.running_mean"} <= set(named_tensors(net))
