from __future__ import annotations

import os
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from rfav_cli.cli.quick_look import may_be_program, may_hold_program

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ("a/data.pkl", "a/code/__torch__/net.py", "a/constants.pkl", "a/version")
EXPORTED = ("a/archive_format", "a/models/model.json", "a/data/weights/weight_0")
OLD = ("serialized_exported_program.json", "serialized_state_dict.pt")
STATE = ("a/data.pkl", "a/byteorder", "a/data/0", "a/version")


def archive(path: Path, names: tuple[str, ...]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            made.writestr(name, b"content")
    return path


@pytest.mark.parametrize("names", [SCRIPT, EXPORTED, OLD])
def test_programs_are_told_by_the_names_in_them(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert may_be_program(archive(tmp_path / "net", names))


def test_others_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("constants.pkl code/")
    for path in (archive(tmp_path / "state", STATE), tmp_path / "empty", tmp_path / "text", tmp_path, tmp_path / "no"):
        assert not may_be_program(path)


def test_nothing_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    assert not may_be_program(tmp_path / "pipe.pt")
    assert not may_hold_program([tmp_path / "pipe.pt", tmp_path, "/dev/zero"])


@pytest.mark.parametrize("place", ["run", "run/epoch_2.pt", "run/*.pt", "r*", "."])
def test_files_folders_and_globs_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    for epoch in range(3):
        archive(tmp_path / "run" / f"epoch_{epoch}.pt", STATE)
    assert not may_hold_program([place])
    archive(tmp_path / "run" / "epoch_2.pt", SCRIPT)
    assert may_hold_program(["elsewhere", place])


def test_what_no_system_can_open_holds_none(tmp_path: Path) -> None:
    assert not may_hold_program(["\0", "s3://bucket/net_*.ts", str(tmp_path / "none" / "*"), "[", ""])


def test_a_large_folder_takes_no_time(tmp_path: Path) -> None:
    for number in range(1500):
        (tmp_path / f"net_{number}.pt").touch()
    archive(tmp_path / "net_9999.pt", SCRIPT)  # the last of its kind
    before = time.process_time()
    assert may_hold_program([tmp_path])
    assert time.process_time() - before < 1
