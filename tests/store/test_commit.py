"""What writing into a store needs beside files that appear whole."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store.commit import locked, refuse_special, writing


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no room left to write (No space left on device)", "Free"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "no room left to write (Disk quota exceeded)", "Free"),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "cannot be written (Permission denied)",
            "Make its folder",
        ),
        (OSError("odd\nmore"), "cannot be written (odd)", "Choose another --out"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written (Read-only file system)", "Choose another"),
    ],
)
def test_what_the_system_refuses_is_said_with_what_to_do(error: OSError, what: str, remedy: str) -> None:
    with pytest.raises(StoreError) as caught, writing(Path("rfav.h5")):
        raise error
    assert caught.value.what == f"rfav.h5: {what}"
    assert caught.value.remedy.startswith(remedy)
    assert "every epoch committed so far is kept" in caught.value.remedy


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="ours"), writing(Path("rfav.h5")):
        raise ValueError("ours")


def test_whether_a_folder_is_there_is_told(tmp_path: Path) -> None:
    with locked(tmp_path) as there:
        assert there
    with locked(tmp_path / "none") as there:
        assert not there


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
@pytest.mark.parametrize("made_anew", [False, True])
def test_who_waited_for_a_folder_that_its_holder_removed_looks_again(tmp_path: Path, made_anew: bool) -> None:
    folder = tmp_path / "store.d"
    folder.mkdir()
    said: list[bool] = []

    def wait() -> None:
        with locked(folder) as there:
            said.append(there is not None)

    waiting = threading.Thread(target=wait)
    with locked(folder):
        waiting.start()
        waiting.join(0.2)
        assert said == []
        folder.rmdir()
        if made_anew:
            folder.mkdir()
    waiting.join(60)
    assert said == [made_anew]
    assert os.listdir(tmp_path) == ["store.d"] * made_anew  # noqa: PTH208 - of names alone


def test_nothing_is_held_or_removed_through_a_link(tmp_path: Path) -> None:
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "store.d"
    elsewhere.mkdir()
    place.symlink_to(elsewhere)
    with pytest.raises(StoreError, match=r"store\.d: is a link"), locked(place):
        pass


def test_what_is_removed_lay_in_the_folder_that_is_held(tmp_path: Path) -> None:
    folder, other = tmp_path / "store.d", tmp_path / "other"
    for each in (folder, other):
        each.mkdir()
        (each / "run.h5").write_text("x")
    (folder / "link").symlink_to(other / "run.h5")
    (folder / "folder").mkdir()
    with locked(folder) as held:
        assert held is not None
        folder.rename(tmp_path / "moved")
        folder.symlink_to(other)
        for name in ("run.h5", "link", "folder", "none"):
            held.remove(name)
    assert (other / "run.h5").exists()
    assert sorted(file.name for file in (tmp_path / "moved").iterdir()) == ["folder", "link"]


def test_another_file_that_took_the_name_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    status = (tmp_path / "a").stat()
    with locked(tmp_path) as held:
        assert held is not None
        held.remove("a", (status.st_ino, status.st_mtime_ns, status.st_size + 1))
        assert (tmp_path / "a").exists()
        held.remove("a", (status.st_ino, status.st_mtime_ns, status.st_size))
    assert not (tmp_path / "a").exists()


def test_only_a_regular_file_may_lie_in_the_place_of_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "fifo")
    refuse_special(tmp_path / "file")
    refuse_special(tmp_path / "none")
    for name, what in (("link", "a link"), ("fifo", "a FIFO")):
        with pytest.raises(StoreError, match=f"{name}: is {what}, not a regular file"):
            refuse_special(tmp_path / name)
