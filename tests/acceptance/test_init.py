"""`rfav init` in a folder of a user's own, and the command that it says to type next."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A user's folder with a run that was never measured, and no settings."""
    return shutil.copytree(finished, tmp_path / "project")


def test_the_command_that_it_names_works(rfav: Rfav, project: Path) -> None:
    done = rfav(project, "init", "run", "--model", "tiny_net.py:make_net")
    assert done.code == 0, done.err
    assert "wrote pyproject.toml" in done.out
    command = done.out.splitlines()[-1].strip()
    assert rfav(project, *shlex.split(command)[1:]).code == 0
    again = rfav(project, "init", "run")  # the settings that it wrote hold for itself, too
    assert again.code == 0
    assert "has these settings already" in again.out
    other = rfav(project, "init", "run", "--model", "tiny_net.py:make_two_heads")
    assert other.code == 2
    assert "has [tool.rfav] already" in other.err


def test_what_cannot_be_told_ends_with_the_option_to_give(rfav: Rfav, project: Path) -> None:
    for path in project.glob("*.py"):
        path.unlink()
    done = rfav(project, "init", "run", "--probe", "probe.npz")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("Give --model ")
    assert "none was recognised" in done.out
    assert not (project / "pyproject.toml").exists()
