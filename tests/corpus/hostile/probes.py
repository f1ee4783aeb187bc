"""Samples, class names, recipes and baselines from anyone."""

from __future__ import annotations

import csv
import io
import json
import struct
import tarfile
import zipfile
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import torch
from PIL import Image

from tests.corpus.case import CANARY, Case, samples
from tests.corpus.hostile.archives import add_zeros
from tests.corpus.hostile.bombs import TENSORS
from tests.corpus.hostile.pickles import ATTACKS, FOREIGN
from tests.corpus.hostile.special import link
from tests.corpus.opcodes import archive, mapping

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ESCAPES = "\x1b[31m\n::error::ESCAPED"
LABELS = np.arange(24) % 3


def npy(shape: object = (24, 3, 8, 8), kind: object = "<f4", data: bytes | None = None, **more: Any) -> bytes:
    """A .npy whose header says anything."""
    head = repr({"descr": kind, "fortran_order": False, "shape": shape} | more).encode()
    return header(head) + (samples()[0].tobytes() if data is None else data)


def header(head: bytes, version: bytes = b"\x01\0") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(head) + 1) + head + b"\n"


def written(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def npz(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(f"{name}.npy", content)


def with_images(content: bytes, path: Path) -> None:
    """A .npz with good labels and such images."""
    buffer = io.BytesIO()
    np.save(buffer, LABELS)
    npz(path, images=content, labels=buffer.getvalue())


def with_labels(labels: Any, path: Path) -> None:
    np.savez(path, images=samples()[0], labels=labels)


def with_array(images: Any, path: Path) -> None:
    np.savez(path, images=images, labels=LABELS)


def zeros_beside(path: Path) -> None:
    with_images(npy(), path)
    add_zeros(path, "zeros.npy")


def zeros_as_images(path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, LABELS)
    npz(path, labels=buffer.getvalue())
    add_zeros(path, "images.npy")


def zeros_with_a_header(path: Path) -> None:
    """5.6 million samples of zeros, of which the file has a megabyte."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target, target.open("images.npy", "w") as file:
        file.write(npy((1_398_101, 3, 8, 8), data=b""))
        for _ in range(256):
            file.write(bytes(2**22))


def h5(change: Callable[[h5py.File], object], path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["images"], file["labels"] = samples()[0], LABELS
        change(file)


def replaced(**arguments: Any) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        del file["images"]
        file.create_dataset("images", **arguments)

    return change


def h5_virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((24, 3, 8, 8), np.float32)
    layout[:] = h5py.VirtualSource("../elsewhere/secret.h5", "images", (24, 3, 8, 8))
    del file["images"]
    file.create_virtual_dataset("images", layout)


def h5_link(file: h5py.File) -> None:
    del file["images"]
    file["images"] = h5py.ExternalLink("../elsewhere/secret.h5", "/images")


def pt(value: bytes, path: Path) -> None:
    archive(path, mapping({"images": value, "labels": TENSORS["stride-0"]}))


def pt_expanded(path: Path) -> None:
    """A tensor of 10^8 samples that all are one."""
    torch.save({"images": torch.zeros(3, 8, 8).expand(100_000_000, 3, 8, 8)}, path)


def png(width: int, height: int, *, data: bytes = b"", more: bytes = b"") -> bytes:
    """A PNG that says it is of this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    content = b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9)
    return struct.pack(">I", len(content)) + b"zTXt" + content + struct.pack(">I", zlib.crc32(b"zTXt" + content))


def images(content: bytes, name: str, path: Path) -> None:
    """A folder of two classes, one image of which is such."""
    for label in ("cat", "dog"):
        (path / label).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (8, 8), (number * 40, 0, 0)).save(path / label / f"{number}.png")
    (path / "cat" / name).write_bytes(content)


def image_is(target: str, path: Path) -> None:
    images(b"", "9.png", path)
    link(target, path / "cat" / "9.png")


def image_fifo(path: Path) -> None:
    import os

    images(b"", "9.png", path)
    (path / "cat" / "9.png").unlink()
    os.mkfifo(path / "cat" / "9.png")


def encoded(kind: str, size: tuple[int, int] = (8, 8), **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind, **more)
    return buffer.getvalue()


def tiff(width: int, height: int) -> bytes:
    """A TIFF of one strip that says it is of this size."""
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, 2**31),
    ]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + table + bytes(4)


def table(rows: list[list[str]], path: Path) -> None:
    Image.new("RGB", (8, 8)).save(path.parent / "a.png")
    with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        csv.writer(file).writerows(rows)


def tar(name: str, path: Path, kind: bytes = tarfile.REGTYPE) -> None:
    with tarfile.open(path, "w") as target:
        for key in ("0001.cls", name):
            entry = tarfile.TarInfo(key)
            content = b"1" if key.endswith("cls") else encoded("PNG")
            entry.size = len(content) if kind == tarfile.REGTYPE or key.endswith("cls") else 0
            entry.type, entry.linkname = (tarfile.REGTYPE if key.endswith("cls") else kind), "/etc/hostname"
            target.addfile(entry, io.BytesIO(content))


MUCH = (2**38, 3, 8, 8)
ARRAYS = {
    "objects": npy(kind="|O", data=b"\x80\x02" + ATTACKS["os-system"] + b"."),
    "objects-in-fields": npy(kind=[("a", "|O")], data=b"\x80\x02" + ATTACKS["os-system"] + b"."),
    "shape-of-8-tib": npy(MUCH),
    "shape-negative": npy((-24, 3, 8, 8)),
    "shape-product-wraps": npy((2**32, 2**32)),
    "shape-of-text": npy("x"),
    "shape-of-floats": npy((24.0, 3, 8, 8)),
    "shape-of-many-axes": npy((1,) * 100),
    "shape-true": npy((True, 3, 8, 8)),
    "shorter": npy((25, 3, 8, 8)),
    "type-unknown": npy(kind="<q99"),
    "type-text": npy(kind="<U100"),
    "type-void": npy(kind="|V9999999"),
    "type-time": npy(kind="<M8[s]"),
    "type-complex": npy((24, 3, 8, 4), "<c8"),
    "type-of-nothing": npy((2**40,), "|V0"),
    "type-sub-array": npy((2,), ("<f4", (1000, 1000, 1000))),
    "header-code": header(f"__import__('os').system('touch {CANARY}')".encode()),
    "header-deep": header(b"(" * 5000 + b")" * 5000),
    "header-long": header(b"{'descr': '<f4', 'x': '" + b"x" * 60_000 + b"'}"),
    "header-not-latin": header("{'descr': '\u4e2d'}".encode()),
    "header-number": header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 20_000 + b",)}"),
    "header-empty": header(b""),
    "header-keys": npy(evil=1),
    "version-9": header(b"{}", b"\x09\x09"),
    "nothing": b"",
}
IMAGES = {
    "png-bomb": png(60_000, 60_000, data=bytes(10_000)),
    "png-wide": png(2**31 - 1, 1),
    "png-of-nothing": png(0, 0),
    "png-text-bomb": png(8, 8, data=bytes(200), more=text_bomb()),
    "png-cut": encoded("PNG")[:50],
    "tiff-bomb": tiff(60_000, 60_000),
    "tiff-of-4-gib": tiff(2**32 - 1, 2**32 - 1),
    "jpeg-bomb": encoded("JPEG").replace(b"\x00\x08\x00\x08", b"\xff\xff\xff\xff"),
    "jpeg-cut": encoded("JPEG", (64, 64))[:400],
    "bmp-bomb": encoded("BMP").replace(struct.pack("<ii", 8, 8), struct.pack("<ii", 60_000, 60_000)),
    "webp-cut": encoded("WEBP")[:30],
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(touch CANARY) system\n",
    "text": b"<svg onload='x'/>",
    "empty": b"",
}
TABLES = {
    "leads-out": [["path", "label"], ["../elsewhere/secret.png", "cat"]],
    "leads-to-etc": [["path", "label"], ["/etc/hostname", "cat"]],
    "address": [["path", "label"], ["http://127.0.0.1:9/a.png", "cat"]],
    "null": [["path", "label"], ["a\0.png", "cat"]],
    "escapes": [["path", "label"], [f"{ESCAPES}.png", "cat"]],
    "long-cell": [["path", "label"], ["a.png", "x" * 200_000]],
    "many-columns": [["path", "label"], ["a.png"] + ["x"] * 500_000],
    "surrogate": [["path", "label"], ["a\ud800.png", "cat"]],
    "device": [["path", "label"], ["/dev/zero", "cat"]],
}
H5: dict[str, Callable[[h5py.File], object]] = {
    "virtual": h5_virtual,
    "link-out": h5_link,
    "data-out": replaced(shape=(24, 3, 8, 8), dtype="f4", external=[("../elsewhere/secret_1.pt", 0, 24 * 192 * 4)]),
    "shape-of-8-tib": replaced(shape=MUCH, dtype="f4", chunks=(1, 3, 8, 8)),
    "bomb": replaced(shape=(24, 3, 4000, 4000), dtype="f4", chunks=(1, 3, 4000, 4000), compression="gzip"),
    "objects": replaced(shape=(24,), dtype=h5py.vlen_dtype(np.float32)),
    "references": replaced(shape=(24,), dtype=h5py.ref_dtype),
    "texts": replaced(data=["x"] * 24, dtype=h5py.string_dtype()),
    "soft-link-to-itself": lambda file: (
        file.__delitem__("images"),
        file.__setitem__("images", h5py.SoftLink("/images")),
    ),
}
NUMBERS = {
    "labels-huge": np.full(24, 2**62),
    "labels-2-to-40": np.full(24, 2**40),
    "labels-negative": np.full(24, -5),
    "labels-nan": np.full(24, np.nan),
    "labels-text": np.array([ESCAPES] * 24),
    "labels-fewer": LABELS[:5],
    "labels-deep": np.zeros((24, 1, 1, 1, 1, 1), np.int64),
}
SHARED = {"labels-text": (0, 2), "labels-2-to-40": (2,)}
RECIPES = {
    "deep": b"x = " + b"[" * 100_000 + b"]" * 100_000,
    "not-utf-8": b"x = '\xff\xfe'",
    "no-toml": b"= =",
    "empty": b"",
    "long-number": b"schema = " + b"9" * 10_000,
    "nan": b"schema = 1\n[layers.conv1]\nlambda = nan\n",
    "escapes": b'["\\u001b[31m"]\nx = 1\n',
    "dotted": b".".join([b"a"] * 50_000) + b" = 1",
    "nulls": bytes(1000),
    "infinite": b"[layers.conv1]\nlambda = inf\nkappa = -inf\n",
}
BASELINES = {
    "deep": b"[" * 200_000,
    "not-utf-8": b'{"kind": "\xff"}',
    "empty": b"",
    "nan": b'{"kind": "rfav baseline", "schema": 1, "epoch": NaN}',
    "a-list": b"[1]",
    "long-number": b'{"kind": "rfav baseline", "schema": ' + b"9" * 10_000 + b"}",
    "schema-text": b'{"kind": "rfav baseline", "schema": "1"}',
    "schema-float": b'{"kind": "rfav baseline", "schema": 1e999}',
    "escapes": json.dumps({"kind": ESCAPES}).encode(),
    "large": b'{"kind": "' + b"x" * 5_000_000,
    "surrogate": b'{"kind": "\\ud800"}',
}
CLASS_FILES = {
    "escapes": b"\x1b[31mcat\x07\n::error::dog\n\xe2\x80\xaebird\n",
    "html": b"<script>alert(1)</script>\ndog\nbird\n",
    "not-utf-8": b"\xff\xfe\xc3(\ndog\nbird\n",
    "nulls": b"\0\0\0\n\0\n\0\n",
    "one-line": b"x" * 5_000_000,
    "many-lines": b"x\n" * 1_000_000,
    "empty": b"",
    "json": b'["cat", "dog", "bird"]',
}

CASES = [
    *(
        Case(f"npy-{name}", "probe", partial(written, content), "probe", "held_out.npy")
        for name, content in ARRAYS.items()
    ),
    *(
        Case(f"npz-{name}", "probe", partial(with_images, content), "probe", "held_out.npz")
        for name, content in ARRAYS.items()
    ),
    *(
        Case(f"npz-{name}", "probe", partial(with_labels, labels), "probe", "held_out.npz", SHARED.get(name, (2,)))
        for name, labels in NUMBERS.items()
    ),
    Case("npz-nan", "probe", partial(with_array, np.full((24, 3, 8, 8), np.nan, np.float32)), "probe", "held_out.npz"),
    Case("npz-of-nothing", "probe", partial(with_array, np.zeros((0, 3, 8, 8), np.float32)), "probe", "held_out.npz"),
    Case(
        "npz-other-axes", "probe", partial(with_array, np.zeros((24,) + (1,) * 20, np.float32)), "probe", "held_out.npz"
    ),
    Case("npz-zeros-beside", "probe", zeros_beside, "probe", "held_out.npz", (0, 2)),
    Case("npz-zeros-as-images", "probe", zeros_as_images, "probe", "held_out.npz"),
    Case("npz-zeros-with-a-header", "probe", zeros_with_a_header, "probe", "held_out.npz"),
    *(Case(f"h5-{name}", "probe", partial(h5, change), "probe", "held_out.h5") for name, change in H5.items()),
    *(
        Case(f"pt-{name}", "probe", partial(pt, (ATTACKS | FOREIGN | TENSORS)[name]), "probe", "held_out.pt")
        for name in ("os-system", "torch-load", "pickle-loads", "stride-0", "storage-elsewhere", "shape-of-8-tib")
    ),
    Case("pt-expanded", "probe", pt_expanded, "probe", "held_out.pt"),
    *(
        Case(f"image-{name}", "probe", partial(images, content, "9.png"), "probe", "held_out", says=("9.png",))
        for name, content in IMAGES.items()
    ),
    Case("image-link-to-etc", "probe", partial(image_is, "/etc/hostname"), "probe", "held_out", says=("9.png",)),
    Case("image-device", "probe", partial(image_is, "/dev/zero"), "probe", "held_out", says=("9.png",)),
    Case("image-fifo", "probe", image_fifo, "probe", "held_out", says=("9.png",)),
    Case("image-link-to-itself", "probe", partial(image_is, "9.png"), "probe", "held_out", says=("9.png",)),
    *(Case(f"csv-{name}", "probe", partial(table, rows), "probe", "held_out.csv") for name, rows in TABLES.items()),
    *(
        Case(f"csv-{name}", "probe", partial(written, content), "probe", "held_out.csv")
        for name, content in (
            ("nulls", bytes(5000)),
            ("quotes", b'"' * 1_000_001),
            ("not-utf-8", b"path,label\n\xff\xfe,\xc3(\n"),
        )
    ),
    *(
        Case(f"tar-{name}", "probe", make, "probe", "held_out.tar")
        for name, make in (
            ("link", partial(tar, "0001.png", kind=tarfile.SYMTYPE)),
            ("device", partial(tar, "0001.png", kind=tarfile.CHRTYPE)),
        )
    ),
    *(
        Case(f"recipe-{name}", "settings", partial(written, content), "recipe", "recipe.toml")
        for name, content in RECIPES.items()
    ),
    *(
        Case(f"baseline-{name}", "settings", partial(written, content), "baseline", "baseline.json")
        for name, content in BASELINES.items()
    ),
    *(
        Case(
            f"classes-{name}",
            "settings",
            partial(written, content),
            "classes",
            "classes.txt",
            (0, 2) if name in ("escapes", "html", "json") else (2,),
        )
        for name, content in CLASS_FILES.items()
    ),
]
