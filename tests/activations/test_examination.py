"""What depends on chance, on the batch or on the memory format is found; what does not gives no doubt."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.examination import SAMPLES, examine, few
from rfav_cli.activations.layer_kinds import PARTIAL, UNUSED
from rfav_cli.errors import ModelError
from tests.activations import examined
from tests.activations.examined import FORMS, Base, open_form

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.activations.examination import Examination
    from rfav_cli.activations.network import Network


def images(*shape: int) -> Tensor:
    return torch.rand(shape or (SAMPLES, 3, 8, 8), generator=torch.Generator().manual_seed(3))


def examined_in(form: str, net: nn.Module, folder: Path, samples: Tensor) -> tuple[Network, Examination]:
    network = open_form(net, form, samples, folder)
    with torch.no_grad():
        return network, examine(network, samples, network.trace(samples[:2].clone()))


def told(found: Examination) -> list[tuple[str, str]]:
    names = [layer.name for layer in found.trace.layers]
    return [(doubt.kind, doubt.where) for doubt in found.doubts(names, output=True)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (examined.Dropout, "fc1"),
        (examined.Dropout2d, "conv2"),
        (examined.Noise, "conv1"),
        (examined.DropPath, "conv2"),
        (examined.DropScores, ""),
    ],
)
def test_chance_is_found_before_the_layer_that_it_reaches_first(
    kind: type[Base], where: str, form: str, tmp_path: Path
) -> None:
    _, found = examined_in(form, kind(), tmp_path, images())
    assert told(found) == [("chance", where)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (examined.BatchStatistics, "conv2"),
        (examined.TrainingNorm, "conv2"),
        (examined.Centred, "fc1"),
        (examined.AcrossTheBatch, "fc1"),
        (examined.ByNumber, "fc1"),
        (examined.ByPlace, "fc1"),
        (examined.ScoresByBatch, ""),
    ],
)
def test_coupled_samples_are_found(kind: type[Base], where: str, form: str, tmp_path: Path) -> None:
    _, found = examined_in(form, kind(), tmp_path, images())
    assert told(found) == [("batch", where)]


@pytest.mark.parametrize("kind", [examined.InPieces, examined.InPairs])
def test_samples_coupled_in_pieces_of_the_batch_are_found(kind: type[Base], tmp_path: Path) -> None:
    _, found = examined_in("eager", kind(), tmp_path, images())
    assert told(found) == [("batch", "fc1")]


@pytest.mark.parametrize("count", [2, 4, 6])
def test_few_samples_are_enough(count: int, tmp_path: Path) -> None:
    for kind, doubt in ((examined.Dropout, "chance"), (examined.Centred, "batch"), (examined.Regularised, "")):
        _, found = examined_in("eager", kind(), tmp_path, images(count, 3, 8, 8))
        assert told(found) == ([(doubt, "fc1")] if doubt else [])


def test_both_are_told_where_they_have_two_causes(tmp_path: Path) -> None:
    class Both(examined.BatchStatistics, examined.Dropout):
        pass

    _, found = examined_in("eager", Both(), tmp_path, images())
    assert told(found) == [("chance", "fc1"), ("batch", "conv2")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "kind",
    [Base, examined.InstanceNorm, examined.Regularised, examined.Stepped, examined.View, examined.InPlace],
)
def test_an_ordinary_net_gives_no_doubt(kind: type[Base], form: str, tmp_path: Path) -> None:
    samples = images()
    before = samples.clone()
    _, found = examined_in(form, kind().eval(), tmp_path, samples)
    assert told(found) == []
    assert torch.equal(samples, before)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("kind", "faster"),
    [
        (Base, True),
        (examined.InPlace, True),
        (examined.Permuted, True),
        (examined.View, False),
        (examined.Strided, False),
        (examined.ReadsStrides, False),
        (examined.Asserting, False),
    ],
)
def test_channels_last_is_used_only_where_it_gives_the_same(
    kind: type[Base], faster: bool, channels: int, form: str, tmp_path: Path
) -> None:
    if kind in (examined.Strided, examined.ReadsStrides, examined.Asserting) and form == "exported":
        pytest.skip("strides become constants of the graph")
    if kind is examined.Asserting and form == "scripted":
        pytest.skip("TorchScript keeps no such assertion")
    samples = images(SAMPLES, channels, 8, 8)
    net = kind(channels).eval()
    reference = copy.deepcopy(net).double()
    network, found = examined_in(form, net, tmp_path, samples)
    if form != "traced" or kind not in (examined.ReadsStrides, examined.Asserting):  # tracing makes them constants
        assert network.channels_last is faster
    assert told(found) == []
    seen: dict[str, Tensor] = {}
    with torch.no_grad():
        output = network.forward(samples.clone(), lambda use: seen.update({use.layer: use.values.clone()}) or False)
        assert torch.allclose(output.double(), reference(samples.double()), atol=1e-5)
        first = nn.functional.conv2d(
            kind.start(net, samples.clone()).double(), reference.conv1.weight, reference.conv1.bias, padding=1
        )
    torch.testing.assert_close(seen["conv1"].double(), first, atol=1e-5, rtol=1e-4)


def test_broken_weights_show_nothing_of_memory_formats(tmp_path: Path) -> None:
    net = examined.Strided()
    nn.init.constant_(net.conv1.weight, torch.nan)
    network, found = examined_in("eager", net, tmp_path, images())
    assert not network.channels_last
    assert told(found) == []


def test_other_shapes_of_samples(tmp_path: Path) -> None:
    nets: list[tuple[nn.Module, tuple[int, ...]]] = [
        (nn.Sequential(nn.Conv1d(2, 4, 3), nn.Flatten(), nn.Linear(24, 3)), (8, 2, 8)),
        (nn.Sequential(nn.Conv3d(1, 4, 3), nn.Flatten(), nn.Linear(32, 3)), (8, 1, 4, 4, 4)),
        (nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)), (8, 5)),
        (nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 1, groups=4), nn.Flatten(), nn.Linear(4, 3)), (8, 1, 1, 1)),
    ]
    for net, shape in nets:
        for form in FORMS:
            _, found = examined_in(form, net, tmp_path, images(*shape))
            assert told(found) == []


class Experts(nn.Module):
    """Each sample goes to one of two experts, or past both."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(3, 3), nn.Linear(3, 2)
        self.first, self.second, self.third = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        out = h.clone()
        positive = x[:, 0] > 0
        if bool(positive.any()):
            out[positive] = self.first(h[positive])
        if not bool(positive.all()):
            out[~positive] = self.second(h[~positive])
        return self.head(out)


@pytest.mark.parametrize("form", ["eager", "scripted"])
@pytest.mark.parametrize("signs", [(1, 1, -1, 1), (1, -1, -1, -1), (-1, -1, 1, 1)])
def test_layers_that_only_some_samples_reach_are_skipped(signs: tuple[int, ...], form: str, tmp_path: Path) -> None:
    samples = images(4, 3) + 0.1
    samples[:, 0] *= torch.tensor(signs)
    _, found = examined_in(form, Experts(), tmp_path, samples)
    assert [layer.name for layer in found.trace.layers] == ["stem", "head"]
    reasons = {layer.name: layer.reason for layer in found.trace.skipped}
    assert reasons == {"first": PARTIAL, "second": PARTIAL, "third": UNUSED}


class TokensFirst(nn.Module):
    """A linear layer on (tokens, samples, features), as transformers without `batch_first` have them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.inner, self.head = nn.Conv2d(3, 4, 2, 2), nn.Linear(4, 4), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.inner(self.conv(x).flatten(2).permute(2, 0, 1)).mean(0))


@pytest.mark.parametrize("form", FORMS)
def test_tokens_first_are_no_samples_that_do_not_reach_a_layer(form: str, tmp_path: Path) -> None:
    _, found = examined_in(form, TokensFirst(), tmp_path, images())
    assert {layer.name: layer.positions for layer in found.trace.layers}["inner"] == (16,)
    assert found.trace.skipped == ()
    assert told(found) == []


def test_an_expert_that_is_given_none_of_two_samples_is_reached_by_some(tmp_path: Path) -> None:
    class Empty(Experts):
        def forward(self, x: Tensor) -> Tensor:
            h, positive = self.stem(x), x[:, 0] > 0
            out = h.clone()
            out[positive], out[~positive] = self.first(h[positive]), self.second(h[~positive])
            return self.head(out)

    samples = images(4, 3) + 0.1
    samples[3, 0] = -1
    _, found = examined_in("eager", Empty(), tmp_path, samples)
    reasons = {layer.name: layer.reason for layer in found.trace.skipped}
    assert reasons == {"first": PARTIAL, "second": PARTIAL, "third": UNUSED}


@pytest.mark.parametrize(("kind", "expected"), [(examined.Seldom, [("chance", "conv2")]), (examined.DrawsInVain, [])])
def test_what_chance_seldom_changes_is_found_in_more_forwards(
    kind: type[Base], expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    _, found = examined_in("eager", kind(), tmp_path, images())
    assert told(found) == expected


def test_a_net_for_two_samples_alone_is_an_error(tmp_path: Path) -> None:
    class Fixed(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.view(2, 3))

    with pytest.raises(ModelError, match=r"does not run on a batch of 4 samples: RuntimeError"):
        examined_in("eager", nn.Sequential(Fixed(3, 2)), tmp_path, images(4, 3))


@pytest.mark.parametrize(("probe", "most", "count"), [(1000, None, SAMPLES), (1, None, 1), (5, None, 4), (9, 3, 2)])
def test_how_many_samples(probe: int, most: int | None, count: int, tmp_path: Path) -> None:
    network: Any = open_form(Base(), "eager", images(), tmp_path)
    trace = network.trace(images()[:2])
    network.most_samples = most
    assert few(trace, network, probe) == count


def test_few_samples_of_large_activations(tmp_path: Path) -> None:
    network = open_form(nn.Sequential(nn.Conv2d(3, 256, 1)), "eager", images(), tmp_path)
    trace = network.trace(images(2, 3, 300, 300))
    assert few(trace, network, 1000) == 2
