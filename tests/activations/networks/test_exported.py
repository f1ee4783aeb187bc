from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import exported
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError, SampleError
from tests.activations.networks.program_nets import (
    NETS,
    check_same,
    collect,
    eager_activations,
    eager_network,
    make,
    samples,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from rfav_cli.activations.network import Activation, Network

CPU = OpenOptions(torch.device("cpu"))


def save(net: nn.Module, path: Path, batch: int | None = None) -> Path:
    shapes = ({0: torch.export.Dim("batch", min=1, max=64)},) if batch is None else None
    torch.export.save(torch.export.export(net, (samples(batch or 2),), dynamic_shapes=shapes), path)
    return path


def opened(path: Path, options: OpenOptions = CPU) -> Network:
    return exported.open_network(formats.read(path, ReadOptions()), options)


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("name", NETS)
def test_activations_equal_those_of_hooks(name: str, batch: int | None, tmp_path: Path) -> None:
    net = make(name)
    network = opened(save(net, tmp_path / "net.pt2", batch))
    trace = network.trace(samples(2))
    for images in (samples(1), samples(7), samples(7).contiguous(memory_format=torch.channels_last)):
        expected = eager_activations(net, images)
        actual = collect(network, images)
        kinds = {layer.name: layer.kind for layer in trace.layers}
        assert [(layer, kinds[layer]) for layer, _ in actual] == [(layer, kind) for layer, kind, _ in expected]
        assert list(kinds) == list(dict.fromkeys(layer for layer, _, _ in expected))
        for (_, values), (_, _, twin) in zip(actual, expected, strict=True):
            torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_trace_and_filters_are_those_of_the_eager_net(name: str, tmp_path: Path) -> None:
    net = make(name)
    twin = eager_network(net, tmp_path, fold_norm=True)
    network = opened(save(net, tmp_path / "net.pt2"), replace(CPU, fold_norm=True))
    trace, expected = network.trace(samples(2)), twin.trace(samples(2))
    check_same(expected, trace)
    for layer in trace.layers:
        torch.testing.assert_close(network.filters(layer.name), twin.filters(layer.name))


@pytest.mark.parametrize("batch", [None, 2, 5])
def test_output_is_that_of_the_eager_net_and_the_sink_ends_the_forward(batch: int | None, tmp_path: Path) -> None:
    net = make("Branching")
    network = opened(save(net, tmp_path / "net.pt2", batch))
    network.trace(samples(2))
    with torch.no_grad():
        torch.testing.assert_close(network.forward(samples(3), lambda _: False), net(samples(3)))
    seen: list[Activation] = []

    def sink(activation: Activation) -> bool:
        seen.append(activation)
        return len(seen) == 2

    assert network.forward(samples(3), sink) is None
    assert [len(activation.values) for activation in seen] == [3, 3]


def test_load_takes_the_next_checkpoint_of_the_same_net_only(tmp_path: Path) -> None:
    network = opened(save(make("Branching"), tmp_path / "0.pt2"))
    network.trace(samples(2))
    torch.manual_seed(1)
    other = NETS["Branching"]().eval()
    network.load(formats.read(save(other, tmp_path / "1.pt2"), ReadOptions()))
    for (_, values), (_, _, twin) in zip(
        collect(network, samples(3)), eager_activations(other, samples(3)), strict=True
    ):
        torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)
    with pytest.raises(CheckpointError, match=r"2\.pt2.*'first' is missing"):
        network.load(formats.read(save(make("Blocks"), tmp_path / "2.pt2"), ReadOptions()))


def test_samples_that_do_not_fit(tmp_path: Path) -> None:
    network = opened(save(make("Branching"), tmp_path / "net.pt2"))
    with pytest.raises(SampleError, match="samples of 3x9x9"):
        network.trace(torch.randn(2, 3, 9, 9))


def test_half_precision_runs_in_float32(tmp_path: Path) -> None:
    net = make("Chain").bfloat16()
    program = torch.export.export(net, (samples(2).bfloat16(),))
    torch.export.save(program, tmp_path / "net.pt2")
    network = opened(tmp_path / "net.pt2")
    network.trace(samples(2))
    for (_, values), (_, _, twin) in zip(
        collect(network, samples(3)), eager_activations(net.float(), samples(3)), strict=True
    ):
        torch.testing.assert_close(values, twin, rtol=1e-5, atol=1e-6)


def test_a_published_net(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    net, images = timm.create_model("vit_tiny_patch16_224", depth=2).eval(), torch.randn(2, 3, 224, 224)
    torch.export.save(torch.export.export(net, (images,)), tmp_path / "net.pt2")
    network = opened(tmp_path / "net.pt2")
    twin = eager_network(net, tmp_path).trace(images)
    assert network.trace(images).layers == twin.layers
    for (layer, values), (name, _, expected) in zip(
        collect(network, images), eager_activations(net, images), strict=True
    ):
        assert layer == name
        torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
