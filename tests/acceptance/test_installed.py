"""rfav as others install it: the steps of the action as a runner takes them, and what they bring to pytest."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.acceptance.commands import ENVIRONMENT, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INSTALL, CHECK = ACTION["runs"]["steps"]


def run_step(
    step: Mapping[str, Any], folder: Path, environment: Mapping[str, str], **inputs: str
) -> subprocess.CompletedProcess[str]:
    """Run a step of the action with its inputs, as GitHub's runner does."""
    assert step["shell"] == "bash"
    given = {name: each["default"] for name, each in ACTION["inputs"].items()} | inputs
    own = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], value)
        for name, value in step.get("env", {}).items()
    }
    assert "${{" not in "".join([step["run"], *own.values()])
    script = folder / "step.sh"
    script.write_text(step["run"])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=folder,
        env={**environment, **own},
        capture_output=True,
        text=True,
        check=False,
    )


def told_to(folder: Path) -> dict[str, str]:
    """Where the runner reads what a step tells it."""
    return {name: str(folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment after the first step, which has installed this checkout into a folder.

    What a runner fetches besides is that of the tests themselves: the libraries that rfav needs, and what builds it.
    """
    pytest.importorskip("hatchling", reason="what builds rfav is not installed")
    pytest.importorskip("pip", reason="there is no pip")
    folder = tmp_path_factory.mktemp("runner")
    python = folder / "bin" / "python"
    python.parent.mkdir()
    options = ["--no-deps", "--no-build-isolation", "--target", str(folder / "site")]
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@" {shlex.join(options)}\n')
    python.chmod(0o755)
    environment = ENVIRONMENT | {
        "PATH": f"{python.parent}:{folder / 'site' / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "site"),
        "HOME": str(folder),
        "GITHUB_ACTION_PATH": str(ROOT),
        "RUNNER_TEMP": str(folder),
    }
    done = run_step(INSTALL, folder, environment)
    assert done.returncode == 0, done.stderr
    return environment


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 1), ("none", 2)])
def test_the_steps_of_the_action(installed: dict[str, str], project: Path, name: str, code: int) -> None:
    (project / "rfav.sarif").write_text("of an earlier step")
    done = run_step(CHECK, project, installed | told_to(project), paths=f"{name}.h5", args="--fail-on overfitting")
    assert done.returncode == code, done.stderr
    assert done.stdout.count("::error ") == (code == 1)
    assert (project / "github_output").read_text() == f"exit-code={code}\n"
    summary = (project / "github_step_summary").read_text()
    assert summary.startswith(f"## rfav check: {('clean', 'flagged', 'no verdict')[code]}\n")
    assert (project / "rfav.sarif").exists() == (code != 2)
    assert code == 2 or json.loads((project / "rfav.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize(("name", "code"), [("healthy", 0), ("overfit", 1)])
def test_the_action_on_the_sample_series(installed: dict[str, str], tmp_path: Path, name: str, code: int) -> None:
    samples = ROOT / "sample_models"
    shutil.copytree(samples / name, tmp_path / name)
    options = f"--model {samples}/net.py:make_net --probe {samples}/probe.npz --probe-size 100"
    done = run_step(CHECK, tmp_path, installed | told_to(tmp_path), paths=name, args=options)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "github_output").read_text() == f"exit-code={code}\n"
    assert "5 layers × 29 epochs × 100 samples" in done.stdout


def test_the_example_uses_what_the_action_has() -> None:
    workflow = yaml.safe_load((ROOT / "examples" / "github.yml").read_text(encoding="utf-8"))
    *_, used, upload = workflow["jobs"]["rfav-check"]["steps"]
    assert {*used["with"]} <= {*ACTION["inputs"]}
    assert upload["with"]["sarif_file"] == ACTION["inputs"]["sarif"]["default"]


def test_the_plug_in_of_pytest(installed: dict[str, str], project: Path) -> None:
    (project / "test_models.py").write_text(
        "import pytest\n"
        "def test_good(assert_healthy): assert_healthy('good.h5', fail_on=('overfitting',))\n"
        "def test_bad(assert_healthy): assert_healthy('bad.h5')\n"
        "@pytest.mark.healthy_store('good.h5')\ndef test_marked(): pass\n"
        "@pytest.mark.healthy_store('none.h5')\ndef test_missing(): pass\n"
        "def test_hostile(assert_healthy): assert_healthy('no' + chr(27) + '[2J.h5')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--strict-markers", "-p", "no:cacheprovider"],
        cwd=project,
        env=installed | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"plugins: .*rfav-cli-", done.stdout)
    assert "3 failed, 2 passed" in done.stdout
    assert "bad.h5: 3 layers × 25 epochs × 200 samples: overfitting\n  RFAV001 overfitting: " in done.stdout
    assert done.stdout.count("none.h5: there is no such store\nMake it with `rfav analyze`.\n") == 1
    assert "no\\x1b[2J.h5: there is no such store\n" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_the_hook_of_pre_commit(installed: dict[str, str], project: Path) -> None:
    """With rfav as it is installed: an environment of the hook's own would need all of torch."""
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    someone = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = installed | someone | {"PRE_COMMIT_HOME": str(project / "cache")}

    def call(*command: str, folder: Path = project) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    hooks = project / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    for git in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "the hook"]):
        assert call("git", *git, folder=hooks).returncode == 0
    assert call("git", "init", "-q").returncode == 0
    revision = call("git", "rev-parse", "HEAD", folder=hooks).stdout.strip()
    for name, code in (("good", 0), ("bad", 1), ("none", 2)):
        hook = {"id": "rfav-check", "language": "system", "args": [f"{name}.h5"]}
        config = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": [hook]}]}
        (project / "hooks.yaml").write_text(yaml.safe_dump(config))
        done = call(sys.executable, "-m", "pre_commit", "run", "--config", "hooks.yaml")
        assert done.returncode == (code != 0), done.stdout + done.stderr
        assert (f"exit code: {code}\n" in done.stdout) == (code != 0)
        assert (f"{name}.h5: " in done.stdout) == (code != 0)
