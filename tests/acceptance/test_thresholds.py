"""Thresholds as a user sets them: on the command line, and in their project."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.options.thresholds import Thresholds
from tests.acceptance.test_recommend import write_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

JUDGING = ("show", "recommend")
HIGH = "100"
"""A rise of the loss that no run has."""


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overfitted")
    write_store(folder / "rfav.h5", overfits=True)
    return folder / "rfav.h5"


def state(done: Any) -> str:
    return str(done.json()["run"]["state"])


def test_the_command_line_moves_the_verdict(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    assert state(rfav(tmp_path, "show", overfitted, "--format", "json")) == "overfitting"
    done = rfav(tmp_path, "show", overfitted, "--format", "json", "--rise", HIGH, "--sparse", "1")
    assert state(done) == "healthy"
    assert {layer["state"] for layer in done.json()["layers"]} == {"stable"}
    assert (
        rfav(tmp_path, "recommend", overfitted, "--format", "json", "--rise", HIGH, "--sparse", "1").json()["layers"]
        == []
    )


def test_keys_of_a_project_hold_for_every_command_that_judges(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(f"[tool.rfav]\nrise = {HIGH}\nsparse = 1\n")
    assert state(rfav(tmp_path, "show", overfitted, "--format", "json")) == "healthy"
    assert rfav(tmp_path, "recommend", overfitted, "--format", "json").json()["layers"] == []
    given = str(Thresholds.rise)
    assert state(rfav(tmp_path, "show", overfitted, "--format", "json", "--rise", given)) == "overfitting"
    project.write_text(f"[tool.rfav.recommend]\nrise = {HIGH}\nsparse = 1\n")
    assert state(rfav(tmp_path, "show", overfitted, "--format", "json")) == "overfitting"


def test_every_threshold_is_a_key(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    before = rfav(tmp_path, "show", overfitted)
    keys = "".join(f"{each.name.replace('_', '-')} = {each.default}\n" for each in fields(Thresholds))
    (tmp_path / "pyproject.toml").write_text(f"[tool.rfav]\n{keys}")
    assert rfav(tmp_path, "show", overfitted).out == before.out


@pytest.mark.parametrize("command", JUDGING)
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "2e9", "many", "''", "true", "[1, 2]"])
def test_what_is_out_of_range_is_wrong_usage(
    rfav: Rfav, overfitted: Path, tmp_path: Path, command: str, value: str
) -> None:
    written = f"'{value}'" if value == "many" else value
    (tmp_path / "pyproject.toml").write_text(f"[tool.rfav]\nsmoothing = {written}\n")
    done = rfav(tmp_path, command, overfitted)
    assert (done.code, done.out) == (2, "")
    assert "--smoothing" in done.err
    assert "[tool.rfav] of pyproject.toml" in done.err
    assert "number from 0 to" in done.err


@pytest.mark.parametrize("command", JUDGING)
def test_wrong_on_the_command_line(rfav: Rfav, overfitted: Path, tmp_path: Path, command: str) -> None:
    done = rfav(tmp_path, command, overfitted, "--certainty", "0.2")
    assert (done.code, done.out) == (2, "")
    assert "--certainty" in done.err
    assert "0.5 to 1" in done.err
