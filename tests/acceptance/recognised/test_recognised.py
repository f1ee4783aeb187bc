"""Runs as frameworks leave them, measured by the command that `docs/recognised.md` gives; where a framework is not
installed its row is skipped, with what installs it."""

from __future__ import annotations

import importlib.util
import shlex
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rfav_cli
from rfav_cli.cli import run
from tests.acceptance.recognised.rows import LAYOUTS, LIBRARIES
from tests.test_house import marked_rows, quoted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.recognised.folder import Folder

PAGE = "docs/recognised.md"
INSTALL = "pip install 'rfav-cli[frameworks]'"

pytestmark = pytest.mark.filterwarnings("ignore")  # of the frameworks


def page() -> dict[str, str]:
    """Name of a row -> the command."""
    return {quoted(row[0])[0]: quoted(row[2])[0] for row in marked_rows(PAGE, "recognised")}


def test_each_row_of_the_page_is_tested_and_back() -> None:
    assert list(page()) == [*LIBRARIES, *LAYOUTS]
    assert [row[3] for row in marked_rows(PAGE, "recognised") if not row[3]] == []


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_a_library_writes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needed, write = LIBRARIES[name]
    if missing := [library for library in needed if importlib.util.find_spec(library) is None]:
        pytest.skip(f"{' and '.join(missing)} cannot be imported: {INSTALL}")
    monkeypatch.chdir(tmp_path)
    folder = write(tmp_path)
    capsys.readouterr()
    check(folder, page()[name], capsys)


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_framework_writes_that_is_not_there(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    check(LAYOUTS[name](tmp_path, monkeypatch), page()[name], capsys)


def check(folder: Folder, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run the command of the page, and hold the store against what the training itself knew."""
    program, *arguments = shlex.split(command)
    assert program == "rfav"
    code = run(arguments)
    told = capsys.readouterr()
    assert code == 0, told.err
    assert "Traceback" not in told.err
    history = rfav_cli.open_store(folder.path / "rfav.h5")
    assert history.epochs.tolist() in [list(epochs) for epochs in folder.epochs], told.err
    np.testing.assert_allclose(history.loss, folder.losses, rtol=1e-4)
    measured = {layer.name for layer in history.run.layers}
    assert measured
    assert measured < folder.layers | {""}
    assert len(folder.layers - measured - {layer.name for layer in history.run.skipped}) == 0
