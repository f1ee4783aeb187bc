"""What the sources share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.sources import SampleOptions
from rfav_cli.data.sources.base import (
    are_class_numbers,
    check_labels,
    normalisation,
    order_classes,
    read_class_file,
    to_gray,
    to_rgb,
)
from rfav_cli.errors import SampleError

WHERE = Path("somewhere")


def test_a_class_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / "classes.txt", "No such file or directory"),
        (tmp_path, "is a folder, not a regular file"),
    ):
        with pytest.raises(SampleError) as caught:
            read_class_file(path)
        assert caught.value.what == f"--classes {path}: {why}"


def test_class_file(tmp_path: Path) -> None:
    file = tmp_path / "classes.txt"
    file.write_text("\ufeffcat\r\n\r\n T-shirt/top \n", encoding="utf-8")
    assert read_class_file(file) == ("cat", "T-shirt/top")


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "names no class"), (b"a\nb\na\n", "a twice"), (b"\xff\xfe", "utf-8")]
)
def test_a_bad_class_file_is_named(content: bytes, what: str, tmp_path: Path) -> None:
    file = tmp_path / "classes.txt"
    file.write_bytes(content)
    with pytest.raises(SampleError, match=what) as caught:
        read_class_file(file)
    assert "classes.txt" in caught.value.what


def test_gray_of_bytes_is_that_of_pillow(rng: np.random.Generator) -> None:
    colour = rng.integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(colour[0]).convert("L"))
    np.testing.assert_array_equal(to_gray(colour, WHERE)[0, :, :, 0], expected)


def test_gray_of_floats(rng: np.random.Generator) -> None:
    colour = rng.random((2, 3, 4, 4), dtype=np.float32)
    expected = 0.299 * colour[..., 0] + 0.587 * colour[..., 1] + 0.114 * colour[..., 2]
    np.testing.assert_allclose(to_gray(colour, WHERE)[..., 0], expected, rtol=1e-6)


def test_gray_leaves_one_channel_and_refuses_two() -> None:
    one = np.zeros((1, 2, 2, 1), dtype=np.uint8)
    assert to_gray(one, WHERE) is one
    with pytest.raises(SampleError, match="somewhere: --gray needs 3 channels, not 2"):
        to_gray(np.zeros((1, 2, 2, 2), dtype=np.uint8), WHERE)


@pytest.mark.parametrize("raw", [np.array([2, 0, 1], dtype=np.uint8), np.array([[2], [0], [1]], dtype=np.int32)])
def test_labels_of_any_whole_type_become_one_row(raw: Any) -> None:
    labels = check_labels(raw, 3, WHERE)
    assert labels.dtype == np.int64
    assert labels.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (np.zeros((3, 0), dtype=np.int64), r"the shape \(3, 0\)"),
        (np.array(3), r"the shape \(\)"),
        (np.zeros(3, np.complex64), "type complex64"),
        (np.array([0.5, np.inf, 0.0]), "label inf of sample 1 is not finite"),
        (np.zeros(4, dtype=np.int64), "4 labels for 3 samples"),
        (np.array([0, -1, 2]), "label -1 of sample 1 is out of range"),
        (np.array([1, -1, 1]), "Save the two classes -1 and 1 as 0 and 1"),
        (np.array([0, 1, 2**63], dtype=np.uint64), "label 9223372036854775808 of sample 2"),
    ],
)
def test_labels_that_no_samples_can_have_are_refused(raw: Any, what: str) -> None:
    with pytest.raises(SampleError, match=what):
        check_labels(raw, 3, WHERE)


def test_labels_are_numbered_in_the_order_of_the_file_of_classes(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("dog\nbird\ncat\n")
    options = SampleOptions(classes_file=tmp_path / "classes.txt")
    labels = np.array([0, 1, 0])
    renumbered, names = order_classes(labels, ("cat", "dog"), options, WHERE)
    assert renumbered is not None
    assert renumbered.tolist() == [2, 0, 2]
    assert names == ("dog", "bird", "cat")
    named, names = order_classes(labels, (), options, WHERE)
    assert named is labels
    assert names == ("dog", "bird", "cat")
    assert order_classes(labels, ("cat",), SampleOptions(), WHERE) == (labels, ("cat",))
    with pytest.raises(SampleError, match="does not name horse"):
        order_classes(labels, ("cat", "horse"), options, WHERE)
    with pytest.raises(SampleError, match="3 names, but somewhere has label 3"):
        order_classes(np.array([3]), (), options, WHERE)


class Preset:
    """As much of a source as its normalisation needs."""

    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    scale: float | None = None


@pytest.mark.parametrize(
    ("options", "channels", "mean", "std"),
    [
        ({}, 3, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)),
        ({}, 1, None, None),
        ({"mean": (0.5,)}, 3, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
        ({"std": (1.0, 2.0, 3.0)}, 3, (0.0, 0.0, 0.0), (1.0, 2.0, 3.0)),
    ],
)
def test_the_users_mean_and_std_put_the_preset_aside(options: Any, channels: int, mean: Any, std: Any) -> None:
    assert normalisation(Preset(), SampleOptions(**options), channels)[:2] == (mean, std)  # type: ignore[arg-type]


def test_as_many_values_as_channels_or_one() -> None:
    with pytest.raises(SampleError, match="--mean: 2 values for 3 channels"):
        normalisation(Preset(), SampleOptions(mean=(0.1, 0.2)), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scale", "options", "remedy"),
    [
        (255.0, {"mean": (125.0, 122.0, 113.0), "std": (63.0, 62.0, 67.0)}, "--mean 0.4902,0.4784,0.4431 --std 0.2471"),
        (255.0, {"mean": (120.0,)}, "--mean 0.4706."),
        (255.0, {"std": (255.0,)}, "--std 1."),
        (255.0, {"std": (51.0,), "mean": (0.485, 0.456, 0.406)}, "--mean 0.485,0.456,0.406 --std 0.2."),
        (255.0, {"mean": (102.0, 51.0, 0.0), "std": (0.2, 0.2, 0.3)}, "--mean 0.4,0.2,0 --std 0.2,0.2,0.3."),
        (65535.0, {"mean": (2048.0,), "std": (512.0,)}, "--mean 0.03125 --std 0.007813"),
        (255.0, {"mean": (-0.5,)}, "values between 0 and 1"),
        (255.0, {"mean": (1000.0,)}, "values between 0 and 1"),
    ],
)
def test_means_of_stored_values_are_refused_with_what_to_give(
    scale: float, options: dict[str, tuple[float, ...]], remedy: str
) -> None:
    source = Preset()
    source.scale = scale
    name = next(iter(options))
    with pytest.raises(SampleError, match=f"--{name} .* divided by {scale:g} first") as caught:
        normalisation(source, SampleOptions(**options), 3)  # type: ignore[arg-type]
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("values", [{"mean": (0.0,)}, {"mean": (1.0,)}, {"std": (1.0,)}, {"std": (0.001,)}])
def test_means_and_deviations_of_values_between_0_and_1_are_taken(values: dict[str, tuple[float, ...]]) -> None:
    source = Preset()
    source.scale = 255.0
    mean, std, _ = normalisation(source, SampleOptions(**values), 1)  # type: ignore[arg-type]
    assert (mean, std) == (values.get("mean", (0.0,)), values.get("std", (1.0,)))


def test_floats_are_in_their_own_units() -> None:
    mean, std, _ = normalisation(Preset(), SampleOptions(mean=(125.0,), std=(63.0,)), 1)  # type: ignore[arg-type]
    assert (mean, std) == ((125.0,), (63.0,))


def test_gray_images_in_colour() -> None:
    gray = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    assert to_rgb(gray, WHERE)[1, 1, 0].tolist() == [6, 6, 6]
    clear = np.arange(8, dtype=np.float32).reshape(1, 2, 1, 4)
    assert to_rgb(clear, WHERE)[0, 1, 0].tolist() == [4, 5, 6]
    with pytest.raises(SampleError, match="not 2"):
        to_rgb(np.zeros((1, 2, 2, 2), dtype=np.uint8), WHERE)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (np.array([True, False, True]), np.int64),
        (np.array([[0.5], [1], [2]], np.float32), np.float64),
        (np.zeros((3, 4), np.float32), np.float32),
        (np.zeros((3, 8, 8), np.uint8), np.uint8),
        (np.full((3, 8), -100), np.int64),
    ],
)
def test_labels_of_other_tasks_are_taken(raw: Any, kind: type) -> None:
    labels = check_labels(raw, 3, WHERE)
    assert labels.dtype == kind
    assert labels.shape == (raw.shape if raw.shape[1:] != (1,) else (3,))


def test_samples_are_chosen_evenly_by_whole_numbers_alone() -> None:
    assert are_class_numbers(np.array([0, 3]))
    assert are_class_numbers(np.array([0.0, 1.0]))
    assert not are_class_numbers(np.array([0.5]))
    assert not are_class_numbers(np.zeros((2, 2), int))
    assert not are_class_numbers(None)


def test_names_of_classes_are_for_class_numbers(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("dog\n")
    with pytest.raises(SampleError, match="the labels are no class numbers"):
        order_classes(np.array([0.5]), (), SampleOptions(classes_file=tmp_path / "classes.txt"), WHERE)
