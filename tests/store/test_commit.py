"""What writing into a store needs beside files that appear whole."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store.commit import locked, writing


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
            said.append(there)

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
