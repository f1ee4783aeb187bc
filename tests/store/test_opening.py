"""A file that is open elsewhere or cut off: each has its own words, and no advice to lose a whole one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import h5py
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import Finder, open_store, pack
from rfav_cli.store.opening import StoreInUseError, why_not_opened
from rfav_cli.store.writer import check_place
from tests.store.example import write

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "HDF5_USE_FILE_LOCKING"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "rfav.h5", 0, 1)
    pack(tmp_path / "rfav.h5")
    return tmp_path / "rfav.h5"


def killed_while_writing(path: Path) -> None:
    code = "import h5py, os, sys; file = h5py.File(sys.argv[1], 'r+'); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


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


def test_a_store_that_another_program_writes_is_in_use_and_not_damaged(path: Path) -> None:
    with h5py.File(path, "r+"), pytest.raises(StoreInUseError, match="another program has it open for writing") as told:
        open_store(path)
    assert "--fresh" not in told.value.remedy
    assert len(open_store(path)) == 2
    killed_while_writing(path)
    with pytest.raises(StoreInUseError, match="or was killed while it had") as told:
        open_store(path)
    assert "h5clear" in told.value.remedy


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (OSError("unable to open file (file is already open for write)"), "another program has it open", "Close it"),
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


def test_what_cannot_be_looked_into_is_not_replaced_and_not_passed_over(path: Path) -> None:
    with h5py.File(path, "r+"):
        with pytest.raises(StoreInUseError, match="another program"):
            check_place(path, fresh=True)
        assert path.exists()
        assert Finder(path.parent).find() == ([path], True)
