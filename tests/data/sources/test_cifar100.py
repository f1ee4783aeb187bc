from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.data.sources import SampleOptions, open_source

from .published import archived, python2_batch, python2_names

if TYPE_CHECKING:
    from pathlib import Path

    from .published import Batch

NAMES = tuple(f"class_{number:03}" for number in range(100))


@pytest.fixture
def batch(rng: np.random.Generator) -> Batch:
    return rng.integers(0, 256, (12, 3072), dtype=np.uint8), rng.integers(0, 100, 12).tolist()


@pytest.mark.parametrize("version", ["python", "binary", "archive"])
@pytest.mark.parametrize("split", ["test", "train"])
def test_the_fine_labels_of_every_form(version: str, split: str, batch: Batch, tmp_path: Path) -> None:
    images, labels = batch
    folder = tmp_path / ("cifar-100-binary" if version == "binary" else "cifar-100-python")
    folder.mkdir()
    if version == "binary":
        coarse = np.full(12, 255, dtype=np.uint8)
        records = np.column_stack([coarse, np.asarray(labels, dtype=np.uint8), images])
        (folder / f"{split}.bin").write_bytes(records.tobytes())
        (folder / "fine_label_names.txt").write_text("\n".join(NAMES) + "\n")
    else:
        (folder / split).write_bytes(python2_batch(images, labels, b"fine_labels"))
        (folder / "meta").write_bytes(python2_names(b"fine_label_names", NAMES))
    root = tmp_path
    if version == "archive":
        root = tmp_path / "download"
        root.mkdir()
        archived(root / "cifar-100-python.tar.gz", folder)
    source = open_source(f"cifar100:{root}" + ("#train" if split == "train" else ""), SampleOptions())
    np.testing.assert_array_equal(source.read(np.arange(12)), images.reshape(-1, 3, 32, 32))
    assert source.labels is not None
    assert source.labels.tolist() == labels
    assert source.classes == NAMES
    assert source.mean == (0.5071, 0.4865, 0.4409)
