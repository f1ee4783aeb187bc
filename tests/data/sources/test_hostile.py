"""Small files that declare much are refused before anything of it is made; none makes rfav excuse itself."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions, cifar10, csv, open_source
from rfav_cli.errors import SampleError
from tests.data.sources import hostile
from tests.data.sources.hostile import HOSTILE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="FIFOs and links are POSIX")


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_by_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec, write = HOSTILE[name]
    write(tmp_path / spec.rpartition(":")[2])
    with pytest.raises(SampleError) as caught:
        load_probe(spec)
    assert spec.rpartition(":")[2].partition(".")[0] in caught.value.what
    assert caught.value.remedy
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("spec", ["x", "x.npz", "x.csv", "x.tar", "cifar10:x", "mnist:x", "datasets:x", "webdataset:x"])
def test_what_is_no_regular_file_is_not_waited_for(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(spec.rpartition(":")[2])
    os.mkfifo(path)
    with pytest.raises(SampleError, match="is a FIFO, not a regular file"):
        load_probe(spec)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(SampleError, match="is a device, not a regular file"):
        load_probe(spec)


@pytest.mark.parametrize("kind", [gzip, bz2, lzma])
def test_an_archive_is_unpacked_as_far_as_a_published_one_goes(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "LARGEST_ARCHIVE", 2**20)
    info = tarfile.TarInfo("zeros")
    info.size = 2**21
    with kind.open(tmp_path / "cifar-10-python.tar.gz", "wb") as file:
        file.write(info.tobuf() + bytes(2**21 + 1024))
    with pytest.raises(SampleError, match="it unpacks to more than"):
        load_probe(f"cifar10:{tmp_path}")


def test_a_table_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "MOST_ROWS", 100)
    hostile.table("path\n" + "1.png\n" * 101)(tmp_path / "x.csv")
    with pytest.raises(SampleError, match="more than 100 lines"):
        load_probe(str(tmp_path / "x.csv"))


def test_a_file_that_is_cut_while_it_is_read_is_said_to_be(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((50, 3, 8, 8), np.uint8))
    source = open_source(str(tmp_path / "x.npy"), SampleOptions())
    os.truncate(tmp_path / "x.npy", 1000)
    with pytest.raises(SampleError, match="cut off"):
        source.read(np.arange(50))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_arrays_of_numpy_are_read_as_they_are(save: Any, order: Any, tmp_path: Path) -> None:
    array = np.asarray(np.random.default_rng(0).integers(0, 255, (70, 3, 4, 5), np.uint8), order=order)
    path = tmp_path / ("x.npy" if save is np.save else "x.npz")
    save(path, array)
    source = open_source(str(path), SampleOptions())
    assert (source.read(np.array([69, 0, 0, 33])) == array[[69, 0, 0, 33]]).all()


def test_classes_and_images_may_be_links(tmp_path: Path) -> None:
    hostile.folder(("store/1.png", hostile.png(4, 4, rows=4)), ("set/a/1.png", hostile.png(4, 4, rows=4)))(tmp_path)
    (tmp_path / "set" / "b").symlink_to(tmp_path / "store")
    (tmp_path / "set" / "a" / "2.png").symlink_to("../../store/1.png")
    assert load_probe(str(tmp_path / "set")).inputs.shape == (3, 3, 4, 4)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_of_numpy_and_repeated_labels_in_a_file_of_torch_are_taken(protocol: int, tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((12, 3, 8, 8), np.float32)
    held = {"images": images, "labels": torch.zeros(1, dtype=torch.int64).expand(12)}
    torch.save(held, tmp_path / "x.pt", pickle_protocol=protocol)
    probe = load_probe(str(tmp_path / "x.pt"))
    assert {row.tobytes() for row in np.ascontiguousarray(probe.inputs)} == {row.tobytes() for row in images}
    assert probe.labels is not None
    assert not probe.labels.any()
