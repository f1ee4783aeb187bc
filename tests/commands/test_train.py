"""A training from its options to the files that it leaves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli import recipes
from rfav_cli.checkpoints import archives
from rfav_cli.data.sources.cifar10 import CIFAR10
from rfav_cli.errors import (
    CheckpointError,
    ModelError,
    RecipeError,
    RfavError,
    SampleError,
    StoreError,
    TrainingError,
    UsageError,
)
from rfav_cli.records import LayerRecipe, Measurement, Note, Recipe, Settings, Training, TrainingEpoch, TrainingStep
from tests.acceptance.project.tiny_net import TinyNet, TwoHeads
from tests.acceptance.runs import draw
from tests.commands.judged import write_judged
from tests.data.sources.published import binary_cifar10

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOW: dict[str, Any] = {"epochs": 3, "batch_size": 16, "learning_rate": 0.05, "momentum": 0.9, "workers": 0}
"""Six steps an epoch of the data below."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("user")
    for name, count, seed in (("data", 100, 1), ("probe", 40, 2)):
        pictures, labels = draw(count, seed)
        np.savez(folder / f"{name}.npz", images=pictures, labels=labels)
    write_judged(folder, overfits=True)
    return folder


@pytest.fixture
def user(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, which is the current one: data.npz, probe.npz, run/, judged.h5."""
    folder = shutil.copytree(made, tmp_path / "user")
    monkeypatch.chdir(folder)
    return folder


def train(out: str = "new", **options: Any) -> Training:
    return rfav_cli.train(**({"data": "data.npz", "out": out, "model": TinyNet} | HOW | options))


def recipe(**weights: tuple[float, float]) -> Recipe:
    layers = tuple(LayerRecipe(name, "", *pair) for name, pair in weights.items())
    return Recipe("paper", "", "", None, None, None, layers)


def checkpoints(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    found = sorted(folder.glob("epoch_*.pt"), key=lambda path: int(path.stem.removeprefix("epoch_")))
    return {path.name: torch.load(path, weights_only=True)["model"] for path in found}


def assert_same(one: Path, other: Path) -> None:
    ours, theirs = checkpoints(one), checkpoints(other)
    assert list(ours) == list(theirs)
    for name, state in ours.items():
        assert list(state) == list(theirs[name])
        assert [key for key in state if not torch.equal(state[key], theirs[name][key])] == []
    assert [row | {"seconds": 0} for row in rows(one)] == [row | {"seconds": 0} for row in rows(other)]


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def stop_after(steps: int) -> Callable[[], bool]:
    asked = iter(range(10_000))
    return lambda: next(asked) >= steps


def test_a_run_is_what_analyze_reads(user: Path) -> None:
    done = train(recipe=recipe(conv2=(0.001, 0.0)), probe="probe.npz")
    assert (done.path, done.ended) == ("new", True)
    assert [*checkpoints(user / "new")] == ["epoch_-1.pt", "epoch_0.pt", "epoch_1.pt", "epoch_2.pt"]
    assert list(done.rows) == rows(user / "new")
    assert [row["epoch"] for row in done.rows] == [-1, 0, 1, 2]
    assert done.rows[-1]["train_loss"] < done.rows[1]["train_loss"]
    history = rfav_cli.analyze("new", model=TinyNet, probe="probe.npz", out="after.h5")
    watched = rfav_cli.open_store("new/rfav.h5")
    assert watched.epochs.tolist() == history.epochs.tolist() == [-1, 0, 1, 2]
    assert watched.checkpoints == history.checkpoints
    for name in history.columns:
        np.testing.assert_array_equal(watched.columns[name][:], history.columns[name][:], err_msg=name)
    assert watched.digest == history.digest


class FlattensByView(TinyNet):
    """As many nets are written: `view` takes no other than the default memory format."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        second = torch.max_pool2d(torch.relu(self.conv2(torch.relu(self.conv1(images)))), 2)
        scores: torch.Tensor = self.fc2(torch.relu(self.fc1(second.view(len(second), -1))))
        return scores


class FlattensInTraining(TinyNet):
    """The same in a branch that evaluation has not."""

    def __init__(self) -> None:
        super().__init__()
        self.beside = torch.nn.Linear(6 * 64, 4)

    def forward(self, images: torch.Tensor) -> Any:
        scores = super().forward(images)
        return (scores, self.beside(self.conv1(images).view(len(images), -1))) if self.training else scores


@pytest.mark.parametrize("net", [FlattensByView, FlattensInTraining])
def test_a_net_may_flatten_by_view(user: Path, net: type[TinyNet]) -> None:
    penalties = recipe(conv2=(0.001, 0.0))
    assert train(model=net, recipe=penalties, probe="probe.npz").ended
    assert len(rfav_cli.analyze("new", model=net, probe="probe.npz", out="after.h5")) == 4
    train("parts", model=net, recipe=penalties, should_stop=stop_after(10))
    assert train("parts", model=net, recipe=penalties, resume=True).ended
    assert_same(user / "new", user / "parts")


def test_the_probe_can_be_looked_at_while_the_training_goes_on(user: Path) -> None:
    seen: list[list[int]] = []

    def look(event: object) -> None:
        if isinstance(event, Measurement):
            seen.append(rfav_cli.open_store("new/rfav.h5").epochs.tolist())

    train(probe="probe.npz", report=look)
    assert seen == [[-1], [-1, 0], [-1, 0, 1], [-1, 0, 1, 2]]
    assert not (user / "new" / "rfav.h5.d").exists()


def test_the_probe_changes_no_weight_even_of_a_net_that_is_given_as_it_is(user: Path) -> None:
    torch.manual_seed(0)
    net = TinyNet()
    (user / "one_net.py").write_text("from tests.acceptance.project.tiny_net import TinyNet\nnet = TinyNet()\n")
    torch.save(net.state_dict(), user / "start.pt")
    train("plain", init="start.pt")
    train("watched", init="start.pt", probe="probe.npz", model="one_net.py:net")
    assert_same(user / "plain", user / "watched")


def test_weights_of_zero_change_no_bit(user: Path) -> None:
    train("plain")
    train("zero", recipe=recipe(conv1=(0.0, 0.0), fc1=(0.0, 0.0)))
    assert_same(user / "plain", user / "zero")
    train("more", recipe=recipe(conv1=(0.0, 0.1)))
    assert "decorrelation/conv1" in rows(user / "more")[-1]["penalties"]


def test_the_seed_decides_and_nothing_else(user: Path) -> None:
    before = torch.get_rng_state()
    train("one", augment=("flip", "crop"))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    train("two", augment=("flip", "crop"), workers=3)
    assert_same(user / "one", user / "two")
    train("other", seed=1, augment=("flip", "crop"))
    assert not torch.equal(*(checkpoints(user / name)["epoch_-1.pt"]["fc1.weight"] for name in ("one", "other")))


@pytest.mark.parametrize("stop", [0, 1, 4, 6, 7, 13, 18, 19])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(user: Path, stop: int) -> None:
    options: dict[str, Any] = {"recipe": recipe(conv1=(0.0, 0.1), conv2=(0.001, 0.0)), "augment": ("flip",)}
    train("whole", **options)
    first = train("parts", should_stop=stop_after(stop), **options)
    assert not first.ended or stop >= 19
    told: list[str] = []
    again = train(
        "parts", resume=True, report=lambda e: told.append(e.text) if isinstance(e, Note) else None, **options
    )
    assert again.ended
    assert any("going on at" in text or "has all its epochs" in text for text in told)
    assert_same(user / "whole", user / "parts")


@pytest.mark.parametrize(
    "options", [{"amp": True, "workers": 2}, {"optimizer": "adam", "momentum": 0.0, "schedule": "cosine", "workers": 2}]
)
def test_whatever_it_is_trained_with_it_goes_on_to_the_same_bits(user: Path, options: dict[str, Any]) -> None:
    options |= {"recipe": recipe(conv1=(0.0, 0.1), conv2=(0.001, 0.0)), "augment": ("flip", "crop")}
    train("whole", **options)
    train("parts", should_stop=stop_after(9), **options)
    train("parts", resume=True, **options)
    assert_same(user / "whole", user / "parts")


def test_a_run_can_be_made_longer_at_a_constant_rate(user: Path) -> None:
    train("whole", epochs=4)
    train("parts", epochs=2)
    train("parts", epochs=4, resume=True)
    assert_same(user / "whole", user / "parts")
    train("cosine", schedule="cosine")
    with pytest.raises(TrainingError, match="epochs: 3 / 5"):
        train("cosine", schedule="cosine", epochs=5, resume=True)


def test_resume_begins_where_there_is_nothing(user: Path) -> None:
    train("one")
    train("two", resume=True)
    assert_same(user / "one", user / "two")


def test_a_resumed_run_measures_what_its_store_lacks(user: Path) -> None:
    train("whole", probe="probe.npz")
    train("parts", should_stop=stop_after(8))
    train("parts", resume=True, probe="probe.npz")
    whole, parts = (rfav_cli.open_store(f"{name}/rfav.h5") for name in ("whole", "parts"))
    np.testing.assert_array_equal(whole.entropy, parts.entropy)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_store_that_cannot_be_continued_can_be_made_anew(user: Path, damaged: bool) -> None:
    train(epochs=1, probe="probe.npz")
    if damaged:
        (user / "new/rfav.h5").write_text("no store")
    again = {"epochs": 2, "resume": True, "probe": "probe.npz" if damaged else "data.npz"}
    with pytest.raises(StoreError, match=r"new/rfav\.h5") as caught:
        train(**again)
    assert "move rfav.h5 and rfav.h5.d away" in caught.value.remedy
    assert "--fresh" not in str(caught.value)
    (user / "new/rfav.h5").rename("old.h5")
    train(**again)
    assert rfav_cli.open_store("new/rfav.h5").epochs.tolist() == [-1, 0, 1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"learning_rate": 0.1}, "learning rate: 0.05 / 0.1"),
        ({"batch_size": 8, "seed": 3}, "batch size: 16 / 8"),
        ({"optimizer": "adam", "momentum": 0.0}, "optimizer: sgd / adam"),
        ({"augment": ("flip",)}, "augment: none / flip"),
        ({"validation": 0.3}, "samples: 90 and 10 / 70 and 30"),
        ({"data": "probe.npz"}, "data: "),
        ({"mean": 0.5}, "normalisation: "),
        ({"recipe": recipe(conv1=(0.1, 0.0))}, "penalties: none / "),
        ({"init": "run/epoch_003.pt"}, "init: fresh / "),
        ({"amp": True}, "amp: False / True"),
    ],
)
def test_a_run_is_not_continued_under_other_settings(user: Path, change: dict[str, Any], said: str) -> None:
    train(epochs=1)
    before = {path: path.read_bytes() for path in (user / "new").rglob("*") if path.is_file()}
    with pytest.raises(TrainingError, match="other settings") as caught:
        train(**({"epochs": 1, "resume": True} | change))
    assert said in caught.value.what
    assert {path: path.read_bytes() for path in (user / "new").rglob("*") if path.is_file()} == before


def test_a_folder_with_a_run_is_left_alone(user: Path) -> None:
    train(epochs=1)
    with pytest.raises(TrainingError, match="a run already"):
        train(epochs=1)


def test_the_last_checkpoints_are_kept_and_the_store_has_all(user: Path) -> None:
    train(keep=2, probe="probe.npz")
    assert [*checkpoints(user / "new")] == ["epoch_1.pt", "epoch_2.pt"]
    assert rfav_cli.open_store("new/rfav.h5").epochs.tolist() == [-1, 0, 1, 2]
    train("parts", keep=2, probe="probe.npz", should_stop=stop_after(10))
    train("parts", keep=2, probe="probe.npz", resume=True)
    assert_same(user / "new", user / "parts")
    assert rfav_cli.open_store("parts/rfav.h5").epochs.tolist() == [-1, 0, 1, 2]


def test_without_validation_there_are_no_such_columns(user: Path) -> None:
    told: list[object] = []
    train(validation=0, report=told.append)
    assert any("no validation data" in event.text for event in told if isinstance(event, Note))
    assert not any("validation" in name for row in rows(user / "new") for name in row)


def test_validation_samples_of_their_own(user: Path) -> None:
    told: list[Any] = []
    train(validation="probe.npz", probe="probe.npz", report=told.append)
    losses = [event.validation_loss for event in told if isinstance(event, TrainingEpoch)]
    np.testing.assert_allclose(losses, rfav_cli.open_store("new/rfav.h5").loss, rtol=1e-5)
    assert len([event for event in told if isinstance(event, TrainingStep)]) == 3 * 7


def test_a_net_that_breaks_down_keeps_its_last_good_checkpoint(user: Path) -> None:
    with pytest.raises(TrainingError, match=r"epoch \d+, step \d+: ") as caught:
        train(learning_rate=1e30, momentum=0.0)
    assert "last good" in caught.value.remedy
    kept = checkpoints(user / "new")
    assert all(torch.isfinite(value).all() for state in kept.values() for value in state.values())
    assert [row["epoch"] for row in rows(user / "new")] == [int(name[6:-3]) for name in kept]


def test_a_full_disk_is_said_and_the_run_goes_on_later(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train("whole")
    real, written = os.fsync, iter(range(1000))

    def fail_later(descriptor: int) -> None:
        if next(written) > 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("rfav_cli.files.atomic.os.fsync", fail_later)
        with pytest.raises(TrainingError, match="no room left"):
            train("parts")
    assert 0 < len(checkpoints(user / "parts")) < 4
    train("parts", resume=True)
    assert_same(user / "whole", user / "parts")


def test_from_a_store_to_a_retrained_run(user: Path) -> None:
    told: list[Any] = []
    rfav_cli.recommend("judged.h5", out="recipe.toml")
    rewind = recipes.load(user / "recipe.toml").rewind
    assert rewind is not None
    done = train(from_store="judged.h5", report=told.append)
    assert done.ended
    expected = torch.load(user / "run" / f"epoch_{rewind:03}.pt", weights_only=True)
    start = checkpoints(user / "new")["epoch_-1.pt"]
    assert all(torch.equal(start[name], expected[name]) for name in expected)
    assert set(rows(user / "new")[-1]["penalties"]) == {"sparsity/conv2", "sparsity/fc1"}
    notes = " ".join(event.text for event in told if isinstance(event, Note))
    assert f"starts from epoch {rewind}, run/epoch_{rewind:03}.pt" in notes
    assert "conv2 (lambda 0.00833333), fc1 (lambda 0.3)" in notes
    assert "has seen those that it is validated on" in notes
    train("by-recipe", recipe="recipe.toml")
    assert_same(user / "new", user / "by-recipe")
    assert "lambda_factor" not in rows(user / "new")[-1]
    told.clear()
    train("adaptive", from_store="judged.h5", rule="adaptive", anyway=True, report=told.append)
    notes = " ".join(event.text for event in told if isinstance(event, Note))
    assert "conv2 (lambda 0.0025), fc1 (lambda 0.09)" in notes
    assert 0.01 <= rows(user / "adaptive")[-1]["lambda_factor"] <= 100
    told.clear()
    train("balanced", from_store="judged.h5", rule="balanced", init="fresh", report=told.append)
    notes = " ".join(event.text for event in told if isinstance(event, Note))
    assert "fc1 (lambda 0.1)" in notes
    assert "starts from" not in notes
    assert rows(user / "balanced")[-1]["penalties"]["sparsity/fc1"] < -0.05
    train("fresh")
    one, other = (checkpoints(user / name)["epoch_-1.pt"] for name in ("fresh", "balanced"))
    assert torch.equal(one["fc1.weight"], other["fc1.weight"])


def test_a_store_is_found_beside_its_checkpoints(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (user / "elsewhere").mkdir()
    monkeypatch.chdir(user / "elsewhere")
    train(str(user / "new"), data=str(user / "data.npz"), from_store=user / "judged.h5", epochs=1)
    assert (user / "new" / "epoch_0.pt").is_file()


def test_how_the_store_measured_is_how_it_is_penalised(user: Path) -> None:
    settings = Settings(with_bias=True, model="tiny_net:make_net", output="scores")
    shutil.rmtree(user / "run")
    (user / "judged.h5").unlink()
    write_judged(user, overfits=True, settings=settings)
    train(model=TwoHeads, from_store="judged.h5", probe="probe.npz")
    kept = rfav_cli.open_store("new/rfav.h5").run.settings
    assert (kept.with_bias, kept.output) == (True, "scores")


def test_how_the_recipe_was_measured_is_how_it_is_penalised(user: Path) -> None:
    known = replace(recipe(conv2=(0.001, 0.0)), with_bias=True, centering="paper")
    train(recipe=known, probe="probe.npz")
    kept = rfav_cli.open_store("new/rfav.h5").run.settings
    assert (kept.with_bias, kept.fold_norm, kept.centering) == (True, True, "paper")


class Normalised(TinyNet):
    """With a batch normalisation whose scale is far from 1, so that it matters whether it is folded in."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(8)
        torch.nn.init.constant_(self.norm.weight, 3.0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        second = torch.relu(self.norm(self.conv2(torch.relu(self.conv1(images)))))
        scores: torch.Tensor = self.fc2(torch.relu(self.fc1(torch.max_pool2d(second, 2).flatten(1))))
        return scores


def test_a_recipe_that_was_measured_before_the_norm_is_penalised_so(user: Path) -> None:
    plain = recipe(conv2=(0.001, 0.0))
    options: dict[str, Any] = {"model": Normalised, "probe": "probe.npz"}
    train("by-recipe", recipe=replace(plain, fold_norm=False), **options)
    told: list[Any] = []
    train("by-option", recipe=plain, no_fold_norm=True, report=told.append, **options)
    said = [note for note in told if isinstance(note, Note) and "penalised before the normalisation" in note.text]
    assert ["conv2;" in note.text for note in said] == [True]
    train("folded", recipe=plain, report=told.append, **options)
    assert len([note for note in told if isinstance(note, Note) and "before the normalisation" in note.text]) == 2
    assert_same(user / "by-recipe", user / "by-option")
    folded, raw = (rows(user / name)[-1]["penalties"]["sparsity/conv2"] for name in ("folded", "by-recipe"))
    assert abs(folded - raw) > 0.1 * abs(raw)
    stores = [rfav_cli.open_store(f"{name}/rfav.h5") for name in ("folded", "by-recipe")]
    assert [store.run.settings.fold_norm for store in stores] == [True, False]
    assert abs(stores[0].entropy - stores[1].entropy).max() > 0.1


def test_the_probe_is_normalised_as_the_samples_that_are_trained_on(user: Path) -> None:
    """A named set brings a mean and a deviation of its own, which a file of arrays has not."""
    random = np.random.default_rng(0)
    names = ["test_batch", *(f"data_batch_{number}" for number in range(1, 6))]
    batches = {
        name: (random.integers(0, 256, (8, 3072), np.uint8), random.integers(0, 4, 8).tolist()) for name in names
    }
    binary_cifar10(user / "cifar-10-batches-bin", batches)
    train(data="cifar10:.#train", probe="probe.npz", resize=8, epochs=1)
    during = rfav_cli.open_store("new/rfav.h5")
    options: dict[str, Any] = {"model": TinyNet, "probe": "probe.npz"}
    as_trained = rfav_cli.analyze("new", mean=CIFAR10.preset[0], std=CIFAR10.preset[1], out="as-trained.h5", **options)
    assert during.run.probe.sha256 == as_trained.run.probe.sha256
    np.testing.assert_array_equal(during.entropy, as_trained.entropy)
    as_it_is = rfav_cli.analyze("new", out="as-it-is.h5", **options)
    assert abs(during.entropy - as_it_is.entropy).max() > 0.01


def test_a_store_chooses_no_code(user: Path) -> None:
    shutil.rmtree(user / "run")
    (user / "judged.h5").unlink()
    write_judged(user, overfits=True, settings=Settings(model="subprocess:getoutput(cmd=touch ran)"))
    with pytest.raises(ModelError, match=r"judged\.h5: its net is made by code") as caught:
        train(model=None, from_store="judged.h5")
    assert caught.value.remedy.endswith("--model subprocess:getoutput --model-arg 'cmd=touch ran'")
    assert not (user / "ran").exists()
    assert not (user / "new").exists()
    assert train(from_store="judged.h5", epochs=1).ended


def test_a_store_names_a_net_of_the_zoo(user: Path) -> None:
    shutil.rmtree(user / "run")
    (user / "judged.h5").unlink()
    write_judged(user, overfits=True, settings=Settings(model="zoo:lenet(classes=3)"))
    with pytest.raises(CheckpointError, match="conv1"):  # made, and the checkpoint is none of it
        train(model=None, from_store="judged.h5", epochs=1)


def test_a_healthy_run_is_not_trained_again(user: Path, tmp_path: Path) -> None:
    store = write_judged(tmp_path / "healthy", overfits=False)
    done = train(from_store=store)
    assert (done.path, done.rows) == ("", ())
    assert "healthy" in done.reason
    assert not (user / "new").exists()


def test_another_checkpoint_than_the_stores_is_refused(user: Path) -> None:
    for path in (user / "run").iterdir():
        torch.save(TinyNet().state_dict(), path)
    with pytest.raises(CheckpointError, match=r"epoch_00\d\.pt: another file than the store"):
        train(from_store="judged.h5")
    assert not (user / "new").exists()
    shutil.rmtree(user / "run")
    with pytest.raises(CheckpointError, match="no such checkpoint to start from"):
        train(from_store="judged.h5")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"recipe": recipe(conv9=(0.1, 0.0))}, RecipeError, "conv9"),
        ({"recipe": recipe()}, RecipeError, "no layer"),
        ({"recipe": "paper:sr2"}, RecipeError, "conv3"),
        ({"recipe": "paper:sr9"}, RecipeError, "paper:sr1"),
        ({"recipe": "none.toml"}, RecipeError, "none.toml"),
        ({"recipe": recipe(conv1=(0.1, 0.0)), "from_store": "judged.h5"}, UsageError, "--from-store"),
        ({"from_store": "none.h5"}, StoreError, "none.h5"),
        ({"model": None}, ModelError, "--model"),
        ({"init": "none.pt"}, CheckpointError, "none.pt"),
        ({"init": "probe.npz"}, CheckpointError, "probe.npz"),
        ({"model": lambda: TinyNet(3)}, SampleError, "label 3 is beyond the 3 outputs"),
        ({"model": lambda: TinyNet(7), "init": "run/epoch_003.pt"}, CheckpointError, "fc2"),
        ({"resize": 3}, SampleError, "3x3x3"),
        ({"gray": True}, SampleError, "--rgb"),
        ({"keep": 0}, UsageError, "--keep"),
        ({"workers": -1}, UsageError, "--workers"),
        ({"rule": "golden", "from_store": "judged.h5"}, UsageError, "golden"),
        ({"probe": "none.npz"}, SampleError, "none.npz"),
        ({"probe": "two.npz"}, SampleError, "two.npz: the net does not run on samples of 2x8x8"),
        ({"probe": "beyond.npz"}, SampleError, "beyond.npz: label 9 is beyond the 4 outputs"),
        ({"device": "abacus"}, ModelError, "abacus"),
        ({"output": "7"}, ModelError, "--output"),
        ({"validation": "none.npz"}, SampleError, "none.npz"),
        ({"data": "none.npz"}, SampleError, "none.npz"),
        ({"batch_size": 0}, UsageError, "--batch-size"),
        ({"augment": ("spin",)}, UsageError, "spin"),
        ({"centering": "printed"}, UsageError, "--centering: there is no 'printed'"),
    ],
)
def test_bad_input_is_an_error_that_says_so(
    user: Path, options: dict[str, Any], error: type[RfavError], said: str
) -> None:
    pictures, labels = draw(8, 3)
    np.savez("two.npz", images=pictures[..., :2], labels=labels)
    np.savez("beyond.npz", images=pictures, labels=labels * 0 + 9)
    with pytest.raises(error) as caught:
        train(**options)
    assert said in str(caught.value)
    assert not (user / "new").exists()


@pytest.fixture
def script(user: Path) -> str:
    """A TorchScript file with weights of the tiny net, which are in eager.pt as well."""
    torch.manual_seed(3)
    net = TinyNet().eval()
    torch.save(net.state_dict(), user / "eager.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(user / "net.pt"))
        torch.jit.freeze(torch.jit.script(net)).save(str(user / "frozen.pt"))
        torch.jit.script(net.requires_grad_(False)).save(str(user / "fixed.pt"))
    torch.export.save(torch.export.export(net, (torch.zeros(2, 3, 8, 8),)), user / "net.pt2")
    return "net.pt"


def programs(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """The weights of each TorchScript checkpoint."""
    found = sorted(folder.glob("epoch_*.pt"), key=lambda path: int(path.stem.removeprefix("epoch_")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {path.name: torch.jit.load(path).state_dict() for path in found}


def test_torchscript_is_trained_as_the_eager_net_and_stays_torchscript(user: Path, script: str) -> None:
    options: dict[str, Any] = {"recipe": recipe(conv1=(0.0, 0.1), conv2=(0.001, 0.0)), "probe": "probe.npz"}
    train("eager", init="eager.pt", **options)
    train(init=script, model=None, **options)
    for ours, theirs in zip(programs(user / "new").values(), checkpoints(user / "eager").values(), strict=True):
        torch.testing.assert_close(dict(ours), theirs, rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(rows(user / "new"), rows(user / "eager"), strict=True):
        assert ours.get("penalties", {}) == pytest.approx(theirs.get("penalties", {}), rel=1e-4, abs=1e-6)
    history = rfav_cli.analyze("new", probe="probe.npz", out="after.h5")
    np.testing.assert_array_equal(history.entropy, rfav_cli.open_store("new/rfav.h5").entropy)
    train("again", init="new/epoch_2.pt", model=None, epochs=1)


def test_torchscript_without_penalties_is_plain_training(user: Path, script: str) -> None:
    options: dict[str, Any] = {"init": script, "model": None, "validation": 0, "batch_size": 100}
    train("plain", **options)
    train("zero", recipe=recipe(conv1=(0.0, 0.0)), **options)
    plain, zero = programs(user / "plain"), programs(user / "zero")
    assert all(torch.equal(plain[name][key], zero[name][key]) for name in plain for key in plain[name])
    with np.load("data.npz") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = torch.from_numpy(file["images"]).permute(0, 3, 1, 2).float() / 255
        labels, net = torch.from_numpy(file["labels"]), torch.jit.load(script)
    optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()
    torch.testing.assert_close(dict(plain["epoch_2.pt"]), dict(net.state_dict()), rtol=1e-4, atol=1e-6)


def test_the_extra_files_of_an_archive_are_kept(user: Path, script: str) -> None:
    beside = {
        "config.json": b'{"classes": 4}\xff',
        "a/b.txt": b"",
        "../up\x1b": b"up",
        "zz": bytes(archives.MOST_EXTRA),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.load(script), user / "rich.pt", _extra_files=beside)
    told: list[str] = []
    options: dict[str, Any] = {"init": "rich.pt", "model": None, "epochs": 1}
    train(should_stop=stop_after(2), report=lambda e: told.append(e.text) if isinstance(e, Note) else None, **options)
    train(resume=True, **options)
    for epoch in (-1, 0):
        kept, left = archives.extra_files(user / "new" / f"epoch_{epoch}.pt")
        assert (kept, left) == ({name: beside[name] for name in ("a/b.txt", "config.json")}, ())
    assert [text for text in told if "extra" in text] == [
        f"rich.pt: the extra file {name} is left out of the checkpoints" for name in (r"../up\x1b", "zz")
    ]
    assert not (user / "up\x1b").exists()


@pytest.mark.parametrize("stop", [4, 7])
def test_torchscript_goes_on_to_the_same_bits(user: Path, script: str, stop: int) -> None:
    options: dict[str, Any] = {"init": script, "model": None, "recipe": recipe(conv2=(0.001, 0.0))}
    train("whole", **options)
    train("parts", should_stop=stop_after(stop), **options)
    train("parts", resume=True, **options)
    whole, parts = programs(user / "whole"), programs(user / "parts")
    assert list(whole) == list(parts)
    assert all(torch.equal(whole[name][key], parts[name][key]) for name in whole for key in whole[name])


@pytest.mark.parametrize(
    ("init", "said"),
    [
        ("frozen.pt", "frozen"),
        ("fixed.pt", "takes a gradient"),
        ("net.pt2", "exported program"),
        ("eager.pt", "needs --model"),
    ],
)
def test_checkpoints_that_cannot_be_trained(user: Path, script: str, init: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        train(init=init, model=None)
    assert not (user / "new").exists()


def test_lambda_follows_no_samples_that_are_trained_on(user: Path) -> None:
    with pytest.raises(SampleError, match=r"data\.npz: .* samples are trained on, and by the rule adaptive"):
        train(from_store="judged.h5", rule="adaptive", anyway=True, validation="data.npz")
    assert not (user / "new").exists()
    told: list[Any] = []
    train("noted", from_store="judged.h5", validation="data.npz", report=told.append)
    assert any("trained on: their loss is no held-out one" in event.text for event in told if isinstance(event, Note))
