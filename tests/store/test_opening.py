"""A file that is open elsewhere or cut off: each has its own words, and no advice to lose a whole one."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import h5py
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import open_store, pack
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.opening import is_store_file, too_much, why_not_opened
from tests.store.example import write

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "HDF5_USE_FILE_LOCKING"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "rfav.h5", 0, 1)
    pack(tmp_path / "rfav.h5")
    return tmp_path / "rfav.h5"


def test_a_reader_waits_for_no_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for variable in ("TRUE", "FALSE", "BEST_EFFORT"):
            monkeypatch.setenv(VARIABLE, variable)
            assert len(open_store(path)) == 2


@pytest.mark.parametrize("variable", ["FALSE", "BEST_EFFORT", "TRUE", None])
def test_a_store_is_written_whatever_is_wanted_of_locks(tmp_path: Path, variable: str | None) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.store.example import write; from rfav_cli.store import pack\n"
        "write(Path(sys.argv[1]), 0, 1); print(len(pack(Path(sys.argv[1]))))"
    )
    environment = os.environ | ({} if variable is None else {VARIABLE: variable})
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "rfav.h5")], capture_output=True, text=True,
                          env=environment, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


@pytest.mark.parametrize("flags", [None, False, True, "best-effort"])
def test_a_store_that_this_process_has_open_is_read_beside(path: Path, flags: bool | str | None) -> None:
    with h5py.File(path, "r", locking=flags) as file:
        assert len(open_store(path)) == 2
        assert file["epoch"][:].tolist() == [0, 1]


def test_a_store_that_another_program_has_open_for_writing_is_read(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.flush()
        assert len(open_store(path)) == 2
    code = "import h5py, os, sys; file = h5py.File(sys.argv[1], 'r+'); file.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert len(open_store(path)) == 2


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
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


@pytest.mark.parametrize(
    ("declared", "size", "blocks", "said"),
    [
        (100, 99, 8, "larger than the file"),
        (100, 100, 0, ""),
        (6 << 30, 7 << 30, 0, ""),
        (6 << 30, 7 << 30, 80, "6,442,450,944 bytes of values, of which 40,960 are on the disk"),
        (6 << 30, 7 << 30, 1 << 20, ""),
    ],
)
def test_values_that_take_no_room_are_refused(declared: int, size: int, blocks: int, said: str) -> None:
    status = cast("os.stat_result", SimpleNamespace(st_size=size, st_blocks=blocks))
    found = too_much(declared, status)
    assert found.endswith(said) if said else not found


def test_a_damaged_store_is_still_known_as_one_and_another_file_is_not(path: Path) -> None:
    write(path, 0)
    pack(path)
    whole = path.read_bytes()
    for at in (9, 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 8]) + whole[at + 1 :])
        with pytest.raises(StoreError, match="damaged"), opened(path):
            pass
        assert is_store_file(path)
    path.write_bytes(whole[:48] + b"\0" * 999)
    assert not is_store_file(path)
