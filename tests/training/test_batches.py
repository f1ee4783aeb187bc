"""Batches follow from seed and epoch alone, whoever prepares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import UsageError
from rfav_cli.records import Ranks
from rfav_cli.training.batches import Batches, augmented
from rfav_cli.training.data import Part, load_data

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CPU = torch.device("cpu")


def part_of(path: Path, count: int, *shape: int, dtype: str = "uint8") -> Part:
    """Samples whose label is their number."""
    values = np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(dtype)
    np.savez(path / "data.npz", images=values, labels=np.arange(count))
    options = SampleOptions(mean=(0.4,), std=(0.2,))
    return load_data(
        str(path / "data.npz"), "0", options, seed=0, workers=0, skip_unreadable=False, report=lambda _: None
    )[0]


def drawn(batches: Batches, epoch: int = 0, start: int = 0) -> list[tuple[Any, list[int]]]:
    return [(images.numpy(), labels.tolist()) for images, labels in batches.shuffled(epoch, start, CPU)]


def test_each_sample_comes_once_an_epoch_in_another_order(tmp_path: Path) -> None:
    part = part_of(tmp_path, 50, 5, 6, 3)
    orders = [[label for _, labels in drawn(Batches(part, 8), epoch) for label in labels] for epoch in range(3)]
    assert [sorted(order) for order in orders] == [list(range(50))] * 3
    assert len({tuple(order) for order in orders}) == 3
    assert orders[0] != [label for _, labels in drawn(Batches(part, 8, seed=1)) for label in labels]


def test_samples_enter_normalised(tmp_path: Path) -> None:
    part = part_of(tmp_path, 10, 5, 6, 3)
    with np.load(tmp_path / "data.npz") as known:
        wanted = (known["images"].transpose(0, 3, 1, 2) / 255 - 0.4) / 0.2
    for images, labels in [*drawn(Batches(part, 4)), *_in_order(Batches(part, 4))]:
        np.testing.assert_allclose(images, wanted[labels], rtol=1e-5, atol=1e-6)
    assert [label for _, labels in _in_order(Batches(part, 4)) for label in labels] == list(range(10))


def _in_order(batches: Batches) -> list[tuple[Any, list[int]]]:
    return [(images.numpy(), labels.tolist()) for images, labels in batches.in_order(CPU)]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_workers_change_nothing(tmp_path: Path, workers: int) -> None:
    part = part_of(tmp_path, 50, 16, 16, 3)
    alone = drawn(Batches(part, 8, 3, ("flip", "crop")), 2)
    helped = drawn(Batches(part, 8, 3, ("flip", "crop"), workers), 2)
    for one, other in zip(alone, helped, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1] == other[1]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("start", [0, 1, 5, 6])
def test_an_epoch_can_be_gone_on_with(tmp_path: Path, start: int, workers: int) -> None:
    part = part_of(tmp_path, 50, 16, 16, 3)
    batches = Batches(part, 8, 3, ("flip", "crop"), workers)
    whole, rest = drawn(batches, 2), drawn(batches, 2, start)
    assert len(rest) == len(whole) - start
    for one, other in zip(whole[start:], rest, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_a_last_sample_is_not_left_alone(tmp_path: Path) -> None:
    part = part_of(tmp_path, 9, 4)
    assert [len(labels) for _, labels in drawn(Batches(part, 4))] == [4, 5]
    assert [len(labels) for _, labels in drawn(Batches(part, 1))] == [1] * 9
    assert len(Batches(part, 4)) == 2
    assert [len(labels) for _, labels in drawn(Batches(part, 100))] == [9]


def slowly_augmented(image: NDArray[Any], flip: bool, shift: tuple[int, int]) -> NDArray[Any]:
    """One image (C, H, W), a pixel at a time."""
    result = np.zeros_like(image)
    _, height, width = image.shape
    for y in range(height):
        for x in range(width):
            column = width - 1 - x if flip else x
            row, column = y + shift[0] - height // 8, column + shift[1] - width // 8
            if 0 <= row < height and 0 <= column < width:
                result[:, y, x] = image[:, row, column]
    return result


def test_augmentation_is_that_of_the_slow_twin() -> None:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (20, 3, 16, 24), dtype=np.uint8)
    flips, shifts = rng.random(20) < 0.5, rng.random((20, 2))
    moves = np.floor(shifts * [5, 7]).astype(int)
    both = augmented(images, flips, shifts)
    for number, image in enumerate(images):
        move = (int(moves[number, 0]), int(moves[number, 1]))
        np.testing.assert_array_equal(both[number], slowly_augmented(image, bool(flips[number]), move))
        np.testing.assert_array_equal(
            augmented(images, flips, None)[number], slowly_augmented(image, bool(flips[number]), (2, 3))
        )
    assert len({tuple(move) for move in moves.tolist()}) > 5


def test_augmentation_flips_half_and_moves_everywhere(tmp_path: Path) -> None:
    part = part_of(tmp_path, 600, 8, 8, 1)
    plain = {labels[0]: images[0] for images, labels in drawn(Batches(part, 1))}
    flipped = {labels[0]: images[0] for images, labels in drawn(Batches(part, 1, augment=("flip",)))}
    turned = sum(not np.array_equal(plain[label], flipped[label]) for label in plain)
    assert all(
        np.array_equal(flipped[label], plain[label]) or np.array_equal(flipped[label], plain[label][:, :, ::-1])
        for label in plain
    )
    assert 240 < turned < 360


@pytest.mark.parametrize(("augment", "said"), [(("spin",), "spin"), (("flip",), "images")])
def test_an_augmentation_that_cannot_be_is_refused(tmp_path: Path, augment: tuple[str, ...], said: str) -> None:
    part = part_of(tmp_path, 9, 4, dtype="float32")
    with pytest.raises(UsageError, match=said):
        Batches(part, 4, augment=augment)


@settings(deadline=None)
@given(count=st.integers(1, 60), size=st.integers(1, 20), world=st.integers(1, 5), seed=st.integers(0, 3))
def test_processes_share_each_batch(count: int, size: int, world: int, seed: int) -> None:
    size = max(size, world)
    labels = np.arange(count)
    part = Part(Mock(), labels, labels, labels[:, None].astype(np.float32), None, None, "")
    whole = [labels.tolist() for _, labels in Batches(part, size, seed).shuffled(1, 0, CPU)]
    shares = [Batches(part, size, seed, ranks=Ranks(rank, world)) for rank in range(world)]
    parts = [[labels.tolist() for _, labels in each.shuffled(1, 0, CPU)] for each in shares]
    for number, batch in enumerate(whole):
        weights = [each.weight(number) for each in shares]
        own = [part[number] for part, weight in zip(parts, weights, strict=True) if weight]
        assert [label for each in own for label in each] == batch
        assert weights == [len(each) / len(batch) for each in own] + [0.0] * (world - len(own))
        assert min(len(part[number]) for part in parts) >= min(2, len(batch))
        assert {each.samples(number) for each in shares} == {len(batch)}
    in_order = [label for each in shares for _, labels in each.in_order(CPU) for label in labels.tolist()]
    assert sorted(in_order) == list(range(count))


def test_a_batch_has_a_sample_for_each_process(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--batch-size 3: is shared by 4 ranks"):
        Batches(part_of(tmp_path, 8, 5, 6, 3), 3, ranks=Ranks(1, 4))
