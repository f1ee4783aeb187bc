"""Which layer's output is the scores."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from rfav_cli.activations import networks
from rfav_cli.activations.class_scores import select_output
from rfav_cli.activations.classifier import find_classifier
from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import eager
from rfav_cli.chance import drawn_from
from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.activations.network import Network

CPU = torch.device("cpu")
IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(3))


class Tail(nn.Module):
    """A body of two convolutions, and whatever comes after it: both hidden layers are as wide as the scores."""

    def __init__(self, tail: Callable[[Tail, Tensor], Any] = lambda net, maps: net.pooled(maps)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 5, 3, padding=1)
        self.conv2 = nn.Conv2d(5, 5, 3, padding=1)
        self.fc = nn.Linear(5, 5)
        self.side = nn.Linear(5, 5)
        self.map = nn.Conv2d(5, 5, 1)
        self.norm = nn.BatchNorm1d(5)
        self.prior = nn.Parameter(torch.randn(5))
        self.centres = nn.Parameter(torch.randn(5, 5))
        self.one = nn.Linear(5, 1)
        self.wide = nn.Linear(5, 8)
        self.up = nn.ConvTranspose2d(5, 5, 2, 2)
        self.tail = tail

    def pooled(self, maps: Tensor) -> Tensor:
        return self.fc(maps.mean((2, 3)))

    def forward(self, x: Tensor) -> Any:
        return self.tail(self, torch.relu(self.conv2(torch.relu(self.conv1(x)))))


def pooled(maps: Tensor) -> Tensor:
    return maps.mean((2, 3))


def tokens(maps: Tensor) -> Tensor:
    return maps.flatten(2).transpose(1, 2)


FOUND: dict[str, tuple[Callable[[Tail, Tensor], Any], str]] = {
    "a linear layer": (lambda net, maps: net.fc(pooled(maps)), "fc"),
    "softmax": (lambda net, maps: net.fc(pooled(maps)).softmax(1), "fc"),
    "log_softmax": (lambda net, maps: net.fc(pooled(maps)).log_softmax(1), "fc"),
    "sigmoid": (lambda net, maps: torch.sigmoid(net.fc(pooled(maps))), "fc"),
    "a ReLU at the end": (lambda net, maps: torch.relu(net.fc(pooled(maps))), "fc"),
    "a temperature": (lambda net, maps: net.fc(pooled(maps)) / 3, "fc"),
    "a bias of its own": (lambda net, maps: net.fc(pooled(maps)) + net.prior, "fc"),
    "written over": (lambda net, maps: net.fc(pooled(maps)).sub_(1).mul_(2), "fc"),
    "a batch normalisation after it": (lambda net, maps: net.norm(net.fc(pooled(maps))).softmax(1), "fc"),
    "another head after it": (lambda net, maps: (net.fc(pooled(maps)), net.side(pooled(maps))), "fc"),
    "another head before it": (lambda net, maps: (net.side(pooled(maps)), net.fc(pooled(maps)))[::-1], "fc"),
    "a convolution and a mean": (lambda net, maps: net.map(maps).mean((2, 3)), "map"),
    "a convolution, a ReLU and a mean": (
        lambda net, maps: F.adaptive_avg_pool2d(F.relu(net.map(maps), inplace=True), 1).flatten(1).softmax(1),
        "map",
    ),
    "a convolution and a maximum": (lambda net, maps: F.adaptive_max_pool2d(net.map(maps), 1).flatten(1), "map"),
    "a convolution of one position": (lambda net, maps: net.map(F.adaptive_avg_pool2d(maps, 1))[:, :, 0, 0], "map"),
    "tokens and a mean": (lambda net, maps: net.fc(tokens(maps)).mean(1), "fc"),
    "the last of the tokens": (lambda net, maps: net.fc(tokens(maps))[:, -1], "fc"),
    "the first of the tokens": (lambda net, maps: net.fc(tokens(maps))[:, 0].log_softmax(-1), "fc"),
    "a class at each position": (lambda net, maps: net.map(maps), "map"),
    "probabilities at each position": (lambda net, maps: net.map(maps).softmax(1), "map"),
    "a class a token": (lambda net, maps: net.fc(tokens(maps)), "fc"),
    "a class a token, in front": (lambda net, maps: net.fc(tokens(maps)).transpose(1, 2).softmax(1), "fc"),
    "maps that are enlarged": (
        lambda net, maps: F.interpolate(net.map(F.avg_pool2d(maps, 2)), (8, 8), mode="bilinear"),
        "map",
    ),
    "a transposed convolution": (lambda net, maps: net.up(maps), "up"),
    "one layer for two heads": (lambda net, maps: net.wide(pooled(maps)).split((3, 5), 1)[::-1], "wide"),
    "a part of a layer": (lambda net, maps: net.wide(pooled(maps))[:, 1:6].softmax(1), "wide"),
    "one score": (lambda net, maps: net.one(pooled(maps)), "one"),
    "one score without an axis": (lambda net, maps: torch.sigmoid(net.one(pooled(maps)))[:, 0], "one"),
    "dropout that is left on": (lambda net, maps: net.fc(F.dropout(pooled(maps), 0.5)), "fc"),
    "a layer that is used twice": (lambda net, maps: net.fc(torch.relu(net.fc(pooled(maps)))), "fc"),
    "scores that are not finite": (lambda net, maps: net.fc(pooled(maps)) * torch.nan, ""),
}

NONE: dict[str, Callable[[Tail, Tensor], Any]] = {
    "cosines": lambda net, maps: F.linear(F.normalize(net.fc(pooled(maps))), F.normalize(net.centres)) * 16,
    "weights that are used alone": lambda net, maps: F.linear(torch.relu(net.fc(pooled(maps))), net.side.weight),
    "the sum of two layers": lambda net, maps: net.fc(pooled(maps)) + net.side(pooled(maps)),
    "the negative": lambda net, maps: -net.fc(pooled(maps)),
    "another weight for each class": lambda net, maps: net.fc(pooled(maps)) * net.prior,
    "a mixture": lambda net, maps: (net.fc(pooled(maps)).softmax(1) + net.side(pooled(maps)).softmax(1)) / 2,
    "distances": lambda net, maps: -torch.cdist(net.fc(pooled(maps)), net.centres),
    "what does not depend on the samples": lambda net, maps: net.prior.expand(len(maps), -1),
    "the sum of the features": lambda net, maps: torch.relu(net.fc(pooled(maps))).sum(1, keepdim=True),
}


def opened(model: nn.Module) -> Network:
    network = eager.open_fresh(model.eval, OpenOptions(CPU, model_name="Tail"))
    network.trace(IMAGES)
    return network


def classifier_of(network: Network, images: Tensor = IMAGES) -> str:
    with drawn_from(0, CPU):
        scores = select_output(network.forward(images, lambda _: False))
    return find_classifier(network, images, scores)


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("scale", [1, 30])
def test_the_layer_whose_output_is_the_scores(name: str, scale: float) -> None:
    torch.manual_seed(1)
    tail, layer = FOUND[name]
    model = Tail(tail)
    for parameter in model.parameters():
        parameter.data *= scale ** (1 / 3)
    assert classifier_of(opened(model)) == layer


@pytest.mark.parametrize("name", NONE)
@pytest.mark.parametrize("seed", range(3))
def test_there_is_none(name: str, seed: int) -> None:
    torch.manual_seed(seed)
    assert classifier_of(opened(Tail(NONE[name]))) == ""


def test_zeros_are_not_the_relu_of_a_layer_that_is_below_0() -> None:
    model = Tail(lambda net, maps: torch.zeros_like(net.fc(pooled(maps))))
    model.fc.weight.data.zero_()
    model.fc.bias.data.fill_(-1.0)
    assert classifier_of(opened(model)) == ""
    model.fc.bias.data.zero_()  # as a head begins that is made of zeros
    assert classifier_of(opened(model)) == "fc"


def test_weights_that_are_not_finite_make_no_difference() -> None:
    model = Tail()
    model.fc.weight.data[0] = torch.nan
    assert classifier_of(opened(model)) == "fc"


def test_one_sample_is_enough_for_equal_numbers() -> None:
    assert classifier_of(opened(Tail()), IMAGES[:1]) == "fc"


@pytest.mark.parametrize("how", ["traced", "scripted", "frozen", "exported"])
@pytest.mark.parametrize(("cosine", "expected"), [(False, "head"), (True, "")])
def test_programs_have_one_as_well(tmp_path: Path, how: str, cosine: bool, expected: str) -> None:
    class Cosine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.centres = nn.Parameter(torch.randn(5, 5))

        def forward(self, x: Tensor) -> Tensor:
            return F.linear(F.normalize(x), F.normalize(self.centres)) * 16

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 5, 3)
            self.embedding = nn.Linear(5, 5)
            self.head = Cosine() if cosine else nn.Linear(5, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(torch.relu(self.embedding(self.conv(x).mean((2, 3))))).log_softmax(1)

    torch.manual_seed(0)
    net, path = Net().eval(), tmp_path / "net.pt"
    if how == "exported":
        batch = torch.export.Dim("batch", min=1, max=64)
        torch.export.save(torch.export.export(net, (IMAGES,), dynamic_shapes=({0: batch},)), path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, and in use
            module = torch.jit.trace(net, IMAGES) if how == "traced" else torch.jit.script(net)
            torch.jit.save(torch.jit.freeze(module) if how == "frozen" else module, path)
    network = networks.open_network(formats.read(path, ReadOptions()), OpenOptions(CPU))
    last = network.trace(IMAGES).layers[-1].name
    assert classifier_of(network) == (last if expected else "")
    assert how == "frozen" or last == (expected or "embedding")


def test_a_head_that_cannot_be_measured_leaves_the_layer_before_it_to_be_measured() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.ReLU(), nn.Sequential(nn.Linear(5, 5)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and in use
        model = torch.ao.quantization.quantize_dynamic(net, {"3.0"})
    network = opened(model)
    assert [layer.name for layer in network.trace(IMAGES).layers] == ["1"]
    assert classifier_of(network) == ""


def test_a_layer_that_some_samples_reach_is_none_and_no_hindrance() -> None:
    class Routed(Tail):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.conv1(x).mean((2, 3))
            out = hidden.clone()
            out[1:3] = self.side(hidden[1:3])
            return self.fc(torch.relu(out))

    assert classifier_of(opened(Routed())) == "fc"


def test_chance_is_the_same_in_each_block_and_goes_on_after_it() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    drawn = []
    for _ in range(2):
        with drawn_from(0, CPU):
            drawn.append(torch.rand(3))
    assert torch.equal(*drawn)
    assert torch.equal(torch.rand(3), expected)
