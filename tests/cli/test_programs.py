from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli import isolation
from rfav_cli.cli import programs
from rfav_cli.isolation import ProgramFoundError
from rfav_cli.options import Analyze, Calibrate, Layers, Pack, Watch
from tests.cli.test_quick_look import SCRIPT, STATE, archive

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.options import Options


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> isolation._Process:
    fresh = isolation._Process(role="command")
    monkeypatch.setattr(isolation, "_process", fresh)
    return fresh


RANKS = {"TORCHELASTIC_RUN_ID": "r", "RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}


def of(place: Path) -> list[Options]:
    return [
        Analyze((place,), probe="p.npz"),
        Watch(place, probe="p.npz"),
        Layers(place),
        Calibrate(place),
    ]


def test_a_command_with_programs_takes_a_child(process: isolation._Process, tmp_path: Path) -> None:
    state, script = archive(tmp_path / "state.pt", STATE), archive(tmp_path / "script.pt", SCRIPT)
    for options in of(state):
        programs.settle(options)
    for options in of(script):
        with pytest.raises(ProgramFoundError):
            programs.settle(options)
    process.role = "caller"
    for options in of(script):
        programs.settle(options)


def test_so_do_ranks_whose_files_are_elsewhere(process: isolation._Process, monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.role == "command"
    options = Analyze(("s3://bucket/run",), probe="p.npz")
    programs.settle(options)
    for name, value in RANKS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProgramFoundError):
        programs.settle(options)


def test_others_are_left_alone(process: isolation._Process, tmp_path: Path) -> None:
    assert process.role == "command"
    programs.settle(Pack(archive(tmp_path / "script.pt", SCRIPT)))


def test_a_child_is_told_its_limits(process: isolation._Process, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(isolation, "limit", lambda *limits, goes_on: told.append((*limits, goes_on)))
    process.role = "child"
    options = Analyze(("run",), probe="p.npz", time_limit=3, memory_limit="2GiB")
    programs.settle(options)
    programs.settle(replace(options, skip_bad=True))
    programs.settle(Watch("run", probe="p.npz"))
    assert told == [(3, 2**31, False), (3, 2**31, True), (None, None, True)]
