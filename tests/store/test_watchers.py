"""One watcher a store, told to other writers; readers and packers do not mind it."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from rfav_cli.errors import StoreError
from rfav_cli.store import StoreWriter, check_place, open_store, pack, watching
from tests.store.example import make_run, measure_little

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")


def held_by_another(path):
    """A process that watches the store until it is killed; its pid."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        with watching(path):
            os.write(told, b"1")
            signal.pause()
    os.read(ready, 1)
    os.close(ready)
    os.close(told)
    return pid


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_second_watcher_is_told_who_the_first_is(tmp_path):
    path = tmp_path / "a.h5"
    pid = held_by_another(path)
    try:
        with pytest.raises(StoreError, match=f"watch.*process {pid} on"), watching(path):
            pass
        with pytest.raises(StoreError, match=f"process {pid} on"):
            check_place(path)
        with pytest.raises(StoreError, match=f"process {pid} on"):
            StoreWriter.open(path, make_run(), fresh=True)
    finally:
        kill(pid)
    with watching(path):
        pass


def test_nothing_is_left_of_a_watcher_that_wrote_nothing(tmp_path):
    with watching(tmp_path / "a.h5"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_watcher_leaves_is_removed_by_the_packer(tmp_path):
    path = tmp_path / "a.h5"
    kill(held_by_another(path))
    writer = StoreWriter.open(path, make_run())
    writer.append(measure_little(0))
    pack(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.h5"]


def test_the_watcher_writes_and_others_read_and_pack(tmp_path):
    path = tmp_path / "a.h5"
    with watching(path):
        writer = StoreWriter.open(path, make_run(), watching=True)
        for epoch in range(3):
            writer.append(measure_little(epoch))
            assert len(open_store(path)) == epoch + 1
            pack(path)
            assert len(open_store(path)) == epoch + 1
        with pytest.raises(StoreError, match="watch"):
            check_place(path)
    check_place(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.h5"]


def test_the_watcher_of_another_store_does_not_matter(tmp_path):
    with watching(tmp_path / "a.h5"):
        check_place(tmp_path / "b.h5")
