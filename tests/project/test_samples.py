"""Samples that are told by where they lie and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rfav_cli.project.samples import found_samples

if TYPE_CHECKING:
    from pathlib import Path


def specs(folder: Path) -> list[tuple[str, str]]:
    return [(each.spec, each.use) for each in found_samples(folder)]


def pictures(folder: Path) -> None:
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(folder / name / "0.png")


def arrays(path: Path, **names: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **names)


def test_validation_comes_before_test_and_training_is_no_probe(tmp_path):
    for split in ("train", "test", "val"):
        pictures(tmp_path / "data" / split)
    assert specs(tmp_path) == [("data/val", "validation"), ("data/test", "test")]


def test_arrays_are_told_by_what_they_hold(tmp_path):
    arrays(tmp_path / "probe.npz", images=np.zeros(1), labels=np.zeros(1))
    arrays(tmp_path / "some.npz", x=np.zeros(1))
    arrays(tmp_path / "train_images.npz", images=np.zeros(1))
    arrays(tmp_path / "history.npz", losses=np.zeros(1))
    (tmp_path / "test.npz").write_bytes(b"PK\x03\x04 no archive")
    found = found_samples(tmp_path)
    assert [(each.spec, each.use, each.why) for each in found] == [
        ("probe.npz", "held out", "images and labels in one file"),
        ("some.npz", "", "images without labels in one file"),
    ]


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("val_set", "validation"),
        ("get_test_loader", "test"),
        ("held_out_dataset", "held out"),
        ("valid_dl", "validation"),
    ],
)
def test_functions_that_give_samples_are_read_and_not_run(tmp_path, name, use):
    code = (
        f"raise SystemExit\ndef {name}(size=10):\n    pass\ndef train_set():\n    pass\ndef val_data(root):\n    pass\n"
    )
    (tmp_path / "data.py").write_text(code)
    assert specs(tmp_path) == [(f"data.py:{name}", use)]


def test_data_sets_as_they_are_published(tmp_path):
    (tmp_path / "downloads/cifar-10-batches-py").mkdir(parents=True)
    assert specs(tmp_path) == [("cifar10:downloads/cifar-10-batches-py", "test")]


def test_a_folder_without_pictures_is_none(tmp_path):
    (tmp_path / "val/notes").mkdir(parents=True)
    (tmp_path / "val/notes/a.txt").write_text("")
    assert specs(tmp_path) == []
