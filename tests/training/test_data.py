"""What a net is trained and validated on: splits, unreadable samples, labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import Dataset

from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import SampleError, UsageError
from rfav_cli.training.data import count_trained_on, stratified
from tests.training.samples import load

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.floats(0, 1, exclude_max=True), st.integers(0, 2**32))
def test_a_split_is_stratified(labels: list[int], share: float, seed: int) -> None:
    values = np.array(labels)
    chosen = stratified(values, share, seed)
    for label, count in zip(*np.unique(values, return_counts=True), strict=True):
        given_ = int(chosen[values == label].sum())
        assert given_ < count  # what is trained on keeps every class
        # A class can give one for another, whose last sample stays.
        assert share * count - 1 < given_ <= share * count + 1 or given_ == count - 1
    assert abs(int(chosen.sum()) - round(share * len(values))) <= len(set(labels))
    np.testing.assert_array_equal(chosen, stratified(values, share, seed))


def test_a_split_has_the_size_that_was_asked_for_and_follows_from_the_seed() -> None:
    labels = np.arange(1000) % 7
    first, second = stratified(labels, 0.1, 0), stratified(labels, 0.1, 1)
    assert first.sum() == second.sum() == 100
    assert (first != second).any()


def test_a_share_parts_the_data(arrays: Path) -> None:
    training, held_out, told = load(arrays, "0.1")
    assert held_out is not None
    assert (len(training), len(held_out), told) == (180, 20, [])
    with np.load(arrays) as known:
        for part in (training, held_out):
            images = part.read(np.arange(len(part)))
            numbers = images[:, 0, 0, 0].astype(int)
            np.testing.assert_array_equal(images, known["images"][numbers].transpose(0, 3, 1, 2))
            np.testing.assert_array_equal(part.labels, known["labels"][numbers])
    assert set(training.rows) | set(held_out.rows) == set(range(200))
    assert not set(training.rows) & set(held_out.rows)


def test_no_validation_is_said(arrays: Path) -> None:
    training, held_out, told = load(arrays, "0")
    assert (len(training), held_out) == (200, None)
    assert "no validation data" in told[0]


@pytest.mark.parametrize("share", ["1", "-0.1", "nan", "inf", "7"])
def test_what_is_no_share_is_refused(arrays: Path, share: str) -> None:
    with pytest.raises(UsageError, match="--validation"):
        load(arrays, share)


def test_a_share_of_too_few_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "few.npz", images=np.zeros((3, 4), np.float32), labels=np.arange(3))
    with pytest.raises(SampleError, match="enough samples"):
        load(tmp_path / "few.npz", "0.1")


def test_data_without_labels_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "bare.npz", images=np.zeros((3, 4), np.float32))
    with pytest.raises(SampleError, match=r"bare\.npz: the samples have no labels"):
        load(tmp_path / "bare.npz")


@pytest.mark.parametrize("labels", [np.array([0.5, 1, 2]), np.zeros((3, 2), int), np.array([0.0, 1, 1])])
def test_labels_of_other_tasks_than_classes_are_refused(tmp_path: Path, labels: NDArray[Any]) -> None:
    np.savez(tmp_path / "other.npz", images=np.zeros((3, 4), np.float32), labels=labels)
    with pytest.raises(SampleError, match=r"other\.npz: labels .* are no class numbers") as caught:
        load(tmp_path / "other.npz")
    assert "TargetedRegularizer" in caught.value.remedy


def test_validation_classes_are_told_by_name(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in ("cat", "ant"):
        (other / name).mkdir(parents=True)
        (folder / name / "00.png").rename(other / name / "x.png")
    _, held_out, _ = load(folder, str(other))
    assert held_out is not None
    assert held_out.labels.tolist() == [0, 2]
    (other / "dog").mkdir()
    (folder / "cat" / "01.png").rename(other / "dog" / "x.png")
    with pytest.raises(SampleError, match="dog"):
        load(folder, str(other))


def test_validation_samples_of_another_shape_are_refused(arrays: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "large.npz", images=np.zeros((4, 7, 6, 3), np.uint8), labels=np.zeros(4, np.int64))
    with pytest.raises(SampleError, match="samples of 3x7x6, but those to train on are 3x5x6"):
        load(arrays, str(tmp_path / "large.npz"))
    assert load(arrays, str(tmp_path / "large.npz"), options=SampleOptions(resize=8))[1] is not None


def test_published_sets_give_their_training_split(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []

    def note(spec: str, options: SampleOptions, *, option: str) -> None:
        opened.append(spec)
        raise SampleError("enough")

    monkeypatch.setattr("rfav_cli.training.data.open_source", note)
    for spec in ("cifar10:here", "mnist:here#test", "tiny-imagenet:here", "folder:here", "here"):
        with pytest.raises(SampleError, match="enough"):
            load(spec)
    assert opened == ["cifar10:here#train", "mnist:here#test", "tiny-imagenet:here#train", "folder:here", "here"]


def break_images(folder: Path) -> list[str]:
    broken = [folder / "ant" / "00.png", folder / "bee" / "07.png", folder / "bee" / "39.png"]
    for path in broken:
        path.write_bytes(b"no image")
    return [str(path) for path in broken]


@pytest.mark.parametrize("workers", [0, 3])
def test_all_unreadable_images_are_listed(folder: Path, workers: int) -> None:
    broken = break_images(folder)
    with pytest.raises(SampleError, match="3 samples cannot be read") as caught:
        load(folder, workers=workers)
    lines = caught.value.remedy.splitlines()
    assert [any(path in line for line in lines) for path in broken] == [True] * 3
    assert "--skip-unreadable" in lines[-1]


def test_unreadable_images_can_be_left_out(folder: Path) -> None:
    whole, _, _ = load(folder)
    broken = break_images(folder)
    training, _, told = load(folder, skip_unreadable=True)
    assert [any(path in text for text in told) for path in broken] == [True] * 3
    left = np.setdiff1d(np.arange(120), [0, 47, 79])
    np.testing.assert_array_equal(training.rows, left)
    np.testing.assert_array_equal(training.read(np.arange(117)), whole.read(left))
    np.testing.assert_array_equal(training.labels, whole.labels[left])


def test_images_of_two_sizes_are_refused_whether_or_not_some_are_unreadable(folder: Path) -> None:
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(folder / "cat" / "39.png")
    for skip in (False, True):
        with pytest.raises(SampleError, match="4x5"):
            load(folder, skip_unreadable=skip)


def test_validation_samples_that_are_trained_on_are_counted(tmp_path: Path) -> None:
    images, labels = np.random.default_rng(0).random((30, 3)).astype(np.float32), np.arange(30) % 3
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    turned = np.r_[images[::-1][:20], images[:4] + 1]
    np.savez(tmp_path / "turned.npz", images=turned, labels=np.arange(24) % 3)
    np.savez(tmp_path / "others.npz", images=images + 1, labels=labels)
    for name, common in (("data", 30), ("turned", 20), ("others", 0)):
        training, validation, _ = load(tmp_path / "data.npz", str(tmp_path / f"{name}.npz"))
        assert validation is not None
        assert count_trained_on(training, validation) == common
        by_digest = [replace(part, images=None) for part in (training, validation)]
        assert count_trained_on(*by_digest) == (30 if name == "data" else 0)


class Own(Dataset[Any]):
    """Samples whose labels are known by reading alone."""

    def __init__(self, count: int = 40, *, noise: float = 0.0) -> None:
        self.values, self.noise = torch.arange(float(count)), noise

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.values[index].expand(3) + self.noise * torch.rand(()), index % 4


def test_a_data_set_of_the_users_is_trained_on() -> None:
    training, held_out, told = load(Own(), "0.25", workers=2)
    assert held_out is not None
    assert (len(training), len(held_out), told) == (30, 10, [])
    for part in (training, held_out):
        numbers = part.read(np.arange(len(part)))[:, 0].astype(int)
        np.testing.assert_array_equal(part.labels, numbers % 4)
    assert load(Own(), Own(8))[1] is not None


def test_what_is_random_in_it_is_said() -> None:
    assert "differ from reading to reading" in " ".join(load(Own(noise=0.1), "0.25")[2])


def test_data_sets_that_cannot_be_trained_on(arrays: Path) -> None:
    with pytest.raises(SampleError, match="no labels"):
        load(torch.zeros(9, 3))
    with pytest.raises(SampleError, match=r"--validation BrokenOwn \(from Python\): sample 3 raised ValueError"):
        load(Own(), BrokenOwn())
    ready = (torch.zeros(8, *load(arrays)[0].read(np.arange(1)).shape[1:]), torch.arange(8) % 4)
    with pytest.raises(SampleError, match="comes as it enters the net, but"):
        load(arrays, ready)


class BrokenOwn(Own):
    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if index == 3:
            raise ValueError
        return super().__getitem__(index)
