"""Where the disk is full, the error says what to do, and what was committed is there."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.schema import epoch_file, folder_of
from tests.store.example import assert_same, leftovers, make_run, measure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")

SHARES = np.linspace(0, 0.999, 50)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with two packed epochs and two that are not."""
    path = tmp_path / "rfav.h5"
    writer = StoreWriter.open(path, make_run())
    for epoch in range(4):
        writer.append(measure(epoch))
        if epoch == 1:
            pack(path)
    return path


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes; Python ignores SIGXFSZ, so writes fail with EFBIG."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def assert_said_and_nothing_lost(path: Path, error: StoreError) -> None:
    assert f"{path}: no room left to write" in error.what
    assert "Free some space and run the same command again" in error.remedy
    assert leftovers(path.parent) == []
    assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == 0
    assert open_store(path).epochs.tolist() == [0, 1, 2, 3]


def test_an_epoch_that_does_not_fit(path: Path) -> None:
    writer = StoreWriter.open(path, make_run())
    size = epoch_file(folder_of(path), 3).stat().st_size
    for share in SHARES:
        with largest_file(int(share * size)), pytest.raises(StoreError) as caught:
            writer.append(measure(4))
        assert_said_and_nothing_lost(path, caught.value)
        assert 4 not in writer.committed
    writer.append(measure(4))
    assert open_store(path).epochs.tolist() == [0, 1, 2, 3, 4]


def test_a_pack_that_does_not_fit(path: Path) -> None:
    expected = open_store(path)
    copy = path.with_name("copy.h5")
    writer = StoreWriter.open(copy, make_run())
    for epoch in range(4):
        writer.append(measure(epoch))
    pack(copy)
    for share in SHARES:
        with largest_file(int(share * copy.stat().st_size)), pytest.raises(StoreError) as caught:
            pack(path)
        assert_said_and_nothing_lost(path, caught.value)
    assert_same(pack(path), expected)


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_an_error_of_the_system(path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    writer = StoreWriter.open(path, make_run())

    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    for use in (lambda: writer.append(measure(4)), lambda: pack(path)):
        with monkeypatch.context() as patch:
            patch.setattr(f"rfav_cli.files.atomic.os.{call}", fail)
            with pytest.raises(StoreError) as caught:
                use()
        assert_said_and_nothing_lost(path, caught.value)


def test_another_error_is_said_in_its_own_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    writer = StoreWriter.open(path, make_run())
    monkeypatch.setattr("rfav_cli.files.atomic.os.fsync", fail)
    with pytest.raises(StoreError, match=r"cannot be written \(Read-only file system\)"):
        writer.append(measure(4))
