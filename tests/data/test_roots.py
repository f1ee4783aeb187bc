from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.roots import ROLES, role
from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def lay_out(root: Path, files: Iterable[str]) -> Path:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)
        else:
            path.write_text("1", encoding="utf-8")
    return root


def refusal(root: Path, *files: str) -> SampleError:
    with pytest.raises(SampleError) as caught:
        open_source(str(lay_out(root, files)), SampleOptions())
    return caught.value


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("val", "validation"),
        ("Validation", "validation"),
        ("dev", "validation"),
        ("val_images", "validation"),
        ("hold-out", "validation"),
        ("TEST", "test"),
        ("testset", "test"),
        ("seg_test", "test"),
        ("train2017", "training"),
        ("Training", "training"),
        ("images_train", "training"),
        ("fold_3", "fold"),
        ("trainer", ""),
        ("valve", ""),
        ("testimony", ""),
        ("bullet train", ""),
        ("7", ""),
    ],
)
def test_what_a_folder_is_a_split_for(name: str, means: str) -> None:
    assert role(name) == means
    assert means in {*ROLES, ""}


@pytest.mark.parametrize(
    ("training", "held_out"),
    [("train", "val"), ("train", "test"), ("Train", "Validation"), ("training", "testing"), ("train2017", "val2017")],
)
def test_splits_are_no_classes(training: str, held_out: str, tmp_path: Path) -> None:
    error = refusal(tmp_path / "data", f"{training}/cat/1.png", f"{held_out}/cat/1.png", "docs/readme.txt")
    assert f"{held_out}/" in error.what
    assert f"{training}/" in error.what
    assert f"--probe {tmp_path / 'data' / held_out} for held-out" in error.remedy
    assert f"--data {tmp_path / 'data' / training} " in error.remedy
    assert open_source(str(tmp_path / "data" / held_out), SampleOptions()).classes == ("cat",)
    assert open_source(str(tmp_path / "data" / training), SampleOptions()).classes == ("cat",)


def test_validation_comes_before_test_and_empty_splits_are_not_offered(tmp_path: Path) -> None:
    three = refusal(tmp_path / "three", "train/a/1.png", "test/a/1.png", "valid/a/1.png")
    assert f"--probe {tmp_path / 'three' / 'valid'} " in three.remedy
    (tmp_path / "two" / "val").mkdir(parents=True)
    assert f"--probe {tmp_path / 'two' / 'test'} " in refusal(tmp_path / "two", "train/a/1.png", "test/a/1.png").remedy


def test_training_images_alone_are_offered_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    error = refusal(tmp_path, "train/a/1.png", "train/b/1.png")
    assert f"--probe {tmp_path / 'train'} is that, if the net never saw" in error.remedy


def test_splits_among_other_folders_are_told_by_their_classes(tmp_path: Path) -> None:
    others = [f"{name}/1.png" for name in ("previews", "plots", "figures", "raw", "paper")]
    error = refusal(tmp_path, "train/cat/1.png", "train/dog/1.png", "val/cat/1.png", *others)
    assert "train/, val/" in error.what


@pytest.mark.parametrize(
    "classes",
    [
        ["test", "car", "bus"],
        ["train", "car", "bus", "plane", "ship"],  # the vehicle
        ["train", "test", "car", "bus", "plane"],
        ["mask", "no_mask"],
        ["photos", "paintings"],
        ["label", "no_label"],
        ["fold", "crease"],
    ],
)
def test_classes_may_be_called_like_splits(classes: list[str], tmp_path: Path) -> None:
    source = open_source(str(lay_out(tmp_path, [f"{name}/1.png" for name in classes])), SampleOptions())
    assert source.classes == tuple(sorted(classes))


def test_folds_are_no_classes(tmp_path: Path) -> None:
    assert "fold1/, fold2/, fold3/" in refusal(tmp_path, *(f"fold{k}/a/1.png" for k in (1, 2, 3))).what


def test_a_folder_around_the_root_is_looked_through(tmp_path: Path) -> None:
    error = refusal(tmp_path, "imagewoof/train/a/1.png", "imagewoof/val/a/1.png")
    assert str(tmp_path / "imagewoof" / "val") in error.remedy


def test_splits_within_each_class_would_be_mixed(tmp_path: Path) -> None:
    error = refusal(tmp_path, *(f"{name}/{split}/1.png" for name in ("cat", "dog") for split in ("train", "val")))
    assert "each class has its splits" in error.what
    kept = [f"{name}/{part}/1.png" for name in ("rat", "pig") for part in ("images", "more")]
    assert open_source(str(lay_out(tmp_path / "kept", kept)), SampleOptions()).classes == ("pig", "rat")


@pytest.mark.parametrize("beside", ["masks", "Labels", "annotations", "ground_truth", "SegmentationClass"])
def test_images_beside_masks(beside: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, "JPEGImages/1.png", f"{beside}/1.png")
    assert f"{beside}/" in error.what
    assert f"--probe {tmp_path / 'JPEGImages'} measures" in error.remedy


@pytest.mark.parametrize("table", ["labels.csv", "metadata.json", "train_labels.txt", "all.xlsx"])
def test_images_beside_a_table_of_labels(table: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, "images/1.png", "images/2.png", table, "README.txt")
    assert "images/ is the folder of all images" in error.what
    assert f"{table} beside it is not read" in error.what
    assert f"--probe {tmp_path / 'images'}" in error.remedy
    assert open_source(str(tmp_path / "images"), SampleOptions()).labels is None
    lay_out(tmp_path / "images", [table])
    give = f" (--probe {tmp_path / 'images' / table} reads it)" if table.endswith(".csv") else ""
    assert open_source(str(tmp_path / "images"), SampleOptions()).notes == (
        f"{table} beside the images is not read: they have no labels{give}",
    )


def test_a_folder_of_images_with_classes_or_splits_in_it(tmp_path: Path) -> None:
    classes = refusal(tmp_path / "one", "images/cat/1.png", "images/dog/1.png", "labels.csv")
    assert f"--probe {tmp_path / 'one' / 'images'}, if its sub-folders are the classes" in classes.remedy
    splits = refusal(tmp_path / "two", "images/train/1.png", "images/val/1.png", "labels/train/1.txt")
    assert f"--probe {tmp_path / 'two' / 'images' / 'val'} measures" in splits.remedy
    inner = refusal(tmp_path / "three", "train/images/1.png", "valid/images/1.png")
    assert f"--probe {tmp_path / 'three' / 'valid' / 'images'} " in inner.remedy


def test_names_from_the_disk_are_made_safe(tmp_path: Path) -> None:
    assert "\x1b" not in str(refusal(tmp_path / "a\x1b[31m", "train/a/1.png", "val/a/1.png"))
