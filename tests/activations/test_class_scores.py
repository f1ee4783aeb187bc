from dataclasses import dataclass
from typing import Any

import pytest
import torch

from rfav_cli.activations.class_scores import describe_choice, select_output
from rfav_cli.errors import ModelError

A, B = torch.zeros(2, 3), torch.ones(2, 4)


@dataclass
class Answer:
    loss: Any
    logits: Any
    hidden: Any = None


@pytest.mark.parametrize(
    ("output", "choice", "expected"),
    [
        (A, "", A),
        ((A, B), "", A),
        ([A, B], "1", B),
        ({"logits": A, "features": B}, "", A),
        ({"logits": A, "features": B}, "features", B),
        ({"loss": None, "logits": B}, "", B),
        (((A,), B), "", A),
        ({0: A, 1: B}, "1", B),
        (Answer(None, B), "", B),
        (Answer(A, B, (B, A)), "logits", B),
    ],
)
def test_the_tensor_that_is_meant(output, choice, expected):
    assert select_output(output, choice) is expected


@pytest.mark.parametrize(
    ("output", "choice", "words"),
    [
        ((A, B), "2", "0: 2x3, 1: 2x4"),
        ({"logits": A}, "aux", "logits: 2x3"),
        (A, "0", "one tensor"),
        (Answer(None, A), "aux", "loss: NoneType, logits: 2x3"),
    ],
)
def test_a_choice_that_is_not_there_is_an_error_that_lists_them(output, choice, words):
    with pytest.raises(ModelError, match="--output") as raised:
        select_output(output, choice)
    assert words in raised.value.remedy


@pytest.mark.parametrize("output", [None, "text", {}, {"a": None}, [], Answer, Answer(None, None)])
def test_no_tensor_is_an_error(output):
    with pytest.raises(ModelError, match="no tensor"):
        select_output(output)


def test_a_choice_that_the_user_did_not_make_is_said():
    assert "taken of logits" in describe_choice({"loss": None, "logits": A, "hidden": B})
    assert describe_choice((A, B), "0") == ""
    assert describe_choice(A) == ""
