"""A training that is driven to its end: what is on disk when it is told, and what is measured when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.activations.network import OpenOptions
from rfav_cli.data.sources import SampleOptions
from rfav_cli.distributed import Group
from rfav_cli.errors import StoreError, TrainingError, UsageError
from rfav_cli.options import Train
from rfav_cli.records import ALONE, LayerRecipe, Recipe, TrainingEpoch
from rfav_cli.training.control import followed
from rfav_cli.training.run import assembled
from rfav_cli.training.start import Start
from tests.training.loops import CPU, Net

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.records import Training


class Recorder:
    """Notes what it is asked for, and whether the checkpoint was there."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[Any] = []
        self.error = error

    def measure(self, epoch: int, path: Path) -> None:
        if self.error:
            raise self.error
        self.calls.append((epoch, path.is_file()))

    def pack(self) -> None:
        self.calls.append("pack")


@pytest.fixture
def train(data: Path, tmp_path: Path) -> Callable[..., Training]:
    """Trains in `run`, two epochs of six steps."""

    def train(recorder: Recorder | None = None, recipe: Recipe | None = None, **changes: Any) -> Training:
        options = Train(model=Net, data=data, out=tmp_path / "run", epochs=2, batch_size=8, workers=0)
        options = replace(options, **changes)
        start = Start.of(options)
        start = start.with_recipe(recipe) if recipe else start
        opening = OpenOptions(device=CPU, make_model=Net, model_name="Net")
        with assembled(options, start, opening, SampleOptions(), Group(ALONE)) as assembly:
            return assembly.train(recorder)

    return train


def stop_after(asked: int) -> Callable[[], bool]:
    left = iter(range(asked))
    return lambda: next(left, None) is None


def test_each_checkpoint_is_measured_once_it_is_there_and_all_are_packed(train: Callable[..., Training]) -> None:
    recorder = Recorder()
    done = train(recorder)
    assert recorder.calls == [(-1, True), (0, True), (1, True), "pack"]
    assert done.ended
    assert [row["epoch"] for row in done.rows] == [-1, 0, 1]


def test_an_epoch_is_on_disk_when_it_is_told(train: Callable[..., Training], tmp_path: Path) -> None:
    there: list[bool] = []

    def look(event: object) -> None:
        if isinstance(event, TrainingEpoch):
            there.append((tmp_path / "run" / f"epoch_{event.epoch}.pt").is_file())

    train(report=look)
    assert there == [True, True, True]


def test_what_is_stopped_is_not_packed_and_the_rest_is_measured_later(train: Callable[..., Training]) -> None:
    first = train(should_stop=stop_after(4))
    assert not first.ended
    recorder = Recorder()
    assert train(recorder, resume=True).ended
    assert recorder.calls == [(-1, True), (0, True), (1, True), "pack"]
    stopped = Recorder()
    assert not train(stopped, resume=True, epochs=4, should_stop=stop_after(2)).ended
    assert "pack" not in stopped.calls


def test_only_the_last_checkpoints_are_kept(train: Callable[..., Training], tmp_path: Path) -> None:
    train(keep=1)
    assert [path.name for path in (tmp_path / "run").glob("epoch_*")] == ["epoch_1.pt"]


def test_a_store_that_cannot_be_continued_says_what_to_do_about_a_training(train: Callable[..., Training]) -> None:
    with pytest.raises(StoreError, match="of another run") as caught:
        train(Recorder(StoreError("rfav.h5 is of another run", "Give --fresh.")))
    assert "--fresh" not in caught.value.remedy
    assert "move rfav.h5 and rfav.h5.d away" in caught.value.remedy
    full = StoreError("cannot be written", "")
    full.__cause__ = OSError(28, "No space left on device")
    with pytest.raises(TrainingError, match="no room left"):
        train(Recorder(full), resume=True)


@pytest.mark.parametrize(
    ("layers", "said"), [(("conv1", 0.0, 0.1), "penalties: none / "), (("conv1", 0.0, 0.0), "penalties: none / ")]
)
def test_other_penalties_are_another_run(
    train: Callable[..., Training], layers: tuple[str, float, float], said: str
) -> None:
    train(epochs=1)
    with pytest.raises(TrainingError, match=said):
        train(recipe=Recipe("paper", "", "", None, None, None, (LayerRecipe(layers[0], "", *layers[1:]),)), resume=True)


ADAPTIVE = Recipe(
    "adaptive",
    "",
    "",
    None,
    None,
    None,
    (LayerRecipe("conv2", "", 0.05, 0.0), LayerRecipe("fc2", "", 0.1, 0.0, target="scores")),
)


def test_an_adaptive_training_that_was_stopped_goes_on_bit_for_bit(
    train: Callable[..., Training], tmp_path: Path
) -> None:
    """Stopped within an epoch, after one that moved lambda."""
    whole = train(recipe=ADAPTIVE, epochs=3, out=tmp_path / "whole")
    assert not train(recipe=ADAPTIVE, epochs=3, should_stop=stop_after(11)).ended
    resumed = train(recipe=ADAPTIVE, epochs=3, resume=True)
    factors = [row["lambda_factor"] for row in whole.rows]
    assert factors[0] == 1.0  # before training nothing is followed
    assert len(set(factors)) == 4
    assert [row["lambda_factor"] for row in resumed.rows] == factors
    assert [row["penalties"] for row in resumed.rows[1:]] == [row["penalties"] for row in whole.rows[1:]]
    one, other = (torch.load(tmp_path / name / "epoch_2.pt")["model"] for name in ("whole", "run"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_each_epoch_follows_what_its_validation_said(train: Callable[..., Training]) -> None:
    rows = train(recipe=ADAPTIVE, epochs=3).rows
    factor = 1.0
    for row in rows[1:]:
        factor = followed(factor, row["validation_confidence"], row["validation_accuracy"])
        assert row["lambda_factor"] == pytest.approx(factor)


def test_a_rule_that_follows_nothing_has_no_factor(train: Callable[..., Training]) -> None:
    rows = train(recipe=replace(ADAPTIVE, rule="even")).rows
    assert all("lambda_factor" not in row for row in rows)
    assert all(0 < row["validation_confidence"] <= 1 for row in rows)


def test_without_validation_samples_there_is_nothing_to_follow(train: Callable[..., Training], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lambda follows the validation samples") as caught:
        train(recipe=ADAPTIVE, validation="0")
    assert "--validation" in caught.value.remedy
    assert not (tmp_path / "run").exists()
    assert train(recipe=replace(ADAPTIVE, rule="even"), validation="0").ended


def test_a_folder_is_nobody_elses_while_it_is_trained_in(train: Callable[..., Training]) -> None:
    def intrude(event: object) -> None:
        if isinstance(event, TrainingEpoch):
            train(resume=True)

    with pytest.raises(TrainingError, match="another process trains there"):
        train(report=intrude)
