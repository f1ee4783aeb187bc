from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError

from .published import idx, write_mnist

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PLAIN = SampleOptions()
COUNT = 20


@pytest.fixture
def samples(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return rng.integers(0, 256, (COUNT, 28, 28), dtype=np.uint8), rng.integers(0, 10, COUNT, dtype=np.uint8)


@pytest.mark.parametrize(("mark", "packed", "place"), [("-", False, ""), ("-", True, "raw"), (".", False, "MNIST/raw")])
@pytest.mark.parametrize(("split", "part"), [("", slice(0, 5)), ("#test", slice(0, 5)), ("#train", slice(5, None))])
def test_every_form(
    mark: str,
    packed: bool,
    place: str,
    split: str,
    part: slice,
    samples: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    tmp_path: Path,
) -> None:
    images, labels = samples
    write_mnist(tmp_path / place, images, labels, mark, packed)
    source = open_source(f"mnist:{tmp_path}{split}", PLAIN)
    np.testing.assert_array_equal(source.read(np.arange(len(source))), images[part, None])
    assert source.labels is not None
    np.testing.assert_array_equal(source.labels, labels[part])
    assert source.classes == tuple("0123456789")
    assert (source.mean, source.std) == ((0.1307,), (0.3081,))


def test_a_folder_with_a_number_sign(samples: tuple[NDArray[np.uint8], NDArray[np.uint8]], tmp_path: Path) -> None:
    write_mnist(tmp_path / "run#1", *samples)
    assert len(open_source(f"mnist:{tmp_path / 'run#1'}", PLAIN)) == 5
    assert len(open_source(f"mnist:{tmp_path / 'run#1'}#train", PLAIN)) == COUNT - 5


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"no t10k-images-idx3-ubyte or t10k-images-idx3-ubyte\.gz"):
        open_source(f"mnist:{tmp_path}", PLAIN)
    with pytest.raises(SampleError, match="no train-images-idx3-ubyte"):
        open_source(f"mnist:{tmp_path}#train", PLAIN)


def damaged(name: str, content: bytes) -> list[tuple[str, bytes]]:
    return [(name, content), (f"{name}.gz", gzip.compress(content, mtime=0))]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *damaged("t10k-images-idx3-ubyte", b""),
        *damaged("t10k-images-idx3-ubyte", b"\x00\x00\x08\x03\x00"),
        *damaged("t10k-images-idx3-ubyte", struct.pack(">4B3I", 0, 0, 8, 3, 5, 28, 28) + bytes(5 * 28 * 28 - 1)),
        *damaged("t10k-images-idx3-ubyte", struct.pack(">4B3I", 0, 0, 8, 3, 5, 28, 28) + bytes(5 * 28 * 28 + 1)),
        *damaged("t10k-images-idx3-ubyte", struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3)),
        *damaged("t10k-images-idx3-ubyte", struct.pack(">4B3I", 0, 0, 8, 3, 0, 28, 28)),
        *damaged("t10k-images-idx3-ubyte", struct.pack(">4B1I", 0, 0, 8, 1, 5) + bytes(5)),
        *damaged("t10k-labels-idx1-ubyte", struct.pack(">4B1I", 0, 0, 8, 1, 4) + bytes(4)),
        *damaged("t10k-labels-idx1-ubyte", struct.pack(">4B1I", 0, 0, 8, 1, 5) + b"\x0a" * 5),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(idx(np.ones((5, 28, 28), dtype=np.uint8)), mtime=0)[:-12]),
        ("t10k-images-idx3-ubyte.gz", b"\x1f\x8b\x08" + bytes(40)),
    ],
)
def test_a_damaged_file_is_named(
    name: str, content: bytes, samples: tuple[NDArray[np.uint8], NDArray[np.uint8]], tmp_path: Path
) -> None:
    write_mnist(tmp_path, *samples)
    (tmp_path / name.removesuffix(".gz")).unlink()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SampleError, match=name):
        open_source(f"mnist:{tmp_path}", PLAIN)
