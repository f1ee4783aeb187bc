"""The user's command at a collapse."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from rfav_cli.commands.on_collapse import CollapseCommand, is_collapse
from rfav_cli.errors import UsageError
from rfav_cli.records import LayerFinding, RunFinding, Verdict
from rfav_cli.records.verdict import RunState

PATIENCE = 30.0
LAYERS = (LayerFinding("conv4", "collapsed"), LayerFinding("fc1", "stable"), LayerFinding("a $(x)\n,b\0é", "collapsed"))
VERDICT = Verdict(RunFinding("overfitting", "because"), LAYERS)


def outcome(command):
    until = time.monotonic() + PATIENCE
    while command.runs:
        assert time.monotonic() < until
        time.sleep(0.002)
    return command.outcome()


def test_it_is_told_what_collapsed_by_the_environment(tmp_path):
    command = CollapseCommand(f"sh -c 'env > {tmp_path}/told; echo $0' '$HOME'")
    assert "started (process" in command.start(Path("a b.h5"), 12, VERDICT)
    assert outcome(command).endswith(": done")
    told = dict(line.partition("=")[::2] for line in (tmp_path / "told").read_text().splitlines())
    assert told["RFAV_STORE"] == str(Path("a b.h5").absolute())
    assert (told["RFAV_EPOCH"], told["RFAV_STATE"]) == ("12", "overfitting")
    assert told["RFAV_LAYERS"] == "conv4,a___x___b_é"
    assert told["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("state", get_args(RunState))
def test_a_run_that_overfits_broke_or_diverged_has_collapsed_whatever_its_layers_do(state):
    stable = Verdict(RunFinding(state, "because"), (LayerFinding("conv1", "stable"),))
    assert is_collapse(stable) == (state in {"overfitting", "broken", "diverged"})
    assert is_collapse(Verdict(stable.run, LAYERS))


def test_no_shell_is_between(tmp_path):
    command = CollapseCommand(f"touch '{tmp_path}/$(echo x)' {tmp_path}/*;")
    command.start(tmp_path, 1, VERDICT)
    assert outcome(command).endswith(": done")
    assert {path.name for path in tmp_path.iterdir()} == {"$(echo x)", "*;"}


def test_it_runs_once_and_its_end_is_told_once(tmp_path):
    command = CollapseCommand(f"mkdir {tmp_path}/made")
    assert command.outcome() == ""
    assert command.start(tmp_path, 1, VERDICT)
    assert outcome(command)
    assert command.start(tmp_path, 2, VERDICT) == command.outcome() == ""


@pytest.mark.parametrize(("script", "said"), [("exit 7", "failed, exit code 7"), ("kill -9 $$", "ended by signal 9")])
def test_its_failure_is_told(tmp_path, script, said):
    command = CollapseCommand(f"sh -c '{script}'")
    command.start(tmp_path, 1, VERDICT)
    assert outcome(command).endswith(said)


def test_it_has_a_session_of_its_own_and_is_left_alone(tmp_path):
    command = CollapseCommand(
        f"{sys.executable} -c 'import os, time; print(os.getsid(0), flush=True); time.sleep(0.2)'"
    )
    assert command.left_alone() == ""
    started = command.start(tmp_path, 1, VERDICT)
    assert command.outcome() == ""
    assert started.split("process ")[1].rstrip(")") in command.left_alone()
    assert outcome(command).endswith(": done")
    assert command.left_alone() == ""


def test_a_program_that_cannot_be_started(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF, but not really")
    program.chmod(0o755)
    command = CollapseCommand(str(program))
    assert "could not be started (" in command.start(tmp_path, 1, VERDICT)
    assert command.outcome() == ""


@pytest.mark.parametrize("command", ["", " ", "sh -c 'x", "no-such-program --now", "./no-such-script.sh"])
def test_what_cannot_be_run_is_told_at_once(command):
    with pytest.raises(UsageError, match="--on-collapse") as raised:
        CollapseCommand(command)
    assert raised.value.remedy
