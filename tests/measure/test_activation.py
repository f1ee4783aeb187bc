"""Statistics of activations, from a net of any kind to their columns."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli import statistics
from rfav_cli.activations.network import Activation, OpenOptions
from rfav_cli.activations.networks import eager, exported, torchscript
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.data.probe import Probe
from rfav_cli.measure.checkpoint import measure
from rfav_cli.measure.setup import fit
from rfav_cli.records import Checkpoint, Settings
from tests import twins
from tests.commands.nets import Images, Sequences, Vectors, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.activations.network import Network

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]
SIZE = 7
SHAPES = {Images: (3, 9, 9), Sequences: (3, 11), Vectors: (6,)}
BEFORE_RELU = {
    Images: {"stem", "grouped", "dilated", "up", "fc1"},  # and "twice" once before a ReLU, once before a sum
    Sequences: {"conv1", "up", "token1", "token2"},
    Vectors: set(),
}


def drawn(net: type[nn.Module]) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((SIZE, *SHAPES[net])).astype(np.float32)


def partly_dead(kind: type[nn.Module]) -> nn.Module:
    """A net of which some filters never get above zero."""
    net = make(kind, seed=3)
    with torch.no_grad():
        for name, module in net.named_modules():
            if isinstance(module, twins.MEASURED) and module.bias is not None and name != "twice":
                module.bias[: len(module.bias) // 3] = -1e3
        if isinstance(net, Images):
            net.norm.weight.abs_()
    return net


def figures(network: Network, images: np.ndarray, batch: int, **settings: Any) -> dict[str, dict[str, Any]]:
    """Layer -> its figures by the statistics of activations."""
    probe = Probe(images, None, (), None, None, None, "ab" * 32, "drawn")
    options = OpenOptions(torch.device("cpu"))
    setup = fit(network, probe, options, Settings(maps=0, outputs=False, **settings))
    columns = measure(setup, Checkpoint(0, "a.pt", ""), batch, lambda _: None).columns
    return {
        layer.name: {
            "dead": columns["activation/dead"][i],
            "winners": columns[f"activation/winners/{i}"],
            "scale, shape, rank": [columns[f"activation/{name}"][i] for name in ("scale", "shape", "rank")],
        }
        for i, layer in enumerate(setup.run.layers)
    }


def relu(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0)


def expected(net: nn.Module, images: np.ndarray) -> dict[str, dict[str, Any]]:
    """The same by the twins, from hooks in float64."""
    result = {}
    for name, uses in twins.activations(net, torch.from_numpy(images), with_bias=True).items():
        if name == "stem":
            norm = copy.deepcopy(net.get_submodule("norm")).double()
            uses = [norm(torch.from_numpy(use).movedim(-1, 1)).detach().movedim(1, -1).numpy() for use in uses]
        pooled = np.concatenate([use.reshape(-1, use.shape[-1]) for use in uses])
        function: Callable[[np.ndarray], np.ndarray] | None = None
        if isinstance(net, Vectors):
            function = np.tanh
        elif name in BEFORE_RELU[type(net)]:
            function = relu
        result[name] = {
            "dead": np.nan if function is None else twins.dead(pooled, function),
            "winners": twins.winners(pooled),
            "scale, shape, rank": twins.scale_shape_rank(pooled, function),
        }
    return result


def assert_same(found: dict[str, dict[str, Any]], wanted: dict[str, dict[str, Any]]) -> None:
    for name, values in found.items():
        np.testing.assert_array_equal(values["dead"], wanted[name]["dead"], err_msg=name)
        np.testing.assert_allclose(values["winners"], wanted[name]["winners"], atol=1e-6, err_msg=name)
        np.testing.assert_allclose(*(each[name]["scale, shape, rank"] for each in (found, wanted)), 1e-4, err_msg=name)


@pytest.mark.parametrize("batch", [1, 4, SIZE])
@pytest.mark.parametrize("settings", [{}, {"with_bias": True}, {"fold_norm": True}], ids=str)
@pytest.mark.parametrize("kind", SHAPES)
def test_the_figures_are_those_of_the_twins_whatever_the_entropy_is_of(
    kind: type[nn.Module], settings: dict[str, bool], batch: int
) -> None:
    net, images = partly_dead(kind), drawn(kind)
    network = eager.open_fresh(lambda: copy.deepcopy(net), OpenOptions(torch.device("cpu"), **settings))
    found = figures(network, images, batch, **settings)
    wanted = expected(net, images)
    assert_same(found, wanted)
    if BEFORE_RELU[kind]:
        assert sum(values["dead"] > 0 for values in found.values()) > 1


@pytest.mark.parametrize("batch", [1, SIZE])
@pytest.mark.parametrize("form", ["torchscript", "exported"])
@pytest.mark.parametrize("kind", [Images, Sequences])
def test_programs_have_the_same_figures(kind: type[nn.Module], form: str, batch: int, tmp_path: Path) -> None:
    net, images = partly_dead(kind), drawn(kind)
    example = torch.from_numpy(images[:2])
    options = OpenOptions(torch.device("cpu"))
    network: Network
    if form == "torchscript":
        torch.jit.save(torch.jit.trace(net, example, check_trace=False), str(tmp_path / "net.pt"))
        network = torchscript.open_network(formats.read(tmp_path / "net.pt", ReadOptions()), options)
    else:
        shapes = ({0: torch.export.Dim("batch", min=1, max=64)},)
        torch.export.save(torch.export.export(net, (example,), dynamic_shapes=shapes), tmp_path / "net.pt2")
        network = exported.open_network(formats.read(tmp_path / "net.pt2", ReadOptions()), options)
    assert_same(figures(network, images, batch), expected(net, images))


def test_the_activation_is_not_made_where_no_statistic_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Activation) -> torch.Tensor:
        raise AssertionError("an activation was made")

    monkeypatch.setattr(Activation, "plain", refuse)
    network = eager.open_fresh(lambda: partly_dead(Vectors), OpenOptions(torch.device("cpu")))
    with pytest.raises(AssertionError, match="was made"):
        figures(network, drawn(Vectors), 4)
    others = {stem: name for stem, name in statistics.STATISTICS.items() if stem not in {"dead", "shape", "winners"}}
    monkeypatch.setattr(statistics, "STATISTICS", others)  # another table: entries that are put back would come last
    with pytest.raises(KeyError, match="activation/dead"):  # measured to its end, without such a column
        figures(network, drawn(Vectors), 4)
