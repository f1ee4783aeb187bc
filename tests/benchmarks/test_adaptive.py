"""The benchmark of adaptive penalties: its arithmetic by hand, its controls, and the committed figures on the page."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from benchmarks.pages import marked
from benchmarks.remedy.adaptive import fit as fitting
from benchmarks.remedy.adaptive.fit import Parts, fit
from benchmarks.remedy.adaptive.methods import EVEN, START, Method, source_options
from benchmarks.remedy.adaptive.nets import SIZE, make
from benchmarks.remedy.adaptive.parts import PartRegularizer, part_of
from benchmarks.remedy.adaptive.runs import RUNS, SmallRun, split
from benchmarks.remedy.adaptive.score import GROUPS, HERE, collected, document, gains
from benchmarks.remedy.score import load
from rfav_cli.diagnosis import recipe
from rfav_cli.equations import entropy
from rfav_cli.training.control import followed
from rfav_cli.training.penalties import TargetedRegularizer

if TYPE_CHECKING:
    from pathlib import Path

RUN = SmallRun("cifar10", "thin", 96, "adam", 2)


def test_halves_share_no_run_and_are_by_digest() -> None:
    halves = split()
    names = {half: [run.name for run in runs] for half, runs in halves.items()}
    assert not set(names["tuning"]) & set(names["reporting"])
    assert sorted(names["tuning"] + names["reporting"]) == sorted(run.name for run in RUNS)
    assert len(halves["reporting"]) >= 12
    assert sum(run.normalised for run in halves["reporting"]) >= 4
    for normalised in (False, True):
        digests = {
            half: [hashlib.sha256(r.name.encode()).hexdigest() for r in runs if r.normalised == normalised]
            for half, runs in halves.items()
        }
        assert max(digests["tuning"]) < min(digests["reporting"])


@pytest.mark.parametrize("half", ["tuning", "reporting"])
def test_the_page_has_the_tables_that_the_figures_give(half: str) -> None:
    text = (HERE.parent / "README.md").read_text(encoding="utf-8")
    assert marked(text, f"the small {half} runs")[1] == document(load(HERE / f"{half}.json"))


def test_it_starts_where_the_recommended_recipes_start() -> None:
    assert (EVEN, START) == (recipe.EVEN, recipe.START)


@pytest.mark.parametrize("kind", ["lenet", "thin", "mlp"])
def test_what_is_added_to_a_net(kind: str) -> None:
    plain, both = make(kind, 7), make(kind, 7, norm=True, dropout=True)
    assert plain(torch.rand(2, 3, SIZE, SIZE)).shape == (2, 7)
    assert both(torch.rand(2, 3, SIZE, SIZE)).shape == (2, 7)
    layers = list(both)
    norms = [place for place, layer in enumerate(layers) if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d)]
    assert len(norms) == sum(isinstance(layer, nn.Linear if kind == "mlp" else nn.Conv2d) for layer in plain) - (
        kind == "mlp"
    )
    assert all(isinstance(layers[place + 1], nn.ReLU) for place in norms)
    drops = [place for place, layer in enumerate(layers) if isinstance(layer, nn.Dropout)]
    assert drops
    assert all(isinstance(layers[place - 1], nn.ReLU if kind == "mlp" else nn.MaxPool2d) for place in drops)
    assert [type(layer) for layer in make(f"norm-{kind}", 7)] == [type(layer) for layer in make(kind, 7, norm=True)]


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 3, 3)])
def test_the_parts_of_a_gradient(shape: tuple[int, ...]) -> None:
    """The scale's is along the activation, as far as that of the entropy is; the shape's is across it."""
    activation = 2 * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    activation.requires_grad_()

    def gradient(of: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(entropy(of, 1).sum(), activation)[0]

    def along(one: torch.Tensor) -> float:
        return float((one * activation.detach()).sum())

    scale = gradient(part_of(activation, "scale"))
    assert entropy(part_of(activation, "scale"), 1).sum().item() == pytest.approx(entropy(activation, 1).sum().item())
    ratio = scale / activation.detach()
    torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio))
    assert along(gradient(part_of(activation, "shape"))) == pytest.approx(0, abs=1e-9)
    unit = part_of(3 * activation, "shape")
    torch.testing.assert_close(unit, part_of(activation, "shape"))
    assert along(scale) == pytest.approx(along(gradient(activation)))


def test_a_part_is_penalised_as_the_whole_is_and_follows() -> None:
    net, images = make("thin", 10), torch.randn(4, 3, SIZE, SIZE)
    lambdas = {"conv2": 0.01, "fc1": 0.5}
    whole = TargetedRegularizer(net, {name: (weight, 0.0) for name, weight in lambdas.items()})
    part = PartRegularizer(net, lambdas, "scale")
    net(images)
    first = part()
    assert first.item() == pytest.approx(whole().item(), rel=1e-5)
    factor = part.follow(0.9, 0.5)
    assert factor == part.factor == followed(1.0, 0.9, 0.5)
    net(images)
    assert part().item() == pytest.approx(factor * first.item(), rel=1e-5)


def test_methods_are_told_by_their_names() -> None:
    positions, flagged = {"conv1": 16, "conv2": 4, "fc1": 1}, ["fc1"]
    assert Method.of("adaptive") == Method("adaptive", "", START, 6.0, 100.0, False)
    assert Method.of("even").start == 1.0
    other = Method.of("adaptive all:s1:g3:h10:fresh")
    assert (other.what, other.start, other.gain, other.highest, other.fresh) == ("all", 1.0, 3.0, 10.0, True)
    assert other.layers(positions, flagged, 1) == [*positions]
    assert Method.of("adaptive").layers(positions, [], 1) == []
    assert Method.of("adaptive and scores").layers(positions, [], 1) == [*positions]
    assert Method.of("adaptive and scores").layers(positions, flagged, 1) == flagged
    assert len(Method.of("adaptive random").layers(positions, flagged, 1)) == 1


@pytest.mark.parametrize(
    ("name", "penalties"),
    [
        ("adaptive", {"sparsity/fc1"}),
        ("adaptive scores", {"sparsity/fc2"}),
        ("adaptive and scores", {"sparsity/fc1", "sparsity/fc2"}),
        ("even", {"sparsity/fc1"}),
    ],
)
def test_what_a_method_penalises(name: str, penalties: set[str]) -> None:
    method, net = Method.of(name), make("thin", 10)
    regularizer: Any = method.regularizer(RUN, net, {"fc1": 1, "conv1": 256}, ["fc1"])
    assert regularizer.adaptive == (name != "even")
    net(torch.randn(3, 3, SIZE, SIZE))
    regularizer()
    assert set(regularizer.values) == penalties
    assert Method.of("adaptive").regularizer(RUN, net, {"fc1": 1}, []) is None


def test_sources_are_what_a_net_has_not_got() -> None:
    assert source_options(SmallRun("cifar10", "norm-mlp", 100, "adam", 2), "norm") is None
    assert source_options(SmallRun("cifar10", "drop-lenet", 100, "adam", 2), "dropout") is None
    assert source_options(RUN, "norm") == ({"norm": True, "dropout": False}, {})
    assert source_options(RUN, "decay") == ({"norm": False, "dropout": False}, {"decay": 5e-4})


@pytest.fixture
def parts() -> Parts:
    generator = torch.Generator().manual_seed(0)

    def some(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        images = 255 * torch.rand(count, 3, SIZE, SIZE, generator=generator)
        return images, torch.randint(10, (count,), generator=generator)

    return Parts(some(RUN.images), some(50), some(60))


def test_a_training_is_repeated_follows_each_epoch_and_is_looked_at_now_and_then(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "EVERY", 2)

    def rows() -> list[dict[str, float]]:
        torch.manual_seed(0)
        net = make("thin", 10)
        regularizer = Method.of("adaptive scores").regularizer(RUN, net, {}, [])
        return fit(RUN, net, parts, regularizer, epochs=range(4), seed=1, augment=True)

    found = rows()
    assert found == rows()
    assert [("loss" in row) for row in found] == [True, False, True, True]
    factor = 1.0
    for row in found:
        factor = followed(factor, row["validation_confidence"], row["validation_accuracy"])
        assert row["factor"] == pytest.approx(factor)


def test_outcomes_of_what_needs_no_training(tmp_path: Path) -> None:
    def row(epoch: int, loss: float) -> dict[str, float]:
        row = {"validation_loss": loss, "validation_accuracy": 0.5}
        looked = {"loss": loss + 0.1, "accuracy": 0.4 + epoch / 100, "calibrated_loss": 1.0 - epoch / 100}
        return row | (looked if epoch % 3 == 0 else {})

    rows = [row(epoch, abs(epoch - 4) + 1.0) for epoch in range(13)]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "plain.1.json").write_text(json.dumps({"rows": rows, "layers": []}))
    (tmp_path / "a" / "adaptive.1.json").write_text(json.dumps({"rows": None}))
    found = {each.method: each for each in collected(tmp_path, ["a"])}
    assert (found["plain"].best_loss, found["plain"].final_loss) == (2.1, 9.1)
    assert (found["temperature"].best_loss, found["temperature"].final_loss) == (0.88, 0.88)
    assert found["temperature"].final_accuracy == found["plain"].final_accuracy == 0.52
    assert found["early stopping"].final_accuracy == 0.43  # of epoch 3, the best that was looked at
    assert not found["adaptive"].mended
    assert found["adaptive"].final_loss == found["plain"].final_loss


def test_all_is_held_against_a_temperature_as_well() -> None:
    assert "| adaptive and scores | temperature |" in document(load(HERE / "reporting.json"))


def test_gains_are_the_differences_of_the_tables() -> None:
    outcomes = load(HERE / "reporting.json")
    found = {(gain.remedy, gain.measure): gain for gain in gains(outcomes) if gain.nets == next(iter(GROUPS))}
    gain = found["adaptive and scores", "best accuracy"]
    assert f"{gain.value:+.3f} ± {gain.high - gain.value:.3f}" in document(outcomes)
    assert gain.low <= gain.value <= gain.high
    assert gain.runs == 7
