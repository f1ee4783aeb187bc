from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.activations.missing_arguments import asked_for, stored_otherwise
from rfav_cli.activations.specs import _parse_arguments
from rfav_cli.records import Payload

if TYPE_CHECKING:
    from collections.abc import Mapping


FUNCTION = ", or write a function that makes it: path/to/file.py:function."


def holding(**arguments: Mapping[str, Any]) -> Payload:
    return Payload("eager", Path("run/epoch_1.pt"), [], arguments=arguments)


def test_without_a_checkpoint_the_names_are_told() -> None:
    error = asked_for("nets:make", ["width", "classes"], None)
    assert error.what == "--model nets:make: it needs width and classes, which the command does not give"
    assert error.remedy == f"Add --model-arg width=… --model-arg classes=…{FUNCTION}"


def test_values_come_from_the_file_the_first_of_its_places_first() -> None:
    payload = holding(model_args={"width": 8}, args={"width": 9, "classes": 10, "lr": 0.1})
    error = asked_for("nets:make", ["width", "classes", "depth"], payload)
    assert error.remedy == (
        "Add --model-arg width=8 --model-arg classes=10 --model-arg depth=… (of the file's model_args and args)"
        + FUNCTION
    )


@pytest.mark.parametrize(
    "value", [5, -1.5, True, None, "relu", "5", "None", "two words", "it's", "a;b $(c)", [1, 2], (3, 4), {"a": [None]}]
)
def test_what_is_suggested_is_read_as_the_value_that_the_file_has(value: Any) -> None:
    remedy = asked_for("nets:make", ["width"], holding(args={"width": value})).remedy
    words = shlex.split(remedy.removeprefix("Add ").removesuffix(" (of the file's args)."))
    assert words[0] == "--model-arg"
    assert _parse_arguments(words[1:]) == {"width": value}


@pytest.mark.parametrize("value", ["\x1b[31m", "a\nb", "x" * 1000, list(range(100))])
def test_what_cannot_be_typed_is_not_suggested(value: Any) -> None:
    assert (
        asked_for("nets:make", ["width"], holding(args={"width": value})).remedy == f"Add --model-arg width=…{FUNCTION}"
    )


def test_only_what_differs_from_what_the_factory_takes_is_added() -> None:
    payload = holding(model_args={"width": 8, "depth": 2, "act": "gelu"}, args={"width": 9})
    taken = {"width": 4, "depth": 2, "act": "relu", "norm": None, "make": print}
    words = "Add --model-arg width=8 --model-arg act=gelu (of the file's model_args)."
    assert stored_otherwise(taken, payload) == words
    assert stored_otherwise({"depth": 2}, payload) == ""


def test_one_argument_for_all_takes_a_function() -> None:
    error = asked_for("nets:make", ["cfg"], holding(config={"width": 8}))
    assert "path/to/file.py:function" in error.remedy
    assert error.remedy.endswith("values for it in its config.")
    assert "--model-arg" not in error.remedy
