"""A user's folder with a run in it, and `rfav` to run there."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.commands import Rfav

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # no fork, no pseudo-terminals


@pytest.fixture(scope="session")
def rfav() -> Iterator[Rfav]:
    from tests.acceptance.commands import Rfav

    server = Rfav()
    yield server
    server.close()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder as it is made once; tests that change it take a copy, `folder`."""
    from tests.acceptance.runs import write_run

    made = tmp_path_factory.mktemp("user") / "project"
    write_run(made)
    return made


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A user's folder of this test's own: `tiny_net.py`, `run/epoch_*.pt`, `probe.npz`."""
    return shutil.copytree(finished, tmp_path / "project")


@pytest.fixture(scope="session")
def measured(finished: Path, rfav: Rfav, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose run has been measured without any disturbance, not to be changed."""
    from tests.acceptance.runs import ANALYZE

    folder = shutil.copytree(finished, tmp_path_factory.mktemp("measured") / "project")
    done = rfav(folder, *ANALYZE)
    assert done.code == 0, done.err
    return folder
