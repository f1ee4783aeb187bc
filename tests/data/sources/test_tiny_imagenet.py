from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = SampleOptions()
WNIDS = ("n02000001", "n01000001", "n03000001")


def jpeg(path: Path, value: int, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (64, 64), (value,) * 3 if mode == "RGB" else value).save(path, "JPEG", quality=100)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The published folder: every image has one shade, 10 times its class's place in the alphabet plus its number."""
    folder = tmp_path / "tiny-imagenet-200"
    order = sorted(WNIDS)
    lines = []
    for number, wnid in enumerate(WNIDS):
        for image in range(2):
            jpeg(folder / "train" / wnid / "images" / f"{wnid}_{image}.JPEG", 10 * order.index(wnid) + image, "L")
        (folder / "train" / wnid / f"{wnid}_boxes.txt").write_text(f"{wnid}_0.JPEG\t0\t10\t63\t58\n")
        jpeg(folder / "val" / "images" / f"val_{number}.JPEG", 100 + order.index(wnid))
        lines.append(f"val_{number}.JPEG\t{wnid}\t0\t32\t44\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(reversed(lines)))
    (folder / "wnids.txt").write_text("\n".join(WNIDS) + "\n")
    return folder


def test_the_validation_images_are_the_default(root: Path) -> None:
    for spec in (f"tiny-imagenet:{root}", f"tiny-imagenet:{root.parent}", f"tiny-imagenet:{root}#val"):
        source = open_source(spec, PLAIN)
        assert source.labels is not None
        assert source.labels.tolist() == [1, 0, 2]
        assert source.classes == tuple(sorted(WNIDS))
        assert source.read(np.arange(3))[:, :, 30, 30].tolist() == [[101] * 3, [100] * 3, [102] * 3]
        assert source.mean == (0.4802, 0.4481, 0.3975)


def test_training_images_are_in_colour_even_where_a_file_is_not(root: Path) -> None:
    source = open_source(f"tiny-imagenet:{root}#train", PLAIN)
    assert source.labels is not None
    assert source.labels.tolist() == [0, 0, 1, 1, 2, 2]
    read = source.read(np.arange(6))
    assert read.shape == (6, 3, 64, 64)
    assert read[:, 0, 30, 30].tolist() == [0, 1, 10, 11, 20, 21]


def test_the_published_order_of_classes_can_be_had(root: Path) -> None:
    source = open_source(f"tiny-imagenet:{root}", SampleOptions(classes_file=root / "wnids.txt"))
    assert source.labels is not None
    assert source.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "line", ["../../secret.JPEG\tn01\n", "/etc/secret\tn01\n", "..\tn01\n", "val_0.JPEG\n", "\tn01\n"]
)
def test_annotations_name_images_of_their_folder_only(line: str, root: Path) -> None:
    (root / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn01000001\n" + line)
    with pytest.raises(SampleError, match=r"val_annotations\.txt, line 2"):
        open_source(f"tiny-imagenet:{root}", PLAIN)


def test_what_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    (root / "val" / "images" / "val_1.JPEG").unlink()
    with pytest.raises(SampleError, match=r"val_1\.JPEG"):
        open_source(f"tiny-imagenet:{root}", PLAIN).read(np.arange(3))
    (root / "val" / "val_annotations.txt").write_text("")
    with pytest.raises(SampleError, match=r"val_annotations\.txt: lists no images"):
        open_source(f"tiny-imagenet:{root}", PLAIN)
    (tmp_path / "empty").mkdir()
    for split, what in (("val", r"val/val_annotations\.txt"), ("train", "train/<wnid>/images")):
        with pytest.raises(SampleError, match=f"empty: no {what}"):
            open_source(f"tiny-imagenet:{tmp_path / 'empty'}#{split}", PLAIN)
