"""`rfav doctor` as a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
