"""`rfav` as the shell starts it, with nothing prepared: few, since each takes seconds."""

from __future__ import annotations

import importlib.metadata
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rfav_cli
from tests.acceptance.commands import ENVIRONMENT, ROOT
from tests.acceptance.runs import ANALYZE
from tests.acceptance.stores import assert_same_figures

MODULE = [sys.executable, "-P", "-m", "rfav_cli"] if sys.version_info >= (3, 11) else [sys.executable, "-m", "rfav_cli"]
"""Without the current folder on the path, as the script `rfav` is started."""


def run(folder: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = ENVIRONMENT | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120, **more
    )


def test_the_module_tells_its_version(tmp_path: Path) -> None:
    done = run(tmp_path, *MODULE, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"rfav {rfav_cli.__version__}\n", "")


def test_the_script_is_the_same_program() -> None:
    from rfav_cli.cli import main

    scripts = importlib.metadata.entry_points(group="console_scripts", name="rfav")
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'rfav = "rfav_cli.cli:main"' in declared
    assert all(script.load() is main for script in scripts)


def test_a_run_from_the_shell(folder: Path, measured: Path) -> None:
    """The factory is found in the current folder, the figures are the fork server's, and torch's compiler stays out."""
    code = "import sys; from rfav_cli.cli import run; r = run(sys.argv[1:]); print('torch._dynamo' in sys.modules, r)"
    isolated = ["-P"] if sys.version_info >= (3, 11) else []
    done = run(folder, sys.executable, *isolated, "-W", "error", "-c", code, *ANALYZE)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "rfav.h5: 5 epochs, 3 layers, 120 samples\nFalse 0\n"
    assert done.stderr.count("/5 epoch") == 5
    assert_same_figures(folder / "rfav.h5", measured / "rfav.h5")


def test_a_reader_that_goes_away(measured: Path) -> None:
    done = run(measured, "bash", "-c", f"{shlex.join(MODULE)} show --format json | head -1; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("{\n0\n", "")


def test_streams_that_are_closed(measured: Path) -> None:
    unsure = shlex.quote("RFAV111 until 2999-01-01: five epochs do not decide")
    command = f"{shlex.join(MODULE)} check --fewest 3 --min-accuracy 1 --allow {unsure}"
    done = run(measured, "bash", "-c", f"{command} >&-; echo $? >&2")
    assert (done.stdout, done.stderr) == ("", "1\n")
    done = run(measured, "bash", "-c", f"{shlex.join(MODULE)} show none.h5 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_an_error_leaves_the_interpreter_with_2(tmp_path: Path) -> None:
    done = run(tmp_path, *MODULE, "show")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: rfav.h5: there is no such store\nMake it with `rfav analyze`.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_an_error(measured: Path) -> None:
    done = run(measured, "bash", "-c", f"{shlex.join(MODULE)} show > /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("error: OSError: No space left on device\n")
    assert "Traceback" not in done.stderr
