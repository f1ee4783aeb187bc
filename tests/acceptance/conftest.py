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


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `bad.h5`, of a run that overfits, and `good.h5`, not to be changed."""
    from tests.commands.judged import write_judged

    folder = tmp_path_factory.mktemp("judged")
    for name, overfits in (("bad", True), ("good", False)):
        write_judged(folder / name, overfits=overfits).rename(folder / f"{name}.h5")
    return folder


@pytest.fixture
def project(judged: Path, tmp_path: Path) -> Path:
    """A folder of this test's own with both stores."""
    for name in ("bad.h5", "good.h5"):
        shutil.copy(judged / name, tmp_path / name)
    return tmp_path
