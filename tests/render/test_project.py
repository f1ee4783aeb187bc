"""What `rfav init` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfav_cli.records import Choice, ProjectSetup, Recognised
from rfav_cli.render.project import KINDS, MOST, made, recognised

FOUND = Recognised("runs", 3, (0, 2), "eager", ("skipped 1 file",), "epoch", (Choice("nets.py:Net", "fits"),), ())


def test_a_line_says_each_thing():
    assert recognised(FOUND).splitlines() == [
        f"checkpoints  runs: 3 checkpoints (epochs 0 to 2), {KINDS['eager']}",
        "             note: skipped 1 file",
        "net          nets.py:Net: fits",
        "samples      none was recognised",
    ]


def test_many_choices_are_cut_and_what_holds_its_net_needs_none():
    many = tuple(Choice(f"data{number}", "why") for number in range(MOST + 2))
    lines = recognised(Recognised("runs", 1, (4, 4), "torchscript", unit="step", samples=many)).splitlines()
    assert lines[0].startswith("checkpoints  runs: 1 checkpoint (step 4), TorchScript")
    assert lines[1] == "samples      data0: why"
    assert lines[-1].strip() == "and 2 more"
    assert not any(line.startswith("net") for line in lines)


@pytest.mark.parametrize("written", [True, False])
def test_the_files_and_the_next_command(written):
    text = made(ProjectSetup(FOUND, {}, {Path("pyproject.toml"): "[tool.rfav]\n"}, "rfav analyze runs", written))
    assert text.startswith("wrote pyproject.toml\n" if written else "would write pyproject.toml:\n\n[tool.rfav]\n")
    assert text.endswith("next:\n  rfav analyze runs\n")


def test_settings_that_are_there_already_are_said_to_be():
    text = made(ProjectSetup(FOUND, {}, {}, "rfav analyze runs", True))
    assert text == "pyproject.toml has these settings already\nnext:\n  rfav analyze runs\n"


def test_names_from_files_steer_no_terminal():
    assert "\x1b" not in recognised(Recognised("a\x1b[2J", 1, (0, 0), "eager", nets=(Choice("\x1b", "\x1b"),)))
