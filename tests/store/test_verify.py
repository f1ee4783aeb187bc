"""`verify` reads all of a store, and says what is wrong with which file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import h5py
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import names_store, pack, verify
from rfav_cli.store.schema import epoch_file, folder_of
from tests.store.example import write
from tests.store.test_layout import unchecked

if TYPE_CHECKING:
    from pathlib import Path


def states(place: Path) -> dict[str, str]:
    return {finding.name: finding.state for finding in verify(place)}


def flip(path: Path, *, at: float) -> None:
    """Change a bit of a file's last dataset."""
    with h5py.File(path) as file:
        stored = file["entropy/map/0"].id.get_chunk_info(0)
    raw = bytearray(path.read_bytes())
    raw[stored.byte_offset + int(at * (stored.size - 4))] ^= 4
    path.write_bytes(raw)


def test_a_whole_store_is_whole_packed_or_not(path: Path) -> None:
    write(path, 0, 1)
    assert states(path) == dict.fromkeys(("run.h5", "epoch-000000.h5", "epoch-000001.h5", "figures"), "ok")
    assert verify(folder_of(path)) == verify(path)
    pack(path)
    write(path, 2, 3, 4, 5, 6)
    found = verify(path)
    assert [finding.name for finding in found] == ["rfav.h5", "rfav.h5.d", "figures"]
    assert [finding.state for finding in found] == ["ok"] * 3
    assert "5 files" in found[1].detail
    assert "7 epochs (0 to 6), 2 layers" in found[2].detail


def test_a_flipped_bit_is_told_with_its_file_and_the_others_are_read_all_the_same(path: Path) -> None:
    write(path, 0, 1, 2)
    flip(epoch_file(folder_of(path), 1), at=0.5)
    found = {finding.name: finding for finding in verify(path)}
    assert found["epoch-000001.h5"].state == "damaged"
    assert "checksum" in found["epoch-000001.h5"].detail
    assert found["figures"].state == "missing"
    assert {found[name].state for name in ("run.h5", "epoch-000000.h5", "epoch-000002.h5")} == {"ok"}


def test_a_heatmap_is_read_that_no_verdict_needs(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    flip(path, at=0.99)
    assert states(path) == {"rfav.h5": "damaged", "figures": "missing"}


@pytest.mark.parametrize("name", ["entropy/mean", "entropy/map/0"])
def test_figures_that_cannot_be_are_told_though_their_checksum_is_right(path: Path, name: str) -> None:
    write(path, 0, 1)
    pack(path)
    with h5py.File(path, "r+") as file:
        file[name][-1] = 9
    found = {finding.name: finding for finding in verify(path)}
    assert {name: finding.state for name, finding in found.items()} == {"rfav.h5": "ok", "figures": "damaged"}
    assert f"{name} is 9 at epoch 1" in found["figures"].detail


def test_a_store_without_checksums_is_said_to_have_none(path: Path) -> None:
    write(path, 0, 1)
    pack(path)
    old = path.with_name("old.h5")
    unchecked(path, old)
    first, figures = verify(old)
    assert (first.state, figures.state) == ("warning", "ok")
    assert "datasets without a checksum" in first.detail
    with h5py.File(path, "r+") as file:
        del file["nonfinite"]
        file["nonfinite"] = [[0, 0]] * 2
    assert "; 1 dataset without a checksum" in verify(path)[0].detail


def test_files_of_two_runs_are_told(path: Path, tmp_path: Path) -> None:
    write(path, 0)
    other = tmp_path / "other.h5"
    write(other, 1)
    with h5py.File(epoch_file(folder_of(other), 1), "r+") as file:
        file.attrs["run_sha256"] = "cd" * 32
    epoch_file(folder_of(other), 1).rename(epoch_file(folder_of(path), 1))
    assert states(path)["figures"] == "damaged"


def test_what_is_no_store(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such store"):
        verify(path)
    path.write_text("no HDF5")
    assert states(path)["rfav.h5"] == "damaged"
    path.unlink()
    os.mkfifo(path)
    assert states(path)["rfav.h5"] == "damaged"
    link = tmp_path / "linked.h5.d"
    link.symlink_to(tmp_path)
    with pytest.raises(StoreError, match="is a link"):
        verify(tmp_path / "linked.h5")


def test_which_places_are_stores(path: Path) -> None:
    assert names_store(path)
    assert not names_store(path.parent)
    assert not names_store(path.with_name("nowhere"))
    write(path.with_name("named"), 0)
    assert names_store(path.with_name("named"))
    assert names_store(folder_of(path))
    write(path, 0)
    assert names_store(folder_of(path))
