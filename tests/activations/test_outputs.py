from dataclasses import dataclass
from typing import Any

import pytest
import torch

from rfav_cli.activations.outputs import (
    are_class_scores,
    are_probabilities,
    describe_choice,
    predicted_classes,
    select_output,
)
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


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_row_of_floating_point_a_sample_is_one_of_class_scores(dtype):
    assert are_class_scores(torch.zeros(5, 2, dtype=dtype), 5)


@pytest.mark.parametrize(
    "output",
    [torch.zeros(5), torch.zeros(5, 1), torch.zeros(5, 3, 2), torch.zeros(4, 3), torch.zeros(5, 3, dtype=torch.int64)],
)
def test_other_outputs_are_no_class_scores(output):
    assert not are_class_scores(output, 5)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0.2, 0.8], [1.0, 0.0]], True),
        ([[0.2, 0.8004], [1.0, 0.0]], True),
        ([[0.2, 0.8], [torch.nan, 0.4]], True),
        ([[0.2, 0.9], [torch.nan, 0.4]], False),
        ([[-0.2, 1.2], [1.0, 0.0]], False),
        ([[0.0, 0.0], [1.0, 0.0]], False),
        ([[torch.inf, 0.0], [1.0, 0.0]], False),
    ],
)
def test_probabilities_are_told_by_their_sum(rows, expected):
    assert are_probabilities(torch.tensor(rows)) is expected


def test_the_class_is_that_of_the_highest_score():
    scores = torch.tensor([[1.0, 3.0, 3.0], [-torch.inf, -1e9, -2e9], [9.0, torch.nan, 0.0], [0.0, 1.0, torch.inf]])
    assert predicted_classes(scores).tolist() == [1, 1, -1, 2]
    assert predicted_classes(scores).dtype == torch.int32
