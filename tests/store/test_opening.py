"""A file that is locked, open elsewhere or cut off: each has its own words, and no advice to lose a whole one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import h5py
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import Finder, open_store, pack
from rfav_cli.store.opening import StoreInUseError, open_hdf5, why_not_opened
from rfav_cli.store.writer import check_place
from tests.store.example import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLE = "HDF5_USE_FILE_LOCKING"
HOLD = "import h5py, sys; file = h5py.File(sys.argv[1], 'r+'); print('held', flush=True); sys.stdin.read()"
FLAGS = (None, False, True, "best-effort")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="other locks")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "rfav.h5", 0, 1)
    pack(tmp_path / "rfav.h5")
    return tmp_path / "rfav.h5"


@pytest.fixture
def held(path: Path) -> Iterator[Path]:
    """A store that another process has open for writing, with a lock."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        yield path
        holder.kill()


def shown(path: Path, variable: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {} if variable is None else {VARIABLE: variable}
    return subprocess.run([sys.executable, "-m", "rfav_cli", "show", str(path)], capture_output=True, text=True,
                          env=environment, check=False)  # fmt: skip


@pytest.mark.parametrize("variable", [None, "FALSE", "0"])
def test_a_reader_waits_for_no_lock(held: Path, variable: str | None) -> None:
    done = shown(held, variable)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 epochs (0 to 1)" in done.stdout


@pytest.mark.parametrize("variable", ["TRUE", "BEST_EFFORT", "1"])
def test_who_wants_locks_is_told_of_the_one_that_is_held(held: Path, variable: str) -> None:
    done = shown(held, variable)
    assert done.returncode == 2
    assert "another program has it open for writing" in done.stderr
    assert VARIABLE in done.stderr
    assert "damaged" not in done.stderr
    assert "--fresh" not in done.stderr


@pytest.mark.parametrize("variable", ["FALSE", "BEST_EFFORT", "TRUE", None])
def test_a_store_is_written_whatever_is_wanted_of_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    code = (
        "import sys; from pathlib import Path; from tests.store.example import write; from rfav_cli.store import pack\n"
        "write(Path(sys.argv[1]), 0, 1); print(len(pack(Path(sys.argv[1]))))"
    )
    environment = os.environ | ({} if variable is None else {VARIABLE: variable})
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "rfav.h5")], capture_output=True, text=True,
                          env=environment, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_a_store_that_this_process_has_open_is_read_beside(path: Path, mode: str, flags: bool | str | None) -> None:
    with h5py.File(path, mode, locking=flags) as file:
        assert len(open_store(path)) == 2
        assert file["epoch"][:].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (BlockingIOError(errno.EAGAIN, "unable to lock file, errno = 11"), "another program has it open", "Close it"),
        (PermissionError(errno.EACCES, "unable to lock file, errno = 13"), "another program has it open", "Close it"),
        (OSError(errno.ENOLCK, "unable to lock file, errno = 37"), "cannot be locked", f"Set {VARIABLE}"),
        (OSError(errno.ENOSYS, "unable to lock file, errno = 38"), "cannot be locked", f"Set {VARIABLE}"),
        (OSError("unable to open file (file is already open for write)"), "is open already", "Close it"),
        (OSError("unable to open file (file locking flag values don't match)"), "is open already", "Close it"),
        (MemoryError(), "too little memory", "Free some memory"),
        (OSError("truncated file: eof = 900"), "damaged: the file is cut off", "Restore"),
        (OSError("bad object header version number"), "damaged: bad object header", "Restore"),
    ],
)
def test_each_reason_has_its_own_words(tmp_path: Path, error: Exception, what: str, remedy: str) -> None:
    said = why_not_opened(tmp_path / "rfav.h5", error)
    assert isinstance(said, StoreError)
    assert said.what.startswith(f"{tmp_path / 'rfav.h5'}: {what}")
    assert said.remedy.startswith(remedy)
    assert ("--fresh" in said.remedy) == ("damaged" in said.what)


def test_what_cannot_be_looked_into_is_not_replaced_and_not_passed_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_: Path) -> h5py.File:
        raise BlockingIOError(errno.EAGAIN, "unable to lock file, errno = 11")

    monkeypatch.setattr("rfav_cli.store.hdf5.open_hdf5", locked)
    with pytest.raises(StoreInUseError, match="another program"):
        check_place(path, fresh=True)
    assert path.exists()
    assert Finder(path.parent).find() == ([path], True)


def test_a_file_is_opened_for_reading(path: Path) -> None:
    with open_hdf5(path) as file:
        assert file.mode == "r"
    with pytest.raises(OSError, match="no_store"):
        open_hdf5(path.with_name("no_store.h5"))
