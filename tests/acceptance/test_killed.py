"""Commands that are killed while they write a file: what they leave is gone after the next."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.commands import ENVIRONMENT, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

KILLED = """
import os, signal, sys
from rfav_cli import cli
from rfav_cli.files import atomic

atomic.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
cli.run(sys.argv[1:])
"""

TRAIN = ["train", "--data", "probe.npz", "--model", "tiny_net:make_net", "--out", "out", "--epochs", "1"]
COMMANDS = [
    ("report", "bad.h5", "--out", "out/report.html"),
    ("plot", "bad.h5", "--out", "out/plot.svg"),
    ("recommend", "bad.h5", "--out", "out/recipe.toml"),
    ("check", "bad.h5", "--output", "json:out/found.json", "--output", "sarif:out/found.sarif"),
    ("check", "good.h5", "--write-baseline", "out/baseline.json"),
]


def kill(folder: Path, *arguments: str) -> None:
    """Run a command until it has written its first file, but not synchronised it."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        timeout=120,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".tmp*")]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[::2]))
def test_a_killed_command_leaves_nothing_for_long(rfav: Rfav, project: Path, arguments: tuple[str, ...]) -> None:
    (project / "out").mkdir()
    kill(project, *arguments)
    assert len(left(project / "out")) == 1
    done = rfav(project, *arguments)
    assert done.code in (0, 1), done.err
    assert left(project) == []
    assert {path.name for path in (project / "out").iterdir()} == {
        argument.rpartition("/")[2] for argument in arguments if "/" in argument
    }


def test_nor_does_a_killed_training(rfav: Rfav, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "project")
    kill(folder, *TRAIN)
    assert len(left(folder / "out")) == 1
    done = rfav(folder, *TRAIN)
    assert done.code == 0, done.err
    assert left(folder) == []
