from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import torch

from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rfav_cli.data.sources.base import Samples

COUNT = 130  # more than two chunks
PLAIN = SampleOptions()
needs_data = pytest.mark.skipif("RFAV_DATA" not in os.environ, reason="RFAV_DATA is not set")


def write_npz(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> None:
    np.savez(path, images=images, labels=labels)


def write_npz_compressed(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> None:
    np.savez_compressed(path, X=images, y=labels, note=np.zeros(1))


def write_torch_dict(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> None:
    torch.save({"data": torch.from_numpy(images), "targets": torch.from_numpy(labels)}, path)


def write_torch_tuple(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> None:
    torch.save((torch.from_numpy(images), torch.from_numpy(labels)), path)


def write_torch_legacy(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> None:
    torch.save((torch.from_numpy(images), torch.from_numpy(labels)), path, _use_new_zipfile_serialization=False)


def write_npy(path: Path, images: NDArray[Any], _: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, images)


def write_hdf5(path: Path, images: NDArray[Any], labels: NDArray[Any]) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("inputs", data=images, chunks=(7, *images.shape[1:]), compression="gzip")
        file["labels"] = labels[:, None]


WRITERS = [write_npz, write_npz_compressed, write_torch_dict, write_torch_tuple, write_torch_legacy, write_hdf5]


def read(path: Path, options: SampleOptions = PLAIN, indices: list[int] | None = None) -> Samples:
    source = open_source(str(path), options)
    return source.read(np.arange(len(source)) if indices is None else np.asarray(indices))


@pytest.mark.parametrize("write", WRITERS)
def test_every_file_is_told_by_its_content_and_read_exactly(
    write: Callable[[Path, NDArray[Any], NDArray[Any]], None], tmp_path: Path, rng: np.random.Generator
) -> None:
    images = rng.integers(0, 256, (COUNT, 6, 5, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, COUNT)
    write(tmp_path / "samples.npz", images, labels)
    source = open_source(str(tmp_path / "samples.npz"), PLAIN)
    assert source.labels is not None
    assert source.labels.dtype == np.int64
    np.testing.assert_array_equal(source.labels, labels)
    indices = rng.permutation(COUNT)[:100]
    indices[3] = indices[7]
    np.testing.assert_array_equal(source.read(indices), images[indices].transpose(0, 3, 1, 2))
    assert source.is_image
    assert source.classes == ()


def test_one_array_without_labels(tmp_path: Path, rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "x.npy", images)
    torch.save(torch.from_numpy(images), tmp_path / "x.pt")
    for name in ("x.npy", "x.pt"):
        source = open_source(str(tmp_path / name), PLAIN)
        assert source.labels is None
        np.testing.assert_array_equal(source.read(np.arange(5)), images)


@pytest.mark.parametrize("layout", ["nhw", "nct"])
def test_the_layout_decides(layout: str, tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.random((4, 6, 5))
    np.save(tmp_path / "x.npy", values)
    ours = read(tmp_path / "x.npy", SampleOptions(layout=layout))
    expected = values.astype(np.float32)
    np.testing.assert_array_equal(ours, expected[:, None] if layout == "nhw" else expected)
    assert ours.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.float16, np.float64, np.dtype(">f4"), np.bool_])
def test_vectors_become_float32(dtype: Any, tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.integers(0, 100, (7, 3)).astype(dtype)
    np.save(tmp_path / "x.npy", values)
    ours = read(tmp_path / "x.npy")
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, values.astype(np.float32))


def test_vectors_of_bytes_are_divided_by_255(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.asarray([[0, 51, 255]], dtype=np.uint8))
    np.testing.assert_array_equal(read(tmp_path / "x.npy"), np.asarray([[0, 0.2, 1]], dtype=np.float32))


def test_bfloat16(tmp_path: Path) -> None:
    values = torch.randn(4, 3, 8, 8).bfloat16()
    torch.save({"images": values}, tmp_path / "x.pt")
    np.testing.assert_array_equal(read(tmp_path / "x.pt"), values.float().numpy())


def test_resize_and_gray(tmp_path: Path, rng: np.random.Generator) -> None:
    np.save(tmp_path / "x.npy", rng.random((70, 8, 8, 3)))
    assert read(tmp_path / "x.npy", SampleOptions(resize=(6, 4), gray=True)).shape == (70, 1, 6, 4)
    np.save(tmp_path / "x.npy", rng.random((7, 8)))
    for options, option in ((SampleOptions(gray=True), "--gray"), (SampleOptions(resize=4), "--resize")):
        with pytest.raises(SampleError, match=f"{option} is for images, not nf"):
            open_source(str(tmp_path / "x.npy"), options)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_the_first_sample_with_nan_is_named(value: float, tmp_path: Path) -> None:
    values = np.zeros((COUNT, 3))
    values[[70, 99], 1] = value
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(SampleError, match=r"x\.npy: sample 70 holds NaN"):
        read(tmp_path / "x.npy", indices=list(range(COUNT))[::-1])
    assert read(tmp_path / "x.npy", indices=[0, 1]).shape == (2, 3)


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        (np.zeros(4, dtype=np.int64), "4 labels for 5 samples"),
        (np.array(["cat"] * 5), "of type <U3"),
        (np.array([0, 1, np.nan, 0, 0]), "label nan of sample 2 is not finite"),
        (np.zeros((5, 0)), r"shape \(5, 0\)"),
        (np.asarray([0, 1, -1, 0, 0]), "label -1 of sample 2"),
        (np.asarray([0, 2**63, 1, 0, 0], dtype=np.uint64), "label 9223372036854775808 of sample 1"),
    ],
)
def test_bad_labels(labels: NDArray[Any], what: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((5, 3)), labels=labels)
    with pytest.raises(SampleError, match=rf"x\.npz: .*{what}"):
        open_source(str(tmp_path / "x.npz"), PLAIN)


def test_a_class_file_names_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((2, 3)), labels=np.asarray([2, 0]))
    (tmp_path / "c.txt").write_text("z\ny\nx\n")
    source = open_source(str(tmp_path / "x.npz"), SampleOptions(classes_file=tmp_path / "c.txt"))
    assert source.labels is not None
    assert (source.labels.tolist(), source.classes) == ([2, 0], ("z", "y", "x"))
    (tmp_path / "c.txt").write_text("z\ny\n")
    with pytest.raises(SampleError, match=r"c\.txt: 2 names, but .*label 2"):
        open_source(str(tmp_path / "x.npz"), SampleOptions(classes_file=tmp_path / "c.txt"))


def test_unknown_and_double_keys_are_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", pictures=np.zeros((2, 3)), kinds=np.zeros(2))
    unclear = open_source(str(tmp_path / "x.npz"), PLAIN).unclear
    assert unclear is not None
    assert "x.npz: no samples among 'pictures', 'kinds'" in unclear.what
    np.savez(tmp_path / "x.npz", images=np.zeros((2, 3)), data=np.zeros((2, 3)))
    unclear = open_source(str(tmp_path / "x.npz"), PLAIN).unclear
    assert unclear is not None
    assert "which of 'images', 'data'" in unclear.what
    np.savez(tmp_path / "x.npz", names=np.array(["a", "b"]))
    with pytest.raises(SampleError, match=r"x\.npz: no samples among 'names'"):
        open_source(str(tmp_path / "x.npz"), PLAIN)


class Marker:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.path,)


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    marker = Marker(tmp_path / "ran")
    np.savez(tmp_path / "a.npz", images=np.asarray([marker], dtype=object))
    np.save(tmp_path / "b.npy", np.asarray([marker], dtype=object), allow_pickle=True)
    torch.save({"images": marker}, tmp_path / "c.pt")
    (tmp_path / "d.pt").write_bytes(pickle.dumps({"images": marker}))
    for name in ("a.npz", "b.npy", "c.pt", "d.pt"):
        with pytest.raises(SampleError, match=name.replace(".", r"\.")) as caught:
            open_source(str(tmp_path / name), PLAIN)
        assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("write", [*WRITERS, write_npy])
def test_half_a_file_is_named(
    write: Callable[[Path, NDArray[Any], NDArray[Any]], None], tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "x.npz"
    write(path, rng.integers(0, 256, (COUNT, 6, 5, 3), dtype=np.uint8), np.zeros(COUNT, dtype=np.int64))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SampleError, match=r"x\.npz"):
        open_source(str(path), PLAIN)


def test_other_things(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("no array")
    torch.save({"images": "text"}, tmp_path / "text.pt")
    torch.save({"images": torch.eye(3).to_sparse()}, tmp_path / "sparse.pt")
    torch.save(3, tmp_path / "number.pt")
    for name in ("x.npz", "text.pt", "sparse.pt", "number.pt"):
        with pytest.raises(SampleError, match=name.replace(".", r"\.")):
            open_source(str(tmp_path / name), PLAIN)
    with pytest.raises(SampleError, match="a folder, not a file of arrays"):
        open_source(f"arrays:{tmp_path}", PLAIN)


def test_hdf5_leads_to_no_other_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["images"] = np.zeros((4, 3))
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["images"] = h5py.ExternalLink("secret.h5", "images")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((4, 3), "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "images", (4, 3))
        file.create_virtual_dataset("images", layout)
    (tmp_path / "secret.bin").write_bytes(bytes(96))
    with h5py.File(tmp_path / "external.h5", "w") as file:
        file.create_dataset("images", (4, 3), "f8", external=[(str(tmp_path / "secret.bin"), 0, 96)])
    for name, what in (("link", "no samples"), ("virtual", "other files"), ("external", "other files")):
        with pytest.raises(SampleError, match=what):
            open_source(str(tmp_path / f"{name}.h5"), PLAIN)


@pytest.mark.data
@needs_data
def test_real_arrays() -> None:
    source = open_source(str(Path(os.environ["RFAV_DATA"]) / "foreign" / "mnist-test-2000.npz"), PLAIN)
    assert source.labels is not None
    assert source.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert source.read(np.arange(2000)).shape == (2000, 1, 28, 28)


@pytest.mark.parametrize("kind", ["<u2", ">u2"])
def test_images_of_sixteen_bits_are_divided_by_their_full_scale(
    kind: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    images = rng.integers(0, 1 << 16, (5, 6, 7, 3)).astype(kind)
    np.savez(tmp_path / "x.npz", images=images)
    source = open_source(str(tmp_path / "x.npz"), PLAIN)
    expected = images.transpose(0, 3, 1, 2).astype(np.float64) / 65535
    np.testing.assert_allclose(source.read(np.arange(5)), expected, rtol=1e-6)
    assert source.scale == 65535


def test_what_values_are_divided_by_is_told(tmp_path: Path) -> None:
    kinds = {"u1": (2, 3, 8, 8), "f4": (2, 3, 8, 8), "i8": (2, 3)}
    scales = []
    for kind, shape in kinds.items():
        np.savez(tmp_path / "x.npz", images=np.ones(shape, kind))
        scales.append(open_source(str(tmp_path / "x.npz"), PLAIN).scale)
    assert scales == [255, None, None]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_arrays_in_colour(channels: int, tmp_path: Path, rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (4, 6, 5, channels), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", images=images)
    coloured = read(tmp_path / "x.npz", SampleOptions(rgb=True))
    expected = np.repeat(images, 3, 3) if channels == 1 else images[..., :3]
    np.testing.assert_array_equal(coloured, expected.transpose(0, 3, 1, 2))
    np.savez(tmp_path / "x.npz", images=np.ones((4, 6)))
    with pytest.raises(SampleError, match="--rgb is for images"):
        read(tmp_path / "x.npz", SampleOptions(rgb=True))
