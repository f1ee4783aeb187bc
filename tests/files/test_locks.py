"""Locks on files and folders."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from rfav_cli.files.locks import held, is_still, lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("there are no such locks", allow_module_level=True)

import fcntl


@pytest.fixture
def descriptors(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """One file, opened twice."""
    opened = [os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT) for _ in range(2)]
    yield opened[0], opened[1]
    for descriptor in opened:
        os.close(descriptor)


def test_one_holds_a_lock(descriptors: tuple[int, int]) -> None:
    first, second = descriptors
    assert lock(first, wait=True) is True
    assert lock(second, wait=False) is False
    fcntl.flock(first, fcntl.LOCK_UN)
    assert lock(second, wait=False) is True


def test_a_file_system_without_locks_is_told(
    descriptors: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert lock(descriptors[0], wait=True) is None
    with held(tmp_path) as alone:
        assert alone is None


def test_a_file_is_still_the_one_under_its_path(descriptors: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert is_still(path, descriptors[0])
    path.unlink()
    assert not is_still(path, descriptors[0])
    path.touch()
    assert not is_still(path, descriptors[0])


def test_a_folder_is_held_until_the_block_ends(tmp_path: Path) -> None:
    with held(tmp_path) as alone, held(tmp_path) as again:
        assert (alone, again) == (True, False)
    with held(tmp_path) as alone:
        assert alone
