"""The files behind `memory://`, for tests of what is elsewhere."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from rfav_cli.remote import mirror

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryFileSystem]:
    """The filesystem behind `memory://`, empty, and no places of files."""
    monkeypatch.setattr(mirror, "_made", [])
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    yield MemoryFileSystem()
    for made in mirror._made:
        shutil.rmtree(made.root)
