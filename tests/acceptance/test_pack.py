"""`rfav pack`, of a store that is being filled and of one that is whole."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.runs import ANALYZE, EPOCHS
from tests.acceptance.stores import assert_same_figures

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


@pytest.fixture
def folder(measured: Path, tmp_path: Path) -> Path:
    """A user's folder with a run that has been measured."""
    return shutil.copytree(measured, tmp_path / "project")


def test_a_store_that_is_not_packed_can_be_shown_and_packed(rfav: Rfav, folder: Path, measured: Path) -> None:
    (folder / "rfav.h5").unlink()
    assert rfav(folder, *ANALYZE, "--no-pack").code == 0
    assert sorted(path.name for path in (folder / "rfav.h5.d").glob("epoch*")) == sorted(
        f"epoch-{epoch:06}.h5" for epoch in EPOCHS
    )
    assert not (folder / "rfav.h5").exists()
    assert rfav(folder, "show").out == rfav(measured, "show").out
    assert rfav(folder, "pack", "rfav.h5").code == 0
    assert rfav(folder, "show").out == rfav(measured, "show").out


def test_packing_a_packed_store_changes_nothing(rfav: Rfav, folder: Path, measured: Path) -> None:
    assert rfav(folder, "pack", "rfav.h5").code == 0
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")
