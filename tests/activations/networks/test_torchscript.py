from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import torchscript
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.data.probe import to_input
from rfav_cli.errors import CheckpointError, SampleError
from tests.activations.networks.program_nets import (
    NETS,
    Chain,
    check_same,
    collect,
    eager_activations,
    eager_network,
    make,
    samples,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.activations.network import Activation, Network

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]
CPU = OpenOptions(torch.device("cpu"))


def save(net: nn.Module, form: str, path: Path) -> Path:
    module = torch.jit.trace(net, samples(2), check_trace=False) if form == "traced" else torch.jit.script(net)
    if form == "frozen":
        module = torch.jit.freeze(module)
    torch.jit.save(module, str(path))
    return path


def opened(path: Path, options: OpenOptions = CPU) -> Network:
    return torchscript.open_network(formats.read(path, ReadOptions()), options)


def load(network: Network, path: Path) -> None:
    network.load(formats.read(path, ReadOptions()))


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["nchw", "nhwc"])
@pytest.mark.parametrize("form", ["traced", "scripted"])
@pytest.mark.parametrize("name", NETS)
def test_names_order_and_activations_are_those_of_hooks(
    name: str, form: str, layout: torch.memory_format, count: int, tmp_path: Path
) -> None:
    net = make(name)
    network = opened(save(net, form, tmp_path / "net.pt"))
    kinds = {layer.name: layer.kind for layer in network.trace(samples(2)).layers}
    images = samples(count).contiguous(memory_format=layout)
    expected = eager_activations(net, images)
    assert list(kinds) == list(dict.fromkeys(layer for layer, _, _ in expected))
    for _ in range(3):  # the third call is the first that an optimising executor would rewrite
        actual = collect(network, images)
        assert [(layer, kinds[layer]) for layer, _ in actual] == [(layer, kind) for layer, kind, _ in expected]
        for (_, values), (_, _, twin) in zip(actual, expected, strict=True):
            torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)


class Flattening(nn.Module):
    """Flattened by view, which takes the default memory format alone."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4 * 36, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv(x).view(x.shape[0], -1))


@pytest.mark.parametrize("form", ["traced", "scripted", "frozen"])
def test_samples_enter_in_the_default_memory_format_whatever_they_had(form: str, tmp_path: Path) -> None:
    net = Flattening().eval()
    network = opened(save(net, form, tmp_path / "net.pt"))
    as_probed = to_input(samples(7), None, None, channels_last=True)
    network.trace(as_probed[:2])
    torch.testing.assert_close(network.forward(as_probed, lambda _: False), net(samples(7)))


@pytest.mark.parametrize("name", NETS)
def test_trace_is_that_of_the_eager_net(name: str, tmp_path: Path) -> None:
    net = make(name)
    twin = eager_network(net, tmp_path).trace(samples(2))
    trace = opened(save(net, "scripted", tmp_path / "net.pt")).trace(samples(2))
    check_same(twin, trace)


@pytest.mark.parametrize("name", NETS)
def test_frozen_layers_are_numbered_by_kind_in_order(name: str, tmp_path: Path) -> None:
    net = make(name)
    network = opened(save(net, "frozen", tmp_path / "net.pt"))
    if isinstance(net, Chain):
        net.conv1, net.norm1 = torch.nn.utils.fuse_conv_bn_eval(net.conv1, net.norm1), nn.Identity()
    expected = eager_activations(net, samples(7))
    names: dict[str, str] = {}
    for layer, kind, _ in expected:
        number = sum(other.startswith(f"{kind.lower()}_") for other in names.values()) + 1
        names.setdefault(layer, f"{kind.lower()}_{number}")
    trace = network.trace(samples(2))
    found = {layer.name for layer in trace.layers}
    if name == "Attention":  # a constant that is lent to a function cannot be told from a layer
        found, names["fc"] = found - {"linear_1"}, "linear_3"
        # The projection within the attention has samples and positions on one axis.
        assert [skipped.name for skipped in trace.skipped] == ["linear_2", "attn.in_proj_weight"]
    assert found == set(names.values())
    actual = [use for use in collect(network, samples(7)) if use[0] in found]
    assert [layer for layer, _ in actual] == [names[layer] for layer, _, _ in expected]
    for (_, values), (_, _, twin) in zip(actual, expected, strict=True):
        torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", ["traced", "scripted", "frozen"])
def test_with_bias(form: str, tmp_path: Path) -> None:
    net = make("Blocks")
    network = opened(save(net, form, tmp_path / "net.pt"), replace(CPU, with_bias=True))
    network.trace(samples(2))
    expected = [values for _, _, values in eager_activations(net, samples(3), with_bias=True)]
    for (_, values), twin in zip(collect(network, samples(3)), expected, strict=True):
        torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)


def test_filters_are_those_of_the_eager_net(tmp_path: Path) -> None:
    for name in NETS:
        net = make(name)
        twin = eager_network(net, tmp_path)
        network = opened(save(net, "traced", tmp_path / "net.pt"), replace(CPU, fold_norm=False))
        twin.trace(samples(2))
        for layer in network.trace(samples(2)).layers:
            torch.testing.assert_close(network.filters(layer.name), twin.filters(layer.name), rtol=0, atol=0)


def test_batch_norm_is_folded(tmp_path: Path) -> None:
    net = make("Chain")
    twin = eager_network(net, tmp_path, fold_norm=True)
    network = opened(save(net, "scripted", tmp_path / "net.pt"), replace(CPU, fold_norm=True))
    network.trace(samples(2))
    twin.trace(samples(2))
    scales: dict[str, torch.Tensor | None] = {}

    def sink(activation: Activation) -> bool:
        scales[activation.layer] = activation.scale
        return False

    def compare() -> None:
        network.forward(samples(2), sink)
        expected = net.norm1.weight * (net.norm1.running_var + net.norm1.eps).rsqrt()
        torch.testing.assert_close(scales.pop("conv1"), expected.detach())
        assert set(scales.values()) == {None}

    compare()
    for layer in ("conv1", "grouped", "up"):
        torch.testing.assert_close(network.filters(layer), twin.filters(layer))
    nn.init.uniform_(net.norm1.running_var, 2, 3)
    load(network, save(net, "scripted", tmp_path / "next.pt"))
    compare()


def test_load_takes_the_next_checkpoint(tmp_path: Path) -> None:
    network = opened(save(make("Blocks"), "traced", tmp_path / "0.pt"))
    first = network.trace(samples(2))
    torch.manual_seed(1)
    other = NETS["Blocks"]().eval()
    load(network, save(other, "scripted", tmp_path / "1.pt"))
    for (layer, values), (name, _, twin) in zip(
        collect(network, samples(3)), eager_activations(other, samples(3)), strict=True
    ):
        assert layer == name
        torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(network.filters("stem")[0], other.stem.weight.detach().flatten(1))
    assert first.layers == network.trace(samples(2)).layers


def test_a_checkpoint_of_another_net_is_refused_with_the_differences(tmp_path: Path) -> None:
    network = opened(save(make("Chain"), "traced", tmp_path / "0.pt"))
    network.trace(samples(2))
    other = make("Chain")
    other.head = nn.Linear(3, 9)
    other.narrow = nn.Sequential(nn.Linear(5, 3))
    with pytest.raises(CheckpointError, match=r"1\.pt.*'narrow' is missing.*'narrow\.0' is new.*'head' is .*\(9, 3\)"):
        load(network, save(other, "traced", tmp_path / "1.pt"))


@pytest.mark.parametrize("form", ["traced", "scripted", "frozen"])
def test_the_sink_ends_the_forward(form: str, tmp_path: Path) -> None:
    network = opened(save(make("Branching"), form, tmp_path / "net.pt"))
    network.trace(samples(2))
    seen: list[str] = []

    def sink(activation: Activation) -> bool:
        seen.append(activation.layer)
        return len(seen) == 2

    assert network.forward(samples(2), sink) is None
    assert len(seen) == 2
    assert network.forward(samples(2), lambda _: False).shape == (2, 2)


def test_what_the_sink_raises_is_what_comes_out(tmp_path: Path) -> None:
    network = opened(save(make("Branching"), "scripted", tmp_path / "net.pt"))
    network.trace(samples(2))

    def sink(_: Activation) -> bool:
        raise torch.OutOfMemoryError("full")

    with pytest.raises(torch.OutOfMemoryError, match="full"):
        network.forward(samples(2), sink)


def test_saved_in_training_mode(tmp_path: Path) -> None:
    net = make("Chain")
    expected = eager_activations(net, samples(4))
    network = opened(save(net.train(), "scripted", tmp_path / "scripted.pt"))
    network.trace(samples(2))
    for (_, values), (_, _, twin) in zip(collect(network, samples(4)), expected, strict=True):
        torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)
    with pytest.raises(CheckpointError, match="training mode"):
        opened(save(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout()).train(), "traced", tmp_path / "traced.pt")).trace(
            samples(2)
        )


def test_half_precision_runs_in_float32(tmp_path: Path) -> None:
    net = make("Branching").half()
    network = opened(save(net, "scripted", tmp_path / "net.pt"))
    network.trace(samples(2))
    for (_, values), (_, _, twin) in zip(
        collect(network, samples(3)), eager_activations(net.float(), samples(3)), strict=True
    ):
        assert values.dtype == torch.float32
        torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)
    frozen = save(make("Branching").half(), "frozen", tmp_path / "frozen.pt")
    with pytest.raises(CheckpointError, match=r"frozen\.pt.*float16"):
        opened(frozen).trace(samples(2))


def test_wrappers_are_no_part_of_a_name(tmp_path: Path) -> None:
    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = make("Branching")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.module(x)

    trace = opened(save(Wrapper(), "traced", tmp_path / "net.pt")).trace(samples(2))
    assert [layer.name for layer in trace.layers] == ["first", "second", "fc"]


def test_samples_that_do_not_fit(tmp_path: Path) -> None:
    network = opened(save(make("Branching"), "scripted", tmp_path / "net.pt"))
    with pytest.raises(SampleError, match=r"samples of 4x6x6: .*3 channels"):
        network.trace(torch.randn(2, 4, 6, 6))


def test_computed_weights_are_not_passed_over(tmp_path: Path) -> None:
    net = nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), nn.Conv2d(4, 2, 1)).eval()
    trace = opened(save(net, "traced", tmp_path / "net.pt")).trace(samples(2))
    assert [layer.name for layer in trace.layers] == ["1"]
    assert any(skipped.name == "0" for skipped in trace.skipped)


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)

    @torch.jit.interface
    class Part(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pass


class Picking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([Scaled(), Scaled()])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.mean((2, 3))
        for i in range(x.shape[1] - 1):
            part: Part = self.parts[i]
            x = part.forward(x)
        return x


def test_modules_that_are_picked_as_the_forward_runs_are_layers_too(tmp_path: Path) -> None:
    trace = opened(save(Picking(), "scripted", tmp_path / "net.pt")).trace(samples(2))
    assert [layer.name for layer in trace.layers] == ["parts.0.fc", "parts.1.fc"]
    assert trace.skipped == ()


@pytest.mark.parametrize("model", ["torchvision", "timm"])
def test_published_nets(model: str, tmp_path: Path) -> None:
    library = pytest.importorskip(model)
    torch.manual_seed(0)
    if model == "torchvision":
        net, images = library.models.resnet18().eval(), torch.randn(2, 3, 64, 64)
    else:
        net, images = library.create_model("vit_tiny_patch16_224", depth=2).eval(), torch.randn(2, 3, 224, 224)
    torch.jit.save(torch.jit.trace(net, images), str(tmp_path / "net.pt"))
    network = opened(tmp_path / "net.pt")
    twin = eager_network(net, tmp_path).trace(images)
    trace = network.trace(images)
    assert trace.layers == twin.layers
    for (layer, values), (name, _, expected) in zip(
        collect(network, images), eager_activations(net, images), strict=True
    ):
        assert layer == name
        torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)


class Encoded(nn.Module):
    """Fused into one operator in evaluation, unless gradients are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.head = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), nn.Linear(8, 3)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.block(x, src_key_padding_mask=mask)[:, 0])


@pytest.mark.parametrize("trained", [True, False])
def test_attention_is_not_fused(trained: bool, tmp_path: Path) -> None:
    net = Encoded().eval().requires_grad_(trained)
    torch.jit.script(net).save(tmp_path / "net.pt")
    network = opened(tmp_path / "net.pt")
    given = {"x": torch.randn(4, 5, 8), "mask": torch.arange(5) >= torch.tensor([[5], [3], [2], [4]])}
    assert [layer.name for layer in network.trace(given).layers] == ["block.linear1", "block.linear2", "head"]
    found = {}

    def keep(activation: Activation) -> bool:
        found[activation.layer] = activation.values.detach().clone()
        return False

    output = network.forward(given, keep)
    assert not output.requires_grad
    with torch.no_grad():
        attended = net.block.self_attn(given["x"], given["x"], given["x"], key_padding_mask=given["mask"])[0]
        expected = net.block.linear1(net.block.norm1(given["x"] + attended))
        torch.testing.assert_close(output, net(**given))
    torch.testing.assert_close(found["block.linear1"], expected)
    assert all(parameter.requires_grad == trained for parameter in network.model.parameters())  # type: ignore[attr-defined]
