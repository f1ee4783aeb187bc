"""Files of samples that are small and declare much, or are none; each is written by a function of its path."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import torch

Writer = Callable[[Path], object]


def header(text: str, version: int = 1) -> bytes:
    """The beginning of a `.npy` with any text for its header."""
    raw = text.encode("latin-1")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(raw)) + raw


def described(shape: str, descr: str = "'<f4'", fortran: str = "False") -> bytes:
    """The beginning of a `.npy` of a shape."""
    return header(f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n")


def npz(*members: tuple[str, bytes], packed: bool = True) -> Writer:
    """An archive with these members."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
            for name, content in members:
                archive.writestr(name, content)

    return write


def two_of_a_name(path: Path) -> None:
    """An archive that has another array under the name of the first."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", described("(4, 2)") + bytes(32))
        archive.writestr("image2.npy", described("(4, 2)") + bytes(32))
        archive.filelist[1].filename = "images.npy"


def npz_of_zeros(path: Path) -> None:
    """768 MiB, as the archive says, in a few bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", described("(1024, 3, 256, 256)") + bytes(1000))
        archive.filelist[0].file_size = 1024 * 3 * 256 * 256 + 100_000_000 * 7


def data_set(make: Callable[[h5py.File], object]) -> Writer:
    """An HDF5 file."""

    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            make(file)

    return write


def declares(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Callable[[h5py.File], object]:
    """A data set of a shape of which nothing was written."""
    return lambda file: file.create_dataset("x", shape, "u1", chunks=chunks)


def external(file: h5py.File) -> None:
    """Samples in another file."""
    file.create_dataset("images", (10, 3, 8, 8), "u1", external=[("/etc/passwd", 0, 1920)])


def virtual(file: h5py.File) -> None:
    """Samples that are those of another file."""
    layout = h5py.VirtualLayout((10, 3, 8, 8), "u1")
    layout[...] = h5py.VirtualSource("/tmp/other.h5", "images", (10, 3, 8, 8))
    file.create_virtual_dataset("images", layout)


def large_chunk(file: h5py.File) -> None:
    """Four samples in a chunk for 300 million bytes."""
    images = file.create_dataset(
        "images", (4, 3, 8, 8), "u1", maxshape=(None, 3, 8, 8), chunks=(1_600_000, 3, 8, 8), compression="gzip"
    )
    images.id.write_direct_chunk((0, 0, 0, 0), zlib.compress(bytes(1000)))


def unknown_filter(path: Path) -> None:
    """Samples that were packed by a filter that is not there."""
    with h5py.File(path, "w") as file:
        images = file.create_dataset("images", (4, 3, 8, 8), "u1", chunks=(4, 3, 8, 8), compression="gzip")
        images[...] = 3
    content = path.read_bytes()
    place = content.index(b"deflate")
    filter_id = content.rindex(struct.pack("<HH", 1, 8), 0, place)
    path.write_bytes(content[:filter_id] + struct.pack("<H", 32_000) + content[filter_id + 2 :])


def repeated(path: Path) -> None:
    """One number as a hundred million samples."""
    torch.save({"images": torch.zeros(1).expand(10**8, 3, 8, 8)}, path)


def png(width: int, height: int, *chunks: tuple[bytes, bytes], rows: int = 0) -> bytes:
    """A PNG of any size, its rows of zeros."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(9)
    pixels = b"".join([*(packer.compress(bytes(1 + 3 * width)) for _ in range(rows)), packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(width: int, height: int) -> bytes:
    """A TIFF of any size without its pixels."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    entries += [(278, 4, height), (279, 4, width * height % 2**32)]
    fields = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + struct.pack("<I", 0)


def folder(*images: tuple[str, bytes]) -> Writer:
    """A folder of images."""

    def write(path: Path) -> None:
        for name, content in images:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)

    return write


def fifo_among_images(path: Path) -> None:
    """A folder of images of which one is none."""
    folder(("a/1.png", png(4, 4, rows=4)))(path)
    os.mkfifo(path / "a" / "2.png")


def blank_images(path: Path) -> None:
    """300 blank images of 4 million pixels, a few kilobytes each."""
    folder(*((f"a/{number}.png", png(2000, 2000, rows=2000)) for number in range(1)))(path)
    for number in range(1, 300):
        (path / f"a/{number}.png").hardlink_to(path / "a/0.png")


def circle(path: Path) -> None:
    """A class that is all classes."""
    folder(("a/1.png", png(4, 4, rows=4)))(path)
    (path / "b").symlink_to(path)


def table(text: str) -> Writer:
    """A CSV file beside an image."""

    def write(path: Path) -> None:
        (path.parent / "1.png").write_bytes(png(4, 4, rows=4))
        path.write_text(text)

    return write


def tar(*members: tuple[str, bytes]) -> Writer:
    """A tar file, not compressed."""

    def write(path: Path) -> None:
        with tarfile.open(path, "w") as archive:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

    return write


def tar_of_links(path: Path) -> None:
    """A tar file whose image is a link."""
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("0.png")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)


def cut_tar(path: Path) -> None:
    """A tar file with a member that goes beyond its end."""
    info = tarfile.TarInfo("0.png")
    info.size = 2**40
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + png(4, 4, rows=4))


def idx(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """An IDX file of bytes."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", size) for size in shape) + content


def mnist(images: bytes) -> Writer:
    """MNIST's test split with these images."""
    labels = gzip.compress(idx((10,), bytes(10)))
    return folder(("t10k-images-idx3-ubyte.gz", images), ("t10k-labels-idx1-ubyte.gz", labels))


def pickled(body: bytes) -> Writer:
    """CIFAR's test batch with any instructions."""
    return folder(("test_batch", b"\x80\x02" + body + b"."))


def saved(state: object) -> Writer:
    """A folder of `datasets` with any description."""
    return folder(("state.json", json.dumps(state).encode() if not isinstance(state, bytes) else state))


DEEP = b"[" * 200_000

HOSTILE: dict[str, tuple[str, Writer]] = {
    "npy of 8 TiB": ("x.npy", lambda path: path.write_bytes(described("(1099511627776, 2)"))),
    "npy of more axes than there are": ("x.npy", lambda path: path.write_bytes(described(f"({'1, ' * 200})"))),
    "npy of a size without end": ("x.npy", lambda path: path.write_bytes(described(f"({'9' * 5000}, 2)"))),
    "npy of objects": ("x.npy", lambda path: path.write_bytes(described("(4, 2)", "'|O'") + pickle.dumps([1] * 8))),
    "npy of records": ("x.npy", lambda path: path.write_bytes(described("(4,)", "[('a', '<f4')]") + bytes(16))),
    "npy with code": ("x.npy", lambda path: path.write_bytes(header("__import__('os').system('touch ran')"))),
    "npy with depth": ("x.npy", lambda path: path.write_bytes(header("(" * 60_000))),
    "npy with a large header": ("x.npy", lambda path: path.write_bytes(header("{" + " " * 10**6, 2))),
    "npy with a header that is not there": ("x.npy", lambda path: path.write_bytes(b"\x93NUMPY\x02\0\xff\xff\xff\x7f")),
    "npy of wide text": ("x.npy", lambda path: path.write_bytes(described("(4, 2)", "'<U999999999'"))),
    "npy with more in its header": ("x.npy", lambda path: path.write_bytes(described("(4, 2), 'x': 1") + bytes(9))),
    "npy of nothing": ("x.npy", lambda path: path.write_bytes(described("(0, 10000000000000000000)"))),
    "npy of one number": ("x.npy", lambda path: path.write_bytes(described("()") + bytes(4))),
    "npz of 8 TiB": ("x.npz", npz(("images.npy", described("(1099511627776, 2)")))),
    "npz of zeros": ("x.npz", npz_of_zeros),
    "npz of a crowd": ("x.npz", npz(("images.npy", described("(2000000, 1)", "'|u1'") + bytes(2_000_000)))),
    "npz of objects": ("x.npz", npz(("images.npy", described("(4,)", "'|O'") + pickle.dumps([1] * 4)))),
    "npz with two of a name": ("x.npz", two_of_a_name),
    "npz of nothing": ("x.npz", npz()),
    "npz that is half": ("x.npz", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(1000))),
    "hdf5 of terabytes": ("x.h5", data_set(declares((10**9, 3, 64, 64), (1, 3, 64, 64)))),
    "hdf5 of a crowd": ("x.h5", data_set(declares((10**8, 2), (1000, 2)))),
    "hdf5 of one large sample": ("x.h5", data_set(declares((1, 10**12), (1, 1000)))),
    "hdf5 with a large chunk": ("x.h5", data_set(large_chunk)),
    "hdf5 in another file": ("x.h5", data_set(external)),
    "hdf5 of another file": ("x.h5", data_set(virtual)),
    "hdf5 with a link out": ("x.h5", data_set(lambda f: f.__setitem__("x", h5py.ExternalLink("/tmp/other.h5", "/x")))),
    "hdf5 with a soft link": ("x.h5", data_set(lambda f: f.__setitem__("x", h5py.SoftLink("/x")))),
    "hdf5 with a filter": ("x.h5", unknown_filter),
    "hdf5 of folders": ("x.h5", data_set(lambda f: f.create_group("images").create_group("labels"))),
    "hdf5 of text": ("x.h5", data_set(lambda f: f.create_dataset("x", data=["a"] * 4, dtype=h5py.string_dtype()))),
    "hdf5 that is half": ("x.h5", lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))),
    "torch, repeated": ("x.pt", repeated),
    "torch, text": ("x.pt", lambda path: torch.save({"images": "text"}, path)),
    "torch, a number": ("x.pt", lambda path: torch.save(3, path)),
    "torch, sparse": ("x.pt", lambda path: torch.save({"x": torch.eye(3).to_sparse()}, path)),
    "torch, code": ("x.pt", lambda path: path.write_bytes(b"\x80\x02cos\nsystem\nX\x09\0\0\0touch ran\x85R.")),
    "png of 4 gigapixels": ("images", folder(("a/1.png", png(65_535, 65_535)))),
    "png of blank pixels": ("images", folder(("a/1.png", png(9000, 9000)))),
    "png with text": ("images", folder(("a/1.png", png(4, 4, (b"zTXt", b"a\0\0" + zlib.compress(bytes(2**22)))))),),
    "png that is half": ("images", folder(("a/1.png", png(4, 4, rows=4)[:-12]))),
    "tiff of 4 gigapixels": ("images", folder(("a/1.tif", tiff(65_000, 65_000)))),
    "tiff without pixels": ("images", folder(("a/1.tif", tiff(9000, 9000)))),
    "gif of 4 gigapixels": ("images", folder(("a/1.gif", b"GIF89a\xff\xff\xff\xff\0\0\0;"))),
    "postscript": ("images", folder(("a/1.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"))),
    "blank images": ("images", blank_images),
    "fifo among images": ("images", fifo_among_images),
    "circle of classes": ("images", circle),
    "csv of one line": ("x.csv", table("path,label\n1.png," + "a" * 10**6)),
    "csv of commas": ("x.csv", table("," * 10**6)),
    "csv of one field": ("x.csv", table('path,label\n"' + "a\n" * 10**6)),
    "csv of zeros": ("x.csv", table("\0" * 1000)),
    "csv of names": ("x.csv", table("path,label\n" + "x" * 5000 + ",1\n")),
    "tar of links": ("x.tar", tar_of_links),
    "tar that is cut": ("x.tar", cut_tar),
    "tar with 8 TiB": ("x.tar", tar(("0.npy", described("(1099511627776, 2)")), ("0.cls", b"1"))),
    "tar with pixels": ("x.tar", tar(("0.png", png(30_000, 30_000)), ("0.cls", b"1"))),
    "tar with depth": ("x.tar", tar(("0.png", png(4, 4, rows=4)), ("0.json", DEEP))),
    "tar with digits": ("x.tar", tar(("0.png", png(4, 4, rows=4)), ("0.cls", b"9" * 100_000))),
    "mnist of 4 GiB": ("mnist:x", mnist(gzip.compress(idx((2**20, 64, 64))))),
    "mnist of zeros": ("mnist:x", mnist(gzip.compress(idx((10, 6000, 6000))))),
    "mnist of all there is": ("mnist:x", mnist(idx((2**32 - 1,) * 3))),
    "cifar, memo": ("cifar10:x", pickled(b"}r\xff\xff\xff\x7f")),
    "cifar, bytes": ("cifar10:x", pickled(b"\x96" + struct.pack("<Q", 2**40))),
    "cifar, code": ("cifar10:x", pickled(b"cos\nsystem\nU\x09touch ran\x85R")),
    "cifar, depth": ("cifar10:x", pickled(b"]" * 100_000 + b"a" * 99_999)),
    "cifar, shape": ("cifar10:x", pickled(
        b"}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01M\x10\x27M\0\x0c\x86"
        b"cnumpy\ndtype\nU\x02u1K\0K\x01\x87R\x89U\x03abctbU\x06labels]K\x01au")),
    "datasets, depth": ("datasets:x", saved(DEEP)),
    "datasets, traversal": ("datasets:x", saved({"_data_files": [{"filename": "../x.arrow"}]})),
}  # fmt: skip
"""What it is -> what it is given as, and what writes it at that path."""
