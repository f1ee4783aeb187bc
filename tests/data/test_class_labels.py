"""Labels against the outputs of a net."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.data.class_labels import check_fits
from rfav_cli.data.probe import load_probe
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def colour(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "colour.npz", images=images, labels=np.arange(60) % 3)
    return str(tmp_path / "colour.npz")


def test_labels_beyond_the_outputs(colour: str) -> None:
    probe = load_probe(colour)
    check_fits(probe, 3)
    with pytest.raises(SampleError, match="label 2 is beyond the 2 outputs"):
        check_fits(probe, 2)
    named = dataclasses.replace(probe, classes=("x", "y", "z\x1b"))
    with pytest.raises(SampleError, match=r"label 2 \(z\\x1b\) is beyond"):
        check_fits(named, 2)
    check_fits(dataclasses.replace(probe, labels=None), 1)


@pytest.mark.parametrize("count", [1, 9])
def test_class_folders_that_are_too_few_for_the_net(count: int, colour: str) -> None:
    classes = tuple(f"c{label}" for label in range(count))
    labels = np.arange(60) % count
    folder = dataclasses.replace(
        load_probe(colour), labels=labels, classes=classes, alphabetical=True, empty=("no\x1b",)
    )
    with pytest.raises(SampleError, match=rf"{count} class folders? \(no\\x1b: .* the 10 outputs") as caught:
        check_fits(folder, 10)
    assert "--classes FILE" in caught.value.remedy
    assert check_fits(folder, count) == ()
    ordered = dataclasses.replace(folder, alphabetical=False)
    assert check_fits(ordered, 10) == (
        f"the probe has samples of {count} class{'es' if count > 1 else ''}, for the 10 outputs of the net",
    )


def test_labels_from_one(colour: str) -> None:
    probe = load_probe(colour)
    assert probe.labels is not None
    with pytest.raises(SampleError, match=r"labels from 1 to 3 for the 3 outputs .* numbered from 1") as caught:
        check_fits(dataclasses.replace(probe, labels=probe.labels + 1), 3)
    assert "subtract 1" in caught.value.remedy
    assert check_fits(dataclasses.replace(probe, labels=probe.labels + 1), 4)
    with pytest.raises(SampleError, match="label 4 is beyond the 3 outputs"):
        check_fits(dataclasses.replace(probe, labels=probe.labels + 2), 3)


def test_more_classes_than_outputs(colour: str) -> None:
    named = dataclasses.replace(load_probe(colour), classes=("x", "y", "z", "not there"))
    with pytest.raises(SampleError, match="4 classes for the 3 outputs"):
        check_fits(named, 3)


def test_fewer_samples_than_classes_are_nothing_to_remark_on(colour: str) -> None:
    few = load_probe(colour, size=2)
    assert check_fits(few, 3) == ()
    assert check_fits(load_probe(colour), 4) == ("the probe has samples of 3 classes, for the 4 outputs of the net",)
