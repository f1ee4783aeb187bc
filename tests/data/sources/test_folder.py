from __future__ import annotations

import os
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Writer = Callable[[dict[str, NDArray[np.uint8]]], Path]
needs_data = pytest.mark.skipif("RFAV_DATA" not in os.environ, reason="RFAV_DATA is not set")


def colours(rng: np.random.Generator, *shape: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, shape or (4, 5, 3), dtype=np.uint8)


def test_a_sub_folder_a_class_in_the_order_of_the_alphabet(image_folder: Writer, rng: np.random.Generator) -> None:
    images = {name: colours(rng) for name in ("dog/1.png", "cat/10.png", "cat/2.png", "bird/deep/er/1.png")}
    source = open_source(str(image_folder(images)), SampleOptions())
    assert source.classes == ("bird", "cat", "dog")
    assert source.labels is not None
    assert source.labels.tolist() == [0, 1, 1, 2]
    assert source.is_image
    read = source.read(np.asarray([3, 0, 1, 1]))
    order = ["dog/1.png", "bird/deep/er/1.png", "cat/10.png", "cat/10.png"]
    np.testing.assert_array_equal(read, np.stack([images[name].transpose(2, 0, 1) for name in order]))
    assert read.dtype == np.uint8


def test_a_flat_folder_has_no_labels(image_folder: Writer, rng: np.random.Generator) -> None:
    images = {f"{name}.png": colours(rng) for name in "cab"}
    source = open_source(str(image_folder(images)), SampleOptions())
    assert source.labels is None
    assert source.classes == ()
    np.testing.assert_array_equal(source.read(np.asarray([0]))[0], images["a.png"].transpose(2, 0, 1))


@pytest.mark.parametrize("suffix", ["png", "PNG", "bmp", "gif", "webp", "ppm", "tif"])
def test_every_lossless_format_is_read_exactly(suffix: str, tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = np.repeat(colours(rng, 6, 7, 1), 3, axis=2)  # gray values, which a GIF's palette keeps
    Image.fromarray(pixels).save(tmp_path / f"x.{suffix}", lossless=True)
    np.testing.assert_array_equal(
        open_source(str(tmp_path), SampleOptions()).read(np.asarray([0]))[0], pixels.transpose(2, 0, 1)
    )


def test_jpeg_under_either_name(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.JPEG"):
        Image.new("RGB", (8, 8), (200, 100, 50)).save(tmp_path / name, "JPEG", quality=95)
    read = open_source(str(tmp_path), SampleOptions()).read(np.asarray([0, 1]))
    assert np.abs(read[:, :, 4, 4].astype(int) - [200, 100, 50]).max() <= 3


def test_hidden_and_other_files_do_not_count(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"a/1.png": colours(rng), "a/.hidden.png": colours(rng), ".git/x.png": colours(rng)})
    (root / "a" / "labels.csv").write_text("1")
    (root / "notes.txt").write_text("x")
    source = open_source(str(root), SampleOptions())
    assert len(source) == 1
    assert source.classes == ("a",)


def test_folders_without_images_take_no_label_and_that_is_said(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"a/1.png": colours(rng), "c/1.png": colours(rng)})
    (root / "b").mkdir()
    source = open_source(str(root), SampleOptions())
    assert source.classes == ("a", "c")
    assert source.notes == ("no label for b: no images in there",)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_a_class_may_be_a_link(image_folder: Writer, rng: np.random.Generator, tmp_path: Path) -> None:
    root = image_folder({"a/1.png": colours(rng)})
    (root / "b").symlink_to(root / "a")
    assert len(open_source(str(root), SampleOptions())) == 2


def test_nothing_is_decoded_but_what_is_asked_for(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"a/1.png": colours(rng), "a/3.png": colours(rng)})
    (root / "a" / "2.png").write_bytes(b"no image")
    source = open_source(str(root), SampleOptions())
    assert source.read(np.asarray([0, 2])).shape == (2, 3, 4, 5)
    with pytest.raises(SampleError, match=r"2\.png: not an image"):
        source.read(np.asarray([1]))


def test_a_cut_off_image_is_named(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"1.png": colours(rng, 64, 64, 3)})
    whole = (root / "1.png").read_bytes()
    (root / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SampleError, match=r"1\.png: not an image"):
        open_source(str(root), SampleOptions()).read(np.asarray([0]))


def test_a_file_that_only_another_program_decodes_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EOF\n")
    with pytest.raises(SampleError, match=r"1\.png: not an image"):
        open_source(str(tmp_path), SampleOptions()).read(np.asarray([0]))


def test_two_sizes_are_named_and_resize_brings_them_together(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"1.png": colours(rng, 4, 5, 3), "2.png": colours(rng, 6, 7, 3)})
    with pytest.raises(SampleError, match=r"(?s)1\.png is 5x4, but .*2\.png is 7x6.*--resize"):
        open_source(str(root), SampleOptions()).read(np.asarray([0, 1]))
    both = np.asarray([0, 1])
    assert open_source(str(root), SampleOptions(resize=8)).read(both).shape == (2, 3, 8, 8)
    assert open_source(str(root), SampleOptions(resize=(8, 9))).read(both).shape == (2, 3, 8, 9)


def test_channels_are_those_of_the_set_not_of_the_read(image_folder: Writer, rng: np.random.Generator) -> None:
    gray, colour = colours(rng, 4, 5), colours(rng)
    root = image_folder({"1.png": gray, "2.png": gray, "3.png": colour})
    source = open_source(str(root), SampleOptions())
    for indices in ([0], [0, 2], [2, 0]):
        read = source.read(np.asarray(indices))
        assert read.shape[1] == 3
        np.testing.assert_array_equal(read[indices.index(0)], np.stack([gray] * 3))
    assert open_source(str(root), SampleOptions(gray=True)).read(np.asarray([2])).shape[1] == 1
    (root / "3.png").unlink()
    np.testing.assert_array_equal(open_source(str(root), SampleOptions()).read(np.asarray([1]))[0, 0], gray)


def test_unusual_modes_become_what_one_sees(tmp_path: Path) -> None:
    deep = np.asarray([[0, 255, 256, 0x1234, 0xFFFF]], dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    palette = Image.new("P", (5, 1), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.save(tmp_path / "palette.png", transparency=bytes([0, 128]))
    Image.new("RGBA", (5, 1), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    Image.new("CMYK", (5, 1)).save(tmp_path / "print.tif")
    Image.new("1", (5, 1), 1).save(tmp_path / "two.png")
    clear, deeper, indexed, printed, two = open_source(str(tmp_path), SampleOptions()).read(np.arange(5))[:, :, 0]
    np.testing.assert_array_equal(deeper[0], deep[0].astype(np.float32) / np.float32(65535))
    np.testing.assert_allclose(clear[:, 0], np.asarray([10, 20, 30]) / 255)
    np.testing.assert_array_equal(clear, indexed)
    assert printed.min() == two.min() == 1


def test_a_palette_alone_stays_in_bytes(tmp_path: Path) -> None:
    palette = Image.new("P", (5, 1), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.save(tmp_path / "palette.png", transparency=bytes([0, 128]))
    Image.new("RGBA", (5, 1), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    read = open_source(str(tmp_path), SampleOptions()).read(np.arange(2))
    assert read.dtype == np.uint8
    assert read[:, :, 0, 0].tolist() == [[10, 20, 30]] * 2


@pytest.mark.parametrize(
    ("ending", "kind"), [("png", np.uint16), ("tif", np.uint16), ("tiff", np.int32), ("pgm", np.uint16)]
)
def test_no_bit_of_sixteen_is_dropped(
    ending: str, kind: type[np.generic], tmp_path: Path, rng: np.random.Generator
) -> None:
    values = rng.integers(0, 1 << 16, (3, 4, 5))
    for number, image in enumerate(values):
        Image.fromarray(image.astype(kind)).save(tmp_path / f"{number}.{ending}")
    source = open_source(str(tmp_path), SampleOptions())
    read = source.read(np.arange(3))
    assert read.dtype == np.float32
    np.testing.assert_allclose(read[:, 0].astype(np.float64), values / 65535, rtol=1e-6)
    assert source.scale == 65535


def test_a_set_of_gray_images_has_one_type_whatever_is_read(tmp_path: Path) -> None:
    Image.fromarray(np.full((2, 2), 51, np.uint8)).save(tmp_path / "1.png")
    Image.fromarray(np.full((2, 2), 13107, np.uint16)).save(tmp_path / "2.png")
    source = open_source(str(tmp_path), SampleOptions())
    for indices in ([0], [1], [0, 1], [1, 0]):
        read = source.read(np.asarray(indices))
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, 0.2, rtol=1e-6)


def test_deep_images_are_resized_and_given_in_colour_as_others_are(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "1.png")
    plain = open_source(str(tmp_path), SampleOptions(resize=4)).read(np.asarray([0]))
    Image.fromarray(values.astype(np.uint16) * 257).save(tmp_path / "1.png")
    deep = open_source(str(tmp_path), SampleOptions(resize=4, rgb=True)).read(np.asarray([0]))
    assert deep.shape == (1, 3, 4, 4)
    np.testing.assert_allclose(deep, np.repeat(plain, 3, 1) / 255, atol=1 / 255)


def test_gray_files_are_given_in_colour_as_image_folder_does(image_folder: Writer, rng: np.random.Generator) -> None:
    gray = colours(rng, 4, 5)
    root = image_folder({"1.png": gray})
    Image.fromarray(gray).save(root / "2.jpg", quality=100)
    expected = np.stack([np.asarray(Image.open(root / name).convert("RGB")) for name in ("1.png", "2.jpg")])
    read = open_source(str(root), SampleOptions(rgb=True)).read(np.arange(2))
    np.testing.assert_array_equal(read, expected.transpose(0, 3, 1, 2))
    with pytest.raises(SampleError, match="--gray and --rgb"):
        SampleOptions(gray=True, rgb=True)


def test_cut_colours_are_remarked_on(tmp_path: Path) -> None:
    write_deep_colours(tmp_path / "1.png")
    source = open_source(str(tmp_path), SampleOptions())
    assert source.read(np.asarray([0, 0]))[0, :, 0, 0].tolist() == [0x12, 0x56, 0x9A]
    assert source.notes == (
        "of colour images with 16 bits a channel, Pillow reads the upper 8, as ImageFolder does; arrays keep all",
    )


def write_deep_colours(path: Path) -> None:
    """A PNG of one pixel with 16 bits a channel, which Pillow itself cannot write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head, pixel = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0), b"\0" + struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(pixel)), chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_floating_point_pixels_are_taken_as_they_are(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.normal(size=(2, 2)).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "x.tif")
    source = open_source(str(tmp_path), SampleOptions())
    np.testing.assert_array_equal(source.read(np.asarray([0]))[0, 0], values)
    assert source.scale is None
    Image.fromarray(np.full((2, 2), np.nan, np.float32)).save(tmp_path / "y.tif")
    source = open_source(str(tmp_path), SampleOptions())
    with pytest.raises(SampleError, match=r"y\.tif.*NaN"):
        source.read(np.asarray([1]))
    Image.new("L", (2, 2)).save(tmp_path / "y.tif")
    with pytest.raises(SampleError, match="beside others"):
        open_source(str(tmp_path), SampleOptions()).read(np.asarray([0, 1]))


def test_more_than_sixteen_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((2, 2), 1 << 16, np.int32)).save(tmp_path / "x.tif")
    with pytest.raises(SampleError, match=r"x\.tif.*more than 16 bits"):
        open_source(str(tmp_path), SampleOptions()).read(np.asarray([0]))


def test_labels_of_folders_are_told_to_be_by_the_alphabet(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"a/1.png": colours(rng), "c/1.png": colours(rng)})
    (root / "b").mkdir()
    source = open_source(str(root), SampleOptions())
    assert (source.alphabetical, source.empty) == (True, ("b",))
    (root / "names.txt").write_text("c\nb\na\n")
    assert not open_source(str(root), SampleOptions(classes_file=root / "names.txt")).alphabetical
    assert not open_source(str(root / "a"), SampleOptions()).alphabetical


def test_an_order_of_classes(image_folder: Writer, rng: np.random.Generator, tmp_path: Path) -> None:
    root = image_folder({"a/1.png": colours(rng), "b/1.png": colours(rng)})
    order = tmp_path / "order.txt"
    order.write_text("b\nc\na\n")
    source = open_source(str(root), SampleOptions(classes_file=order))
    assert source.labels is not None
    assert source.labels.tolist() == [2, 0]
    assert source.classes == ("b", "c", "a")
    order.write_text("b\nA\n")
    with pytest.raises(SampleError, match=r"order\.txt: does not name a"):
        open_source(str(root), SampleOptions(classes_file=order))


def test_an_order_of_classes_without_labels(image_folder: Writer, rng: np.random.Generator, tmp_path: Path) -> None:
    (tmp_path / "order.txt").write_text("b\na\n")
    with pytest.raises(SampleError, match="no labels"):
        open_source(str(image_folder({"1.png": colours(rng)})), SampleOptions(classes_file=tmp_path / "order.txt"))


def test_an_empty_folder_and_a_mixed_one(image_folder: Writer, rng: np.random.Generator, tmp_path: Path) -> None:
    (tmp_path / "empty" / "class").mkdir(parents=True)
    with pytest.raises(SampleError, match="empty: holds no images"):
        open_source(str(tmp_path / "empty"), SampleOptions())
    with pytest.raises(SampleError, match=r"holds 1\.png beside"):
        open_source(str(image_folder({"1.png": colours(rng), "a/1.png": colours(rng)})), SampleOptions())
    with pytest.raises(SampleError, match="not a folder"):
        open_source(f"folder:{tmp_path / 'images' / '1.png'}", SampleOptions())


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that cannot be listed")
def test_a_class_that_cannot_be_listed_does_not_pass_for_empty(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"a/1.png": colours(rng), "b/1.png": colours(rng)})
    (root / "a").chmod(0)
    try:
        with pytest.raises(SampleError, match="a: cannot be listed"):
            open_source(str(root), SampleOptions())
    finally:
        (root / "a").chmod(0o700)


@pytest.mark.data
@needs_data
def test_real_folders() -> None:
    cifar = open_source(str(Path(os.environ["RFAV_DATA"]) / "cifar10"), SampleOptions())
    assert len(cifar) == 50_000
    assert cifar.classes[:3] == ("airplane", "automobile", "bird")
    tiny = open_source(str(Path(os.environ["RFAV_DATA"]) / "tiny-imagenet-30" / "val"), SampleOptions())
    assert len(tiny.classes) == 30
    assert tiny.read(np.arange(0, len(tiny), 50)).shape[1:] == (3, 64, 64)


def test_a_broken_image_does_not_spoil_the_gray_ones_beside_it(image_folder: Writer, rng: np.random.Generator) -> None:
    root = image_folder({"1.png": colours(rng, 4, 5), "3.png": colours(rng, 4, 5)})
    (root / "2.png").write_bytes(b"no image")
    source = open_source(str(root), SampleOptions())
    assert source.read(np.asarray([0, 2])).shape == (2, 1, 4, 5)
    with pytest.raises(SampleError, match=r"2\.png"):
        source.read(np.asarray([0, 1]))
