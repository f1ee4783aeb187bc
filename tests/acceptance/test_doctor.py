"""`rfav doctor` as a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.store import pack
from tests.store.example import write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


def test_doctor_says_what_there_is(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "doctor")
    assert (done.code, done.err) == (0, "")
    found = {finding["name"]: finding for finding in rfav(folder, "doctor", "--format", "json").json()["findings"]}
    assert {"rfav", "Python", "torch", "h5py", "cpu", "store"} <= set(found)
    assert all(name in done.out for name in found)
    assert found["store"]["state"] == "ok"


def test_doctor_sees_a_folder_that_is_not_there(rfav: Rfav, folder: Path) -> None:
    findings = rfav(folder, "doctor", "nowhere", "--format", "json").json()["findings"]
    assert [finding["state"] for finding in findings if finding["name"] == "store"] == ["missing"]


def test_doctor_verifies_a_store(rfav: Rfav, folder: Path) -> None:
    store = folder / "some.h5"
    write(store, 0, 1)
    assert rfav(folder, "doctor", "some.h5.d").code == 0
    pack(store)
    whole = store.read_bytes()
    done = rfav(folder, "doctor", "some.h5")
    assert (done.code, done.err) == (0, "")
    assert "every checksum is right" in " ".join(done.out.split())
    store.write_bytes(whole[:-1])
    damaged = rfav(folder, "doctor", "some.h5", "--format", "json")
    assert damaged.code == 2
    assert [finding["state"] for finding in damaged.json()["findings"]] == ["damaged", "missing"]
    absent = rfav(folder, "doctor", "none.h5")
    assert (absent.code, absent.out) == (2, "")
    assert "there is no such store" in absent.err
