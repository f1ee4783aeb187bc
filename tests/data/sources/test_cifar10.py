from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError

from .published import CIFAR10_NAMES, archived, binary_cifar10, python2_batch, python_cifar10

if TYPE_CHECKING:
    from .published import Batch

PLAIN = SampleOptions()
COUNT = 12


@pytest.fixture
def batches(rng: np.random.Generator) -> dict[str, Batch]:
    names = ["test_batch", *(f"data_batch_{number}" for number in range(1, 6))]
    return {
        name: (rng.integers(0, 256, (COUNT, 3072), dtype=np.uint8), rng.integers(0, 10, COUNT).tolist())
        for name in names
    }


@pytest.fixture(params=["py", "bin"])
def unpacked(request: pytest.FixtureRequest, tmp_path: Path, batches: dict[str, Batch]) -> Path:
    folder = tmp_path / "data" / f"cifar-10-batches-{request.param}"
    {"py": python_cifar10, "bin": binary_cifar10}[request.param](folder, batches)
    return folder


@pytest.fixture(params=["unpacked", "its parent", "archive", "the archive's folder"])
def published(request: pytest.FixtureRequest, unpacked: Path, tmp_path: Path) -> Path:
    if request.param in ("unpacked", "its parent"):
        return unpacked if request.param == "unpacked" else unpacked.parent
    version = "python" if unpacked.name.endswith("py") else "binary"
    archive = tmp_path / "download" / f"cifar-10-{version}.tar.gz"
    archive.parent.mkdir()
    archived(archive, unpacked)
    return archive if request.param == "archive" else archive.parent


def test_the_hand_made_pickle_is_one(batches: dict[str, Batch]) -> None:
    images, labels = batches["test_batch"]
    loaded = pickle.loads(python2_batch(images, labels), encoding="bytes")
    np.testing.assert_array_equal(loaded[b"data"], images)
    assert loaded[b"labels"] == labels


def test_both_splits_of_every_form(published: Path, batches: dict[str, Batch]) -> None:
    splits = {"": ["test_batch"], "#test": ["test_batch"], "#train": list(batches)[1:]}
    for suffix, names in splits.items():
        source = open_source(f"cifar10:{published}{suffix}", PLAIN)
        expected = np.concatenate([batches[name][0] for name in names]).reshape(-1, 3, 32, 32)
        np.testing.assert_array_equal(source.read(np.arange(len(source))), expected)
        assert source.labels is not None
        assert source.labels.tolist() == [label for name in names for label in batches[name][1]]
        assert source.classes == CIFAR10_NAMES
        assert source.name == f"cifar10:{published}{suffix}"
        assert source.mean == (0.4914, 0.4822, 0.4465)


def test_an_order_of_classes_renumbers(tmp_path: Path, batches: dict[str, Batch]) -> None:
    python_cifar10(tmp_path / "data", batches)
    (tmp_path / "order.txt").write_text("\n".join(reversed(CIFAR10_NAMES)))
    source = open_source(f"cifar10:{tmp_path / 'data'}", SampleOptions(classes_file=tmp_path / "order.txt"))
    assert source.labels is not None
    assert source.labels.tolist() == [9 - label for label in batches["test_batch"][1]]


def test_without_names_there_are_none(tmp_path: Path, batches: dict[str, Batch]) -> None:
    python_cifar10(tmp_path / "data", batches)
    (tmp_path / "data" / "batches.meta").unlink()
    assert open_source(f"cifar10:{tmp_path / 'data'}", PLAIN).classes == ()


def test_what_is_missing_is_listed(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"data_batch_5, the same with \.bin, nor any of .*cifar-10-python\.tar\.gz"):
        open_source(f"cifar10:{tmp_path}#train", PLAIN)
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    with pytest.raises(SampleError, match=r"x\.png: cannot be read"):
        open_source(f"cifar10:{tmp_path / 'x.png'}", PLAIN)


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x80\x02cos\nsystem\nU\x08touch ranq\x00\x85R.",
        b"\x80\x02cbuiltins\neval\nU\x011\x85R.",
        b"\x80\x02cnumpy\nload\nU\x01x\x85R.",
        b"\x80\x02cnumpy.core.multiarray\nfromfile\nU\x01x\x85R.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}U\x08__name__U\x01xs\x86b.",
        b"\x80\x02cnumpy\nndarray\n}U\x08__init__U\x01xsb.",
    ],
)
def test_code_in_a_pickle_is_not_run(hostile: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_batch").write_bytes(hostile)
    with pytest.raises(SampleError, match="test_batch: not as published"):
        open_source(f"cifar10:{tmp_path}", PLAIN)
    assert [file.name for file in tmp_path.iterdir()] == ["test_batch"]


def test_a_pickle_with_code_beside_sound_data_is_refused(tmp_path: Path, batches: dict[str, Batch]) -> None:
    class Touch:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "ran",)

    images, labels = batches["test_batch"]
    (tmp_path / "test_batch").write_bytes(pickle.dumps({b"data": images, b"labels": labels, b"x": Touch()}, 2))
    with pytest.raises(SampleError, match="not as published"):
        open_source(f"cifar10:{tmp_path}", PLAIN)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x02].", b"\x80\x02}.", b"\x80\x02}(U\x04dataK\x01u.", b"text"])
def test_a_pickle_of_something_else(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(SampleError, match="test_batch: "):
        open_source(f"cifar10:{tmp_path}", PLAIN)


def test_labels_that_do_not_match(tmp_path: Path, batches: dict[str, Batch]) -> None:
    images, labels = batches["test_batch"]
    python_cifar10(tmp_path / "data", batches)
    for wrong in (labels[1:], []):
        (tmp_path / "data" / "test_batch").write_bytes(python2_batch(images, wrong))
        with pytest.raises(SampleError, match="a label for each image"):
            open_source(f"cifar10:{tmp_path / 'data'}", PLAIN)
    (tmp_path / "data" / "test_batch").write_bytes(python2_batch(images, [10] * COUNT))
    with pytest.raises(SampleError, match="label 10, but 10 classes"):
        open_source(f"cifar10:{tmp_path / 'data'}", PLAIN)


def test_half_a_file(tmp_path: Path, batches: dict[str, Batch]) -> None:
    binary_cifar10(tmp_path / "binary", batches)
    python_cifar10(tmp_path / "python", batches)
    archive = tmp_path / "cifar-10-python.tar.gz"
    archived(archive, tmp_path / "python")
    for path in (tmp_path / "binary" / "test_batch.bin", tmp_path / "python" / "test_batch", archive):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2 + 1])
        with pytest.raises(SampleError, match=path.name):
            open_source(f"cifar10:{path if path == archive else path.parent}", PLAIN)
