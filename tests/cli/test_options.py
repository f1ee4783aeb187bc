from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from rfav_cli.cli.options import takes
from rfav_cli.options import Options, Thresholds, group, option

SEEN: list[tuple[str, Thresholds]] = []
app = typer.Typer(pretty_exceptions_enable=False)


@group
class Words(Options):
    word: str = option(default="nothing", help="A word.")


@app.command()
@takes(Words, Thresholds)
def judge(words: Words, thresholds: Thresholds) -> None:
    """What a command that judges looks like."""
    SEEN.append((words.word, thresholds))


def run(*arguments: str, **more: Any) -> tuple[str, Thresholds] | str:
    """What the command saw, or what it said in place of that."""
    SEEN.clear()
    result = CliRunner().invoke(app, arguments, **more)
    if SEEN:
        assert result.exit_code == 0
        return SEEN[0]
    assert result.exit_code == 2, result.output
    return " ".join(result.output.replace("│", " ").split())


def spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def test_defaults_are_those_of_the_thresholds() -> None:
    assert run() == ("nothing", Thresholds())


@pytest.mark.parametrize("field", fields(Thresholds), ids=lambda field: field.name)
def test_each_threshold_is_an_option_of_its_type(field: Any) -> None:
    value = field.metadata["option"].high
    seen = run("--word", "x", spelled(field.name), repr(type(field.default)(value)))
    assert seen == ("x", Thresholds(**{field.name: value}))
    assert type(getattr(seen[1], field.name)) is type(field.default)


@pytest.mark.parametrize("field", fields(Thresholds), ids=lambda field: field.name)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "many", "", "beyond", "below"])
def test_what_is_no_number_within_its_range_is_wrong_usage(field: Any, value: str) -> None:
    given = {"beyond": field.metadata["option"].high + 1, "below": field.metadata["option"].low - 1}.get(value, value)
    said = run(spelled(field.name), str(given))
    assert spelled(field.name) in said
    assert f"{field.metadata['option'].range()}" in said


@pytest.mark.parametrize("field", fields(Thresholds), ids=lambda field: field.name)
def test_a_project_can_set_each_but_not_to_a_bool(field: Any) -> None:
    given = str(type(field.default)(field.metadata["option"].low))
    assert run(default_map={field.name: given}) == ("nothing", Thresholds(**{field.name: field.metadata["option"].low}))
    assert "True is no" in run(default_map={field.name: True})


def test_a_number_of_epochs_is_whole() -> None:
    assert "'5.5' is no whole number" in run("--fewest", "5.5")


def test_the_command_has_the_thresholds_in_place_of_their_record() -> None:
    assert set(inspect.signature(judge).parameters) == {
        "context",
        "word",
        *(field.name for field in fields(Thresholds)),
    }
    assert "(epochs, from 0 to" in CliRunner().invoke(app, ["--help"]).output


def test_a_text_is_no_bool_and_no_table() -> None:
    assert "true is no text" in run(default_map={"word": True})
    assert "{'a': 1} is no text" in run(default_map={"word": {"a": 1}})
    assert run(default_map={"word": "3"}) == ("3", Thresholds())
