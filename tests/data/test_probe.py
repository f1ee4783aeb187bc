from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rfav_cli.data.probe import Probe, choose, digest, draw, load_probe, to_input
from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CPU = torch.device("cpu")
NEVER_CHANGES = [855, 921, 269, 11, 850]
"""What seed 0 chooses of 1,000: another choice would make every store that is continued start anew."""
needs_data = pytest.mark.skipif("RFAV_DATA" not in os.environ, reason="RFAV_DATA is not set")


def save(path: Path, images: NDArray[Any], labels: NDArray[Any] | list[int] | None = None) -> str:
    if labels is None:
        np.savez(path, images=images)
    else:
        np.savez(path, images=images, labels=np.asarray(labels))
    return str(path)


@pytest.fixture
def colour(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
    return save(tmp_path / "colour.npz", images, np.arange(60) % 3)


labellings = st.lists(st.integers(0, 6), min_size=1, max_size=80).map(lambda values: np.asarray(values, dtype=np.int64))


@given(labels=labellings, size=st.integers(1, 100), seed=st.integers(0, 2**32))
def test_classes_get_equal_shares_as_far_as_they_reach(labels: NDArray[np.int64], size: int, seed: int) -> None:
    chosen = choose(len(labels), labels, size, seed)
    assert len(set(chosen.tolist())) == len(chosen) == min(size, len(labels))
    have, got = np.bincount(labels), np.bincount(labels[chosen], minlength=int(labels.max()) + 1)
    # A class has fewer than another only where it has no more to give, or where the last seat went elsewhere.
    short = got < have
    if short.any():
        assert got.max() <= got[short].min() + 1


@given(labels=labellings, size=st.integers(1, 100), seed=st.integers(0, 2**32))
def test_the_order_is_a_round_over_the_classes_after_the_other(labels: NDArray[np.int64], size: int, seed: int) -> None:
    order = labels[choose(len(labels), labels, size, seed)].tolist()
    rounds = [order[:place].count(label) for place, label in enumerate(order)]
    assert list(zip(rounds, order, strict=True)) == sorted(zip(rounds, order, strict=True))


def slow_choice(count: int, labels: NDArray[np.int64], size: int, seed: int) -> list[int]:
    """The slow twin: deal rounds one by one."""
    draws = [int(draw) for draw in np.random.PCG64(seed).random_raw(count)]
    queues = {
        label: sorted(np.flatnonzero(labels == label).tolist(), key=lambda i: draws[i]) for label in np.unique(labels)
    }
    chosen: list[int] = []
    while queues and len(chosen) < size:
        dealt = sorted((queue.pop(0) for queue in queues.values()), key=lambda i: draws[i])[: size - len(chosen)]
        chosen += sorted(dealt, key=lambda i: labels[i])
        queues = {label: queue for label, queue in queues.items() if queue}
    return chosen


@given(labels=labellings, size=st.integers(1, 100), seed=st.integers(0, 2**32))
def test_the_choice_is_that_of_the_slow_twin(labels: NDArray[np.int64], size: int, seed: int) -> None:
    assert choose(len(labels), labels, size, seed).tolist() == slow_choice(len(labels), labels, size, seed)


def test_the_choice_never_changes() -> None:
    assert choose(1000, None, 5, 0).tolist() == NEVER_CHANGES
    assert choose(1000, None, 5, 1).tolist() != NEVER_CHANGES
    assert choose(1000, np.zeros(1000, dtype=np.int64), 5, 0).tolist() == NEVER_CHANGES


def test_numbering_the_classes_otherwise_chooses_the_same() -> None:
    labels = np.arange(100) % 7
    renumbered = np.asarray([3, 1, 0, 6, 5, 2, 4])[labels]
    assert set(choose(100, labels, 30, 5)) == set(choose(100, renumbered, 30, 5))


def test_a_probe_of_a_folder_does_not_depend_on_the_order_of_writing(tmp_path: Path) -> None:
    names = [f"{label}/{number}.png" for label in "abc" for number in range(5)]
    for root, order in (("one", names), ("two", names[::-1])):
        for name in order:
            (tmp_path / root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4), names.index(name)).save(tmp_path / root / name)
    one, two = (load_probe(str(tmp_path / root), size=7) for root in ("one", "two"))
    assert one.sha256 == two.sha256
    assert len(one) == 7
    assert one.inputs.shape == (7, 1, 4, 4)
    assert one.labels is not None
    assert one.labels.tolist()[:6] == [0, 1, 2, 0, 1, 2]
    assert (one.inputs[:, 0, 0, 0] // 5 == one.labels).all()


def test_batches_are_what_torchvision_would_give(colour: str) -> None:
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    probe = load_probe(colour, size=10, options=SampleOptions(mean=mean, std=std))
    before = probe.inputs.copy()
    batch = probe.batch(slice(3, 8), CPU)
    plain = torch.from_numpy(np.ascontiguousarray(probe.inputs[3:8])).to(torch.float32).div(255)
    expected = plain.sub(torch.tensor(mean).view(-1, 1, 1)).div(torch.tensor(std).view(-1, 1, 1))
    assert torch.equal(batch, expected)
    assert batch.is_contiguous()
    last = probe.batch(slice(3, 8), CPU, channels_last=True)
    assert torch.equal(last, batch)
    assert last.is_contiguous(memory_format=torch.channels_last)
    batch.zero_()
    np.testing.assert_array_equal(probe.inputs, before)
    assert probe.inputs.dtype == np.uint8


@pytest.mark.parametrize("shape", [(5, 7), (5, 2, 9), (5, 3, 4, 4)])
def test_floats_are_taken_as_they_are_and_copied(shape: tuple[int, ...]) -> None:
    values = torch.randn(shape)
    plain = to_input(values, None, None)
    assert torch.equal(plain, values)
    assert plain.data_ptr() != values.data_ptr()
    scaled = to_input(values, (1.0,) * shape[1], (2.0,) * shape[1])
    torch.testing.assert_close(scaled, (values - 1) / 2)


def test_one_value_serves_all_channels(colour: str) -> None:
    probe = load_probe(colour, options=SampleOptions(mean=(0.5,)))
    assert (probe.mean, probe.std) == ((0.5,) * 3, (1.0,) * 3)
    with pytest.raises(SampleError, match="--std: 2 values for 3 channels"):
        load_probe(colour, options=SampleOptions(std=(0.5, 0.5)))


def test_presets_are_used_and_said_and_put_aside(tmp_path: Path) -> None:
    records = np.random.default_rng(0).integers(0, 10, (20, 3073), dtype=np.uint8)
    (tmp_path / "test_batch.bin").write_bytes(records.tobytes())
    spec = f"cifar10:{tmp_path}"
    preset = load_probe(spec, size=20)
    assert preset.mean == (0.4914, 0.4822, 0.4465)
    assert preset.notes == (
        "normalised with the data set's mean and std: 0.4914, 0.4822, 0.4465 and 0.247, 0.2435, 0.2616",
    )
    assert load_probe(spec, size=20, options=SampleOptions(std=(0.5,))).mean == (0.0, 0.0, 0.0)
    gray = load_probe(spec, size=20, options=SampleOptions(gray=True))
    assert gray.mean is None
    assert "preset mean and std are for 3 channels" in gray.notes[0]


def test_too_few_samples_are_all_taken_and_that_is_said(colour: str) -> None:
    probe = load_probe(colour)
    assert len(probe) == 60
    assert probe.notes == (f"took all 60 samples of {colour}, fewer than --probe-size 1000",)
    assert load_probe(colour, size=60).notes == ()


def test_bytes_saved_as_floats_are_remarked_on(tmp_path: Path) -> None:
    images = np.full((4, 3, 8, 8), 200.0)
    spec = save(tmp_path / "x.npz", images)
    assert "up to 200" in load_probe(spec, size=4).notes[0]
    assert load_probe(spec, size=4, options=SampleOptions(mean=(120.0,), std=(60.0,))).notes == ()


@pytest.mark.parametrize("option", ["size", "seed", "thumbnails"])
@pytest.mark.parametrize("value", [-1, 1.5, "7", True, None])
def test_numbers_out_of_range(option: str, value: Any, colour: str) -> None:
    with pytest.raises(SampleError, match="out of range"):
        load_probe(colour, **{option: value})
    with pytest.raises(SampleError, match="--probe-size 0"):
        load_probe(colour, size=0)


def test_thumbnails_of_bytes_are_the_images(colour: str) -> None:
    probe = load_probe(colour, thumbnails=5)
    assert probe.thumbnails is not None
    np.testing.assert_array_equal(probe.thumbnails, probe.inputs[:5].transpose(0, 2, 3, 1))
    assert not np.shares_memory(probe.thumbnails, probe.inputs)
    assert load_probe(colour, thumbnails=0).thumbnails is None


@pytest.mark.parametrize(("channels", "shown"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_thumbnails_of_floats_are_stretched(channels: int, shown: int) -> None:
    images = np.linspace(-3, 5, 2 * channels * 16, dtype=np.float32).reshape(2, channels, 4, 4)
    pictures = draw(images)
    assert pictures is not None
    assert pictures.shape == (2, 4, 4, shown)
    assert pictures.dtype == np.uint8
    assert (int(pictures.min()), int(pictures.max())) == (0, 255)
    assert draw(np.ones_like(images)) is not None
    assert draw(np.zeros((2, 5, 4, 4), dtype=np.uint8)) is None


def test_vectors_have_no_thumbnails(tmp_path: Path) -> None:
    probe = load_probe(save(tmp_path / "x.npz", np.ones((4, 6))), size=4)
    assert probe.thumbnails is None
    assert probe.batch(slice(0, 4), CPU).shape == (4, 6)
    assert probe.labels is None


def test_the_digest_changes_with_all_that_enters_the_net() -> None:
    images, labels = np.zeros((3, 2, 2, 2), dtype=np.uint8), np.asarray([0, 1, 2])
    other = images.copy()
    other[2, 1, 1, 1] = 1
    half = (0.5, 0.5)
    variants = [
        (images, labels, None, None),
        (other, labels, None, None),
        (images.astype(np.float32), labels, None, None),
        (images.reshape(3, 1, 4, 2), labels, None, None),
        (images, labels[::-1], None, None),
        (images, None, None, None),
        (images, labels, half, (1.0, 1.0)),
        (images, labels, half, half),
    ]
    assert len({digest(*variant) for variant in variants}) == len(variants)


def test_the_digest_is_of_values_not_of_memory(colour: str) -> None:
    probe = load_probe(colour)
    assert digest(np.ascontiguousarray(probe.inputs), probe.labels, None, None) == probe.sha256
    values: NDArray[np.float32] = np.ones((2, 3), dtype=np.float32)
    other_end: NDArray[np.float32] = np.ones((2, 3), dtype=values.dtype.newbyteorder("S"))
    assert digest(other_end, None, None, None) == digest(values, None, None, None)


def test_the_digest_never_changes() -> None:
    head = b'{"dtype": "uint8", "labels": true, "mean": null, "shape": [1, 2], "std": null}'
    expected = hashlib.sha256(head + b"\x07" + bytes(7) + b"\x01\x02").hexdigest()
    assert digest(np.asarray([[1, 2]], dtype=np.uint8), np.asarray([7]), None, None) == expected


def test_the_record_is_what_the_store_keeps(colour: str) -> None:
    probe = load_probe(colour, size=12, thumbnails=2)
    record = probe.record()
    assert (record.sha256, record.size, record.source) == (probe.sha256, 12, colour)
    assert record.labels is probe.labels
    assert record.thumbnails is probe.thumbnails
    assert "inputs" not in repr(probe)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_probe_in_the_other_number_of_channels_is_the_one_that_the_option_gives(
    channels: int, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, channels), dtype=np.uint8)
    spec = save(tmp_path / "x.npz", images, np.arange(6))
    probe = load_probe(spec, size=4, seed=3, thumbnails=2)
    assert probe.recolour is not None
    other = probe.recolour()
    asked = load_probe(spec, size=4, seed=3, thumbnails=2, options=SampleOptions(rgb=channels == 1, gray=channels == 3))
    assert other.inputs.shape[1] == 4 - channels
    assert other.sha256 == asked.sha256 != probe.sha256
    np.testing.assert_array_equal(other.inputs, asked.inputs)
    assert other.recolour is None
    assert load_probe(save(tmp_path / "v.npz", np.ones((4, 3))), size=4).recolour is None


def test_three_means_for_gray_images_ask_for_colour(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
    spec, three = save(tmp_path / "x.npz", images), {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.2)}
    probe = load_probe(spec, size=6, options=SampleOptions(**three))  # type: ignore[arg-type]
    assert probe.sha256 == load_probe(spec, size=6, options=SampleOptions(rgb=True, **three)).sha256  # type: ignore[arg-type]
    assert "--rgb" in probe.notes[-1]
    with pytest.raises(SampleError, match="3 values for 1 channels"):
        load_probe(spec, size=6, options=SampleOptions(gray=True, **three))  # type: ignore[arg-type]


@pytest.mark.parametrize(("highest", "scale"), [(4095, 4095), (2048, 4095), (1000, 1023), (200, 255)])
def test_bits_that_are_not_filled_are_remarked_on(highest: int, scale: int, tmp_path: Path) -> None:
    images = np.linspace(0, highest, 4 * 64).astype(np.uint16).reshape(4, 8, 8, 1)
    spec = save(tmp_path / "x.npz", images)
    (note,) = load_probe(spec, size=4).notes
    assert f"the highest is {highest}" in note
    std = float(note.rpartition("--std ")[2])
    batch = load_probe(spec, size=4, options=SampleOptions(std=(std,))).batch(slice(0, 4), CPU)
    np.testing.assert_allclose(np.sort(batch.numpy().ravel()), images.ravel() / scale, rtol=1e-5, atol=1e-7)
    full = save(tmp_path / "full.npz", images * np.uint16(65535 // highest))
    assert load_probe(full, size=4).notes == ("pixels of 16 bits are divided by 65535",)


@pytest.mark.parametrize("three", [False, True])
def test_a_remark_on_bits_scales_the_mean_and_deviation_that_are_given(three: bool, tmp_path: Path) -> None:
    images = np.linspace(0, 4095, 4 * 64).astype(np.uint16).reshape(4, 8, 8, 1)
    spec = save(tmp_path / "x.npz", images)
    mean, std = ((0.5, 0.4, 0.3), (0.2, 0.25, 0.3)) if three else ((0.5,), (0.25,))
    notes = load_probe(spec, size=4, options=SampleOptions(mean=mean, std=std)).notes
    advice = next(note for note in notes if "trained on pixels divided by 4095" in note).partition("--mean ")[2]
    means, stds = (tuple(map(float, part.split(","))) for part in advice.split(" --std "))
    probe = load_probe(spec, size=4, options=SampleOptions(mean=means, std=stds))
    expected = (images.transpose(0, 3, 1, 2) / 4095 - np.reshape(mean, (1, -1, 1, 1))) / np.reshape(std, (1, -1, 1, 1))
    np.testing.assert_allclose(np.sort(probe.batch(slice(0, 4), CPU).numpy(), axis=0), expected, rtol=1e-5, atol=1e-5)
    assert not any("trained on" in note for note in probe.notes)


@pytest.mark.data
@needs_data
def test_a_probe_of_real_images() -> None:
    probe = load_probe(str(Path(os.environ["RFAV_DATA"]) / "cifar10"))
    assert isinstance(probe, Probe)
    assert probe.labels is not None
    assert np.bincount(probe.labels).tolist() == [100] * 10
    assert probe.inputs.shape == (1000, 3, 32, 32)
    means = probe.batch(slice(0, 1000), CPU).mean(dim=(0, 2, 3))
    torch.testing.assert_close(means, torch.tensor([0.4914, 0.4822, 0.4465]), atol=0.02, rtol=0)
