"""What a new user is shown: help, version, shell completion, and what they mistyped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import typer

import rfav_cli
from rfav_cli.cli import app
from rfav_cli.options import Analyze, options_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

group: Any = typer.main.get_command(app)
OPTIONS = {
    name: {option for param in command.params for option in param.opts if option.startswith("--")}
    for name, command in group.commands.items()
}


@pytest.mark.parametrize("columns", ["60", "80", "140"])
@pytest.mark.parametrize("command", OPTIONS)
def test_help_lists_every_option_and_fits(rfav: Rfav, folder: Path, command: str, columns: str) -> None:
    done = rfav(folder, command, "--help", environment={"COLUMNS": columns, "TERMINAL_WIDTH": columns})
    assert (done.code, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= int(columns)
    assert OPTIONS[command] <= {*re.findall(r"--[a-z-]+", done.out)}
    assert "…" not in done.out  # how words are cut for want of room


@pytest.mark.parametrize("name", ["centering", "device", "layout"])
def test_help_names_every_choice(rfav: Rfav, folder: Path, name: str) -> None:
    words = re.findall(r"\w+", rfav(folder, "analyze", "--help").out)
    choices = dict(options_of(Analyze))[name].names_of_choices()
    assert len(choices) > 1
    assert {*choices} <= {*words}


def test_help_lists_every_command(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder, "--help")
    assert (done.code, done.err) == (0, "")
    assert {*re.findall(r"^│ (\w+)  ", done.out, re.MULTILINE)} == set(OPTIONS)
    assert "[tool.rfav]" in done.out


def test_nothing_gives_help_but_no_success(rfav: Rfav, folder: Path) -> None:
    done = rfav(folder)
    assert done.code == 2
    assert "Usage: rfav" in done.out + done.err
    assert "error" not in done.err


def test_version(rfav: Rfav, folder: Path) -> None:
    assert rfav(folder, "--version").out == f"rfav {rfav_cli.__version__}\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("rfav an", {"analyze"}),
        ("rfav ", set(OPTIONS)),
        ("rfav analyze --fre", {"--fresh"}),
        ("rfav show --format ", {"table", "json", "csv", "markdown"}),
    ],
)
def test_the_shell_completes(rfav: Rfav, folder: Path, typed: str, offered: set[str]) -> None:
    environment = {
        "_RFAV_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    done = rfav(folder, environment=environment)
    assert (done.code, done.err) == (0, "")
    assert {*done.out.split()} == offered


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shwo"], "Did you mean 'show'"),
        (["analyze", "run", "--prob", "x"], "--probe"),
        (["analyze"], "CHECKPOINTS"),
        (["show", "a.h5", "b.h5"], "b.h5"),
    ],
)
def test_wrong_usage_says_what_is_meant(rfav: Rfav, folder: Path, arguments: list[str], said: str) -> None:
    done = rfav(folder, *arguments)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2
    assert said in done.err
    assert "--help`" in done.err
