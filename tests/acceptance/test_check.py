"""`rfav check` as a process: exit codes, files, what a project configures, and the ways to use it in CI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.acceptance.runs import ANALYZE

if TYPE_CHECKING:
    from tests.acceptance.commands import Rfav

ROOT = Path(__file__).parents[2]
CHECKPOINTS = ["check", "run", *ANALYZE[2:]]


def test_exit_codes_and_what_was_looked_at(rfav: Rfav, project: Path) -> None:
    done = rfav(project, "check", "good.h5")
    assert (done.code, done.err) == (0, "")
    assert "3 layers × 25 epochs × 200 samples: healthy" in done.out
    done = rfav(project, "check", "bad.h5")
    assert (done.code, done.err) == (1, "")
    assert "RFAV001" in done.out
    assert rfav(project, "check", "good.h5", "bad.h5").code == 1
    assert rfav(project, "check", "good.h5", "--last-epoch", "99").code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.h5"], "none.h5"),
        (["good.h5", "run"], "good.h5"),
        (["run"], "--probe"),
        (["good.h5", "--min-accuracy", "nan"], "--min-accuracy"),
        (["good.h5", "--min-entropy", "fc*=many"], "--min-entropy"),
        (["good.h5", "--baseline", "none.json"], "none.json"),
        (["good.h5", "--allow", "RFAV002"], "--allow"),
        (["good.h5", "--allow", "RFAV002 until soon: x"], "soon"),
        (["good.h5", "--fail-on", "collapse"], "--fail-on"),
        (["good.h5", "--output", "pdf:x"], "pdf"),
        (["good.h5", "--output", "json", "--output", "sarif"], "--output"),
        (["good.h5", "--output", "sarif:no/where"], "no/where"),
        (["good.h5", "--explain", "RFAV999"], "RFAV999"),
        (["bad.h5", "--exit-zero", "--min-accuracy", "2"], "--min-accuracy"),
    ],
)
def test_what_cannot_be_done(rfav: Rfav, project: Path, arguments: list[str], said: str) -> None:
    before = {path.name for path in project.iterdir()}
    done = rfav(project, "check", *arguments)
    assert (done.code, done.out) == (2, ""), done
    assert said in done.err
    assert len(done.err.splitlines()) <= 2
    assert {path.name for path in project.iterdir()} == before


def test_several_formats_at_once(rfav: Rfav, project: Path) -> None:
    done = rfav(project, "check", "bad.h5", "--output", "sarif:out.sarif", "-o", "junit:out.xml", "-o", "json")
    assert done.code == 1
    assert done.json()["exit_code"] == 1
    assert json.loads((project / "out.sarif").read_text())["version"] == "2.1.0"
    assert (project / "out.xml").read_text().startswith("<?xml")


def test_exit_zero_is_loud(rfav: Rfav, project: Path) -> None:
    done = rfav(project, "check", "bad.h5", "--exit-zero")
    assert done.code == 0
    assert "exit code would be 1" in done.err


def test_a_baseline_is_written_of_a_good_run_alone(rfav: Rfav, project: Path) -> None:
    assert rfav(project, "check", "bad.h5", "--write-baseline", "b.json").code == 1
    assert not (project / "b.json").exists()
    assert rfav(project, "check", "good.h5", "--write-baseline", "b.json").code == 0
    assert rfav(project, "check", "good.h5", "--baseline", "b.json").code == 0
    done = rfav(project, "check", "bad.h5", "--baseline", "b.json", "--fail-on", "none", "-f", "json")
    assert {each["rule"] for each in done.json()["findings"]} == {"RFAV009"}
    assert rfav(project, "check", "good.h5", "--baseline", "good.h5", "--final").code == 0


def test_the_policy_of_a_project(rfav: Rfav, project: Path) -> None:
    (project / ".git").mkdir()
    (project / "pyproject.toml").write_text(
        "[project]\nname = 'x'\n\n[tool.rfav.check]\nfail-on = ['collapsed']\n\n[tool.rfav.check.min-entropy]\n"
        "'fc*' = 0.99\n\n[[tool.rfav.check.allow]]\nrule = 'RFAV002'\nreason = 'known'\nexpires = 2999-12-31\n"
    )
    done = rfav(project, "check", "bad.h5", "-f", "sarif")
    assert done.code == 1
    (result,) = done.json()["runs"][0]["results"]
    assert result["ruleId"] == "RFAV005"
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("pyproject.toml", 7)


def test_checkpoints_are_analysed_once(rfav: Rfav, folder: Path) -> None:
    unsure = (*CHECKPOINTS, "--fewest", "3", "--allow", "RFAV111 until 2999-01-01: five epochs do not decide")
    first = rfav(folder, *unsure)
    assert first.code in {0, 1}, first.err
    assert "5/5 epoch 3" in first.err
    again = rfav(folder, *unsure)
    assert (again.code, again.out) == (first.code, first.out)
    assert "epoch 3 " not in again.err
    alone = ["check", "run/epoch_003.pt", *CHECKPOINTS[2:], "--final", "--min-accuracy"]
    assert rfav(folder, *alone, "0").code == 0
    assert rfav(folder, *alone, "1").code == 1
    (folder / "run" / "epoch_002.pt").write_bytes(b"no checkpoint")
    assert rfav(folder, *CHECKPOINTS, "--fewest", "3").code == 2


def test_the_other_ways_call_what_there_is(rfav: Rfav, project: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    stages: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    job = yaml.safe_load((ROOT / "examples" / "gitlab-ci.yml").read_text(encoding="utf-8"))["rfav-check"]
    (project / "good.h5").rename(project / "rfav.h5")
    commands = [
        f"{hook['entry']} rfav.h5",
        stages["check"]["cmd"],
        job["script"][0].replace('"$RFAV_STORE"', "rfav.h5"),
    ]
    for command in commands:
        done = rfav(project, *command.split()[1:])
        assert done.code == 0, done.err
    (metrics,) = stages["check"]["metrics"]
    files = {*metrics, *job["artifacts"]["reports"].values()}
    assert {name for name in files if not (project / name).exists()} == set()


def test_mlflow_gets_the_figures(project: Path) -> None:
    pytest.importorskip("mlflow")
    code = (
        "import sys, mlflow\nsys.path.insert(0, sys.argv[1])\nfrom mlflow_log import log_store\n"
        "run = mlflow.tracking.MlflowClient().get_run(log_store('bad.h5'))\n"
        "names = mlflow.tracking.MlflowClient().list_artifacts(run.info.run_id)\n"
        "points = mlflow.tracking.MlflowClient().get_metric_history(run.info.run_id, 'entropy/fc1')\n"
        "print(run.data.tags['rfav.state'], len(points), sorted(each.path for each in names))"
    )
    tracking = {"MLFLOW_TRACKING_URI": (project / "mlruns").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "examples")],
        cwd=project,
        env=os.environ | tracking | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "overfitting 25 ['rfav-check.json', 'rfav-check.md']\n", done.stderr
