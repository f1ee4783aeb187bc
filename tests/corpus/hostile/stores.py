"""Stores that are HDF5, and not what rfav writes."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from tests.corpus.case import Case, good_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[h5py.File], object]

HTML = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
ESCAPES = "\x1b[31m\n::error::ESCAPED\r\x07"
FORMULA = '=cmd|"/c calc"!A1'


def changed(change: Change, path: Path) -> None:
    shutil.copy(good_store(), path)
    with h5py.File(path, "r+") as file:
        change(file)


def put(name: str, **arguments: Any) -> Change:
    """In place of a data set, or beside them."""

    def change(file: h5py.File) -> None:
        if name in file:
            del file[name]
        file.create_dataset(name, **arguments)

    return change


def numbers(name: str, value: float) -> Change:
    def change(file: h5py.File) -> None:
        file[name][1:3] = value

    return change


def texts(name: str, text: str) -> Change:
    def change(file: h5py.File) -> None:
        count = file[name].shape[0]
        del file[name]
        file.create_dataset(name, data=np.array([f"{text}{number}".encode() for number in range(count)]))

    return change


def attribute(name: str, value: Any) -> Change:
    return lambda file: file.attrs.__setitem__(name, value)


def external_link(target: str) -> Change:
    return lambda file: file.__setitem__("links", h5py.ExternalLink(target, "/"))


def external_data(target: str) -> Change:
    return put("entropy/mean", shape=(25, 3), dtype="f8", external=[(target, 0, 600)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((25, 3), np.float64)
    layout[:] = h5py.VirtualSource("../elsewhere/secret.h5", "x", (25, 3))
    del file["entropy/mean"]
    file.create_virtual_dataset("entropy/mean", layout)


def unknown_filter(file: h5py.File) -> None:
    del file["entropy/mean"]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((5, 3))
    properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    space = h5py.h5s.create_simple((25, 3))
    h5py.h5d.create(file["entropy"].id, b"mean", h5py.h5t.IEEE_F64LE, space, properties)


def scrambled(share: float, length: int, path: Path) -> None:
    shutil.copy(good_store(), path)
    raw = bytearray(path.read_bytes())
    at = int(len(raw) * share)
    raw[at : at + length] = b"\xff" * length
    path.write_bytes(raw)


def cut(share: float, path: Path) -> None:
    raw = good_store().read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])


CHANGES: dict[str, Change] = {
    "link-out": external_link("../elsewhere/secret.h5"),
    "link-to-etc": external_link("/etc/hostname"),
    "link-to-a-device": external_link("/dev/zero"),
    "data-out": external_data("../elsewhere/secret_1.pt"),
    "data-in-etc": external_data("/etc/hostname"),
    "virtual": virtual,
    "soft-link": lambda file: file.__setitem__("more", h5py.SoftLink("/epoch")),
    "soft-link-to-itself": lambda file: file.__setitem__("more", h5py.SoftLink("/more")),
    "hard-link-to-the-root": lambda file: file.__setitem__("more", file["/"]),
    "unknown-filter": unknown_filter,
    "bomb-of-1-gib": put(
        "entropy/mean", shape=(25, 5_000_000), dtype="f8", chunks=(1, 5_000_000), compression="gzip", fillvalue=0
    ),
    "bomb-beside": put("activation/more", shape=(25, 2**34), dtype="f8", chunks=(1, 2**20), compression="gzip"),
    "shape-of-8-tib": put("entropy/mean", shape=(2**20, 2**20), dtype="f8", chunks=(1, 1024)),
    "shape-of-2-to-62": put("probe/loss", shape=(2**59,), dtype="f8", chunks=(1024,)),
    "layers-many": put("layer/name", shape=(2**31,), dtype="S5", chunks=(1024,)),
    "epochs-many": put("epoch", shape=(2**33,), dtype="i4", chunks=(1024,)),
    "samples-many": put("probe/sample_loss", shape=(25, 2**33), dtype="f4", chunks=(1, 1024)),
    "text-of-1-gib": put("layer/name", shape=(3,), dtype="S1000000000", chunks=(1,)),
    "texts-of-any-length": put("layer/name", data=["a", "b", "c"], dtype=h5py.string_dtype()),
    "references": put("entropy/mean", shape=(25, 3), dtype=h5py.ref_dtype),
    "compound": put("entropy/mean", data=np.zeros((25, 3), [("a", "f8"), ("b", "f8")])),
    "objects": put("entropy/mean", shape=(25, 3), dtype=h5py.vlen_dtype(np.float64)),
    "complex": put("entropy/mean", data=np.zeros((25, 3), np.complex128)),
    "empty": put("entropy/mean", data=h5py.Empty("f8")),
    "name-of-escapes": put("\x1b[31m", data=1),
    "name-of-dots": put("..", data=1),
    "deep": put("/".join("a" * 500), data=1),
    "many": lambda file: [file.create_dataset(f"more/x{number}", data=1) for number in range(3000)],
    "entropy-negative": numbers("entropy/mean", -5),
    "entropy-infinite": numbers("entropy/mean", np.inf),
    "entropy-1e308": numbers("entropy/mean", 1e308),
    "accuracy-7": numbers("probe/accuracy", 7),
    "accuracy-negative": numbers("probe/accuracy", -1),
    "loss-negative": numbers("probe/loss", -3),
    "labels-huge": numbers("probe/label", 2**62),
    "labels-negative": numbers("probe/label", -2),
    "epochs-backwards": numbers("epoch", -1000),
    "channels-0": numbers("layer/channels", 0),
    "channels-huge": lambda file: file["layer/channels"].__setitem__(slice(None), 2**31 - 1),
    "degenerate-negative": numbers("correlation/degenerate", -1),
    "schema-of-tomorrow": attribute("schema", 99),
    "schema-text": attribute("schema", "2"),
    "schema-absent": lambda file: file.attrs.__delitem__("schema"),
    "unit-unknown": attribute("unit", ESCAPES),
    "probe-size-huge": attribute("probe_size", 2**62),
    "probe-size-negative": attribute("probe_size", -1),
    "attribute-an-array": attribute("model", np.zeros(100)),
    "positions-no-json": texts("layer/positions", "["),
    "positions-deep": texts("layer/positions", "[" * 100_000),
    "digest-no-digest": texts("checkpoint/sha256", "../x"),
    "nothing": lambda file: file.clear(),
}
READABLE = ("loss-negative", "labels-huge", "digest-no-digest", "unit-unknown")
"""What is shown as it is: no figure of the run is another one by it."""
TEXTS = {"layer/name": "layers", "layer/kind": "kinds", "checkpoint/path": "checkpoints"}
ATTRIBUTES = ("model", "rfav_version", "loss", "probe_source", "task", "output", "weights", "centering", "epoch_unit")
EVIL = {
    "html": HTML,
    "escapes": ESCAPES,
    "formula": FORMULA,
    "right-to-left": "\u202egnp.exe\u2066",
    "long": "x" * 100_000,
}


def _store(name: str, make: Callable[[Path], object], ends: tuple[int, ...] = (2,), given: str = "show") -> Case:
    return Case(f"store-{name}", "store", make, given, "rfav.h5", ends)


CASES = [
    *(
        _store(name, partial(changed, change), (0, 1, 2) if name in READABLE else (2,))
        for name, change in CHANGES.items()
    ),
    *(
        _store(f"{given}-{name}", partial(changed, CHANGES[name]), (2,), given)
        for given in ("report", "check", "plot")
        for name in ("link-to-etc", "data-out", "bomb-of-1-gib", "entropy-infinite", "shape-of-8-tib")
    ),
    *(
        _store(f"{what}-of-{kind}", partial(changed, texts(name, text)), (0, 1, 2))
        for name, what in TEXTS.items()
        for kind, text in EVIL.items()
    ),
    *(
        _store(f"{given}-layers-of-{kind}", partial(changed, texts("layer/name", EVIL[kind])), (0, 1, 2), given)
        for given in ("report", "check", "plot")
        for kind in ("html", "escapes")
    ),
    *(
        _store(f"attribute-{name}-of-escapes", partial(changed, attribute(name, ESCAPES)), (0, 1, 2))
        for name in ATTRIBUTES
    ),
    _store("superblock", partial(scrambled, 0, 16)),
    *(_store(f"scrambled-{number}", partial(scrambled, number / 8 + 0.01, 40), (0, 2)) for number in range(8)),
    *(_store(f"cut-{number}", partial(cut, number / 4)) for number in range(1, 4)),
]
