from __future__ import annotations

import os
from collections import namedtuple
from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.analysis import doctor

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.records import Finding


def found(folder: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.examine(folder)}


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert found(tmp_path)["store"].detail.startswith(f"{tmp_path} can be written")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    store = found(tmp_path / "none")["store"]
    assert store.state == "missing"
    assert "No such file" in store.detail


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (doctor.Path, "replace")), refuse)
    store = found(tmp_path)["store"]
    assert (store.state, "No space left" in store.detail) == ("missing", True)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")(5 * 10**7)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert found(tmp_path)["store"].state == "warning"


@pytest.mark.parametrize(
    ("release", "state"), [("2.9.1", "warning"), ("2.10.0+cpu", "ok"), ("3.0.0a0+git12", "ok"), ("1.13", "warning")]
)
def test_torch_before_its_loader_was_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str, state: str
) -> None:
    monkeypatch.setattr(torch, "__version__", release)
    assert found(tmp_path)["torch"].state == state


def test_an_extra_that_is_not_installed_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"no-such-extra": "nothing"})
    assert found(tmp_path)["no-such-extra"].detail.endswith("pip install 'rfav-cli[no-such-extra]'")


def test_each_device_is_named(tmp_path: Path) -> None:
    findings = found(tmp_path)
    assert str(torch.get_num_threads()) in findings["cpu"].detail
    assert ("cuda:0" in findings) == torch.cuda.is_available() != ("cuda" in findings)
