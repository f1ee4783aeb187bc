"""A store may come from anyone: what is not as rfav writes it is refused before it is read."""

from __future__ import annotations

import contextlib
import os
import random
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

import rfav_cli
from rfav_cli.errors import RfavError, StoreError
from rfav_cli.render import render
from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.layout import LIBVER
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rfav.h5"
    writer = StoreWriter.open(path, make_run())
    writer.append(measure(0))
    writer.append(measure(1))
    pack(path)
    return path


def replace(file: h5py.File, name: str, **arguments: Any) -> None:
    del file[name]
    file.create_dataset(name, **arguments)


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2, 2), np.float64)
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (2, 2))
    file.create_virtual_dataset("new", layout)


def external(file: h5py.File) -> None:
    replace(file, "entropy/mean", shape=(2, 2), dtype="f8", external=[("/etc/passwd", 0, 32)])


CHANGES: dict[str, Callable[[h5py.File], None]] = {
    "new is stored with filters other": lambda file: file.create_dataset(
        "new", data=np.zeros((2, 9)), compression="gzip"
    ),
    "new is not stored": virtual,
    "entropy/mean is not stored in the file": external,
    "larger than the file": lambda file: file.create_dataset("new", (2, 1 << 40), "f8"),
    "neither numbers nor texts": lambda file: replace(file, "layer/name", data=["a", "b"], dtype=h5py.string_dtype()),
    "new holds neither": lambda file: file.create_dataset("new", (2,), h5py.ref_dtype),
    "new is a link to elsewhere": lambda file: file.__setitem__("new", h5py.SoftLink("/epoch")),
    "links is a link to elsewhere": lambda file: file.__setitem__("links", h5py.ExternalLink("/etc/passwd", "/")),
    "is there twice": lambda file: file.__setitem__("new", file["nonfinite"]),
    "loop is there twice": lambda file: file.__setitem__("loop", file["/"]),
    "no name of a dataset": lambda file: file.create_dataset("Bad\nname", data=1),
    "a/b/c/d is no name": lambda file: file.create_dataset("a/b/c/d", data=1),
    "new is not a dataset": lambda file: file.create_dataset("new", data=h5py.Empty("f8")),
    "new is not a dataset ": lambda file: file.__setitem__("new", np.dtype("f8")),
    "new is float64": lambda file: file.create_dataset("new", data=np.zeros(3)),
    r"entropy/mean is \(3,\) an epoch": lambda file: replace(file, "entropy/mean", data=np.zeros((2, 3))),
    r"map/0 is \(2, 9, 9\) an epoch": lambda file: replace(file, "entropy/map/0", data=np.zeros((2, 2, 9, 9))),
    r"dead is \(3,\) an epoch": lambda file: replace(file, "activation/dead", data=np.zeros((2, 3))),
    "the layer has 8 channels": lambda file: replace(file, "activation/winners/0", data=np.zeros((2, 9))),
    "winners/0 is stored with filters other": lambda file: replace(
        file, "activation/winners/0", data=np.zeros((2, 8)), compression="gzip"
    ),
    "winners/7 is of a layer": lambda file: file.create_dataset("activation/winners/7", data=np.zeros((2, 8))),
    "of a layer that the run does not have": lambda file: file.create_dataset("entropy/map/9", data=np.zeros((2, 1))),
    "index of epochs": lambda file: replace(file, "epoch", data=np.zeros(3, np.int32)),
    "do not ascend": lambda file: replace(file, "epoch", data=np.array([4, 4])),
    "layers are not complete": lambda file: file.__delitem__("layer/kind"),
    "skipped layers are not complete": lambda file: file.__delitem__("skipped/reason"),
    "list of bad checkpoints": lambda file: replace(file, "bad/path", data=np.array([b"x"])),
    "layer/channels is": lambda file: replace(file, "layer/channels", data=np.zeros((2, 2), int)),
    "fc.é has 99,999 channels, more than weights": lambda file: replace(
        file, "layer/channels", data=np.array([8, 99_999])
    ),
    "has no channels": lambda file: replace(file, "layer/channels", data=np.array([8, -1])),
    "the shape of a layer is": lambda file: replace(file, "layer/positions", data=np.array([b'["x"]', b"[]"])),
    "damaged: .*Expecting": lambda file: replace(file, "layer/positions", data=np.array([b"[1,", b"[]"])),
    "damaged: maximum recursion": lambda file: replace(file, "layer/positions", data=np.array([b"[" * 99999, b"[]"])),
    "damaged: 'utf-8'": lambda file: replace(file, "layer/name", data=np.array([b"\xff", b"a"])),
    "probe/label is": lambda file: replace(file, "probe/label", data=np.zeros(9, int)),
    "probe/thumbnail is": lambda file: replace(file, "probe/thumbnail", data=np.zeros((9, 9))),
    "attribute maps is": lambda file: file.attrs.__setitem__("maps", "many"),
    "attribute centering is": lambda file: file.attrs.__setitem__("centering", np.zeros(9)),
    "attribute with_bias is": lambda file: file.attrs.__setitem__("with_bias", h5py.Empty("f8")),
    "attribute schema is": lambda file: file.attrs.__setitem__("schema", "one"),
    "there is no schema 0": lambda file: file.attrs.__setitem__("schema", 0),
    "without rfav's attributes": lambda file: file.attrs.__delitem__("schema"),
}


@pytest.mark.parametrize("message", CHANGES)
def test_a_store_that_was_changed(path: Path, message: str) -> None:
    with h5py.File(path, "r+") as file:
        CHANGES[message](file)
    with pytest.raises(StoreError, match=message.strip()) as caught:
        open_store(path)
    assert str(path) in caught.value.what
    assert caught.value.remedy
    assert caught.value.what.isprintable()


def test_a_newer_schema_asks_for_an_upgrade(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = 3
        file.attrs["rfav_version"] = "3.0\x1b[31m"
        file["CamelCase"] = 1
    with pytest.raises(
        StoreError, match=r"written by rfav 3.0.x1b\[31m with schema 3; this rfav reads up to schema 2"
    ) as caught:
        open_store(path)
    assert "Upgrade" in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "an empty file"), (b"PK\3\4 a zip", "not an HDF5 file"), (b"\x89HDF\r\n\x1a\n" + b"\0" * 99, "damaged")],
)
def test_a_file_that_is_no_store(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    for use in (open_store, lambda path: StoreWriter.open(path, make_run())):
        with pytest.raises(StoreError, match=message):
            use(path)


def test_another_hdf5_file(path: Path) -> None:
    path.unlink()
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros(3)
    with pytest.raises(StoreError, match="not an rfav store"):
        open_store(path)


def test_a_store_cut_off_or_with_a_changed_byte_never_crashes(path: Path) -> None:
    whole = path.read_bytes()
    random = np.random.default_rng(6)
    for cut in np.linspace(0, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:cut])
        with pytest.raises(StoreError, match=r"cut off|damaged|not an rfav store"):
            open_store(path)
    for _ in range(100):
        changed = bytearray(whole)
        changed[random.integers(len(whole))] ^= 1 << random.integers(8)
        path.write_bytes(changed)
        with contextlib.suppress(StoreError):
            np.asarray(open_store(path).columns.get("entropy/map/0", 0))


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such store"):
        open_store(tmp_path / "rfav.h5")
    with pytest.raises(StoreError, match="there is no such store"):
        pack(tmp_path / "rfav.h5")
    with pytest.raises(StoreError, match="is a folder, not a regular file"):
        open_store(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="is a FIFO, not a regular file"):
        open_store(tmp_path / "pipe")
    (tmp_path / "file.d").write_text("")
    with pytest.raises(StoreError, match="cannot be read"):
        open_store(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_store_without_permission(path: Path) -> None:
    path.chmod(0)
    with pytest.raises(StoreError, match="cannot be read"):
        open_store(path)


def wrong_chunk(file: h5py.File) -> None:
    """A chunk of fewer bytes than its shape needs, with the right checksum: HDF5 would read on beyond them."""
    few = file.create_dataset("few", data=np.zeros((1, 1)), chunks=(1, 1), fletcher32=True)
    file.flush()
    raw = few.id.read_direct_chunk((0, 0))[1]
    del file["few"]
    new = file.create_dataset("new", (2, 1 << 10), "f8", chunks=(2, 1 << 10), fletcher32=True)
    new.id.write_direct_chunk((0, 0), raw)


def without_chunk(file: h5py.File) -> None:
    file.create_dataset("new", (2, 8), "f8", chunks=(1, 8), fletcher32=True)[0] = 1


CHUNKS = {
    "new: a chunk has 12 bytes in place of 16,388": wrong_chunk,
    "new: 1 of its 2 chunks are missing": without_chunk,
}


@pytest.mark.parametrize("message", CHUNKS)
def test_chunks_that_are_not_as_their_shape_makes_them(path: Path, message: str) -> None:
    with h5py.File(path, "r+", libver=LIBVER) as file:
        CHUNKS[message](file)
    with path.open("ab") as stream:
        stream.write(bytes(1 << 15))  # so that the file is large enough for what is declared
    with pytest.raises(StoreError, match=message):
        open_store(path)


def test_a_store_that_is_mostly_a_hole_is_refused_before_it_is_read(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset("new", (2, 3 << 30), "u1", chunks=(1, 1 << 20), fletcher32=True)
    with path.open("r+b") as stream:
        stream.truncate(7 << 30)
    with pytest.raises(StoreError, match=r"bytes of values, of which .* are on the disk"):
        open_store(path)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("rfav_cli.store.hdf5.MOST_ENTRIES", "3 entries|more than 2 datasets"),
        ("rfav_cli.store.run.MOST_LAYERS", "2 layers"),
    ],
)
def test_a_list_without_end_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, message: str) -> None:
    monkeypatch.setattr(limit, 1 if "LAYERS" in limit else 2)
    with pytest.raises(StoreError, match=message):
        open_store(path)


def test_a_net_of_too_many_layers_is_refused_before_any_is_measured(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rfav_cli.store.writer.MOST_LAYERS", 1)
    with pytest.raises(StoreError, match="1 layers at most, and the net has 2") as told:
        StoreWriter.open(path.with_name("new.h5"), make_run())
    assert "--layers" in told.value.remedy


def test_an_attribute_longer_than_any_is_refused(path: Path) -> None:
    with h5py.File(path, "r+", libver=LIBVER) as file:
        del file.attrs["model"]
        file.attrs["model"] = np.array(b"x" * (2 << 20), h5py.string_dtype("utf-8", 2 << 20))
    with pytest.raises(StoreError, match="attribute model is"):
        open_store(path)


MUTATIONS = 25
VALUES = (0, 1, -1, 2**31 - 1, -(2**31), 0.5, 1e308, -1e308, np.nan, np.inf, -np.inf)


def mutate(path: Path, generator: random.Random) -> None:
    """Change figures of a store, with right checksums, to what no run gives."""
    with h5py.File(path, "r+", libver=LIBVER) as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and item.size else None)
        for name in generator.sample(names, 2):
            values = file[name][...]
            if values.dtype.kind == "S":
                values[...] = generator.choice([b"", b"\x1b[31m", b"[-1]", b"null", b"<b>", b"\xff"])
            elif values.dtype.kind == "f":
                values.flat[generator.randrange(values.size)] = generator.choice(VALUES)
            else:
                limits = np.iinfo(values.dtype)
                values.flat[generator.randrange(values.size)] = generator.choice([limits.min, limits.max, 0, 1])
            replace(file, name, data=values, chunks=values.shape, fletcher32=True)


def test_no_figures_of_a_store_bring_about_what_was_not_expected(path: Path) -> None:
    whole, generator, shown = path.read_bytes(), random.Random(9), 0
    for _ in range(MUTATIONS):
        path.write_bytes(whole)
        with np.errstate(all="ignore"):
            mutate(path, generator)
        with contextlib.suppress(RfavError):
            described = rfav_cli.show(path)
            assert render(described.history, described.verdict)
            shown += 1
            rfav_cli.check(path)
            rfav_cli.recommend(path)
    assert 0 < shown < MUTATIONS
