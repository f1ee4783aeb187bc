"""Which of several outputs is taken as the class scores."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from rfav_cli.activations.class_scores import choose_output, described, is_row, repeats_samples, select_output
from rfav_cli.errors import ModelError
from rfav_cli.statistics.base import are_class_scores

A, B = torch.zeros(2, 3), torch.ones(2, 4)
SAMPLES = torch.zeros(6, 3, 8, 8)


@dataclass
class Answer:
    loss: Any
    logits: Any
    hidden: Any = None


Heads = namedtuple("Heads", "logits aux_logits")


def rows(width: int, seed: int = 0) -> Tensor:
    return torch.randn(6, width, generator=torch.Generator().manual_seed(seed))


TEN, OTHER, SIXTEEN, TWENTY = rows(10), rows(10, 1), rows(16), rows(20)
MAPS = torch.zeros(6, 21, 8, 8)


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
        (((A,), B), "0", A),
        (((A, B), A), "0.1", B),
        ({"head": {"aux": A, "logits": B}}, "head.logits", B),
        ({"head.logits": B, "head": A}, "head.logits", B),
        (Heads(A, B), "aux_logits", B),
        (Heads(A, B), "1", B),
        ({0: A, 1: B}, "1", B),
        (Answer(None, B), "", B),
        (Answer(A, B, (B, A)), "logits", B),
        (Answer(A, B, (B, A)), "hidden.1", A),
    ],
)
def test_the_tensor_that_is_meant(output: Any, choice: str, expected: Tensor) -> None:
    assert select_output(output, choice) is expected


@pytest.mark.parametrize(
    ("output", "choice", "words"),
    [
        ((A, B), "2", "0: 2x3, 1: 2x4"),
        (((A, B), A), "0.2", "0.0: 2x3, 0.1: 2x4, 1: 2x3"),
        ({"logits": A}, "aux", "logits: 2x3"),
        (A, "0", "one tensor"),
        (Answer(None, A), "aux", "loss: NoneType, logits: 2x3"),
    ],
)
def test_a_choice_that_is_not_there_is_an_error_that_lists_them(output: Any, choice: str, words: str) -> None:
    with pytest.raises(ModelError, match="--output") as raised:
        select_output(output, choice)
    assert words in raised.value.remedy


@pytest.mark.parametrize("output", [None, "text", {}, {"a": None}, [], Answer, Answer(None, None)])
def test_no_tensor_is_an_error(output: Any) -> None:
    for find in (select_output, lambda returned: choose_output(returned, SAMPLES)):
        with pytest.raises(ModelError, match="returns no tensor"):
            find(output)


@pytest.mark.parametrize(
    ("output", "path", "reason"),
    [
        (TEN, "", ""),
        ((SIXTEEN,), "0", ""),
        ({"features": SIXTEEN, "logits": TEN}, "logits", "the only row of scores"),
        ({"x": SIXTEEN, "logits": SIXTEEN}, "logits", "by its name"),
        (OrderedDict(loss=torch.tensor(1.0), logits=TEN, hidden_states=(SIXTEEN,)), "logits", "the only row of scores"),
        (Answer(torch.tensor(1.0), TEN, TEN), "logits", "the only row of scores"),
        (Heads(TEN, OTHER), "logits", "the only row of scores"),
        ({"student_logits": OTHER, "logits": TEN}, "logits", "by its name"),
        ({"turn_logits": rows(4), "class_logits": TEN}, "class_logits", "the only row of scores"),
        ({"turn_logits": rows(4), "digit_logits": TEN}, "digit_logits", "the only row of scores"),
        ({"wide_logits": SIXTEEN, "digit_logits": TEN}, "digit_logits", "as it is 10 wide"),
        ((TEN, SIXTEEN), "0", "as it is 10 wide"),
        ((SIXTEEN, TEN), "1", "as it is 10 wide"),
        (((SIXTEEN, TEN), TWENTY), "0.1", "as it is 10 wide"),
        ({"head": {"embedding": TEN, "scores": OTHER}}, "head.scores", "the only row of scores"),
        ((rows(4), SIXTEEN), "1", "the only row of scores"),
        ((MAPS, SIXTEEN), "1", "the only row of scores"),
        ({"aux": MAPS, "out": MAPS}, "out", "as there is no row of scores"),
        ((TEN, TEN.softmax(1)), "0", "the only row of scores"),
        ((TEN.softmax(1), TEN), "1", "the only row of scores"),
        ({"probs": TEN.softmax(1), "logits": TEN, "pred": TEN.argmax(1)}, "logits", "the only row of scores"),
        ((TEN, TEN.log_softmax(1)), "0", "the only row of scores"),
    ],
)
def test_the_scores_are_found_with_ten_classes(output: Any, path: str, reason: str) -> None:
    chosen = choose_output(output, SAMPLES, 10)
    assert (chosen.path, chosen.guessed) == (path, False)
    assert select_output(output, chosen.choice) is chosen.tensor is select_output(output, path)
    assert chosen.reason == reason
    assert not reason or f"taken of {path}, {reason}" in chosen.note


def test_the_first_tensor_needs_no_choice_and_one_that_the_user_made_is_not_said() -> None:
    assert choose_output((TEN, SIXTEEN), SAMPLES, 10).choice == ""
    assert choose_output((SIXTEEN, TEN), SAMPLES, 10).choice == "1"
    chosen = choose_output((SIXTEEN, TEN), SAMPLES, 10, "0")
    assert (chosen.path, chosen.choice, chosen.note) == ("0", "0", "")
    assert chosen.tensor is SIXTEEN


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ((TEN, OTHER), "0: 6x10, 1: 6x10: 0 and 1 fit as the class scores, equally well"),
        ((SIXTEEN, TWENTY), "0 and 1 fit"),
        ({"a": TEN, "b": OTHER, "c": rows(10, 2)}, "a, b and c fit"),
        ({"student_logits": TEN, "teacher_logits": OTHER}, "student_logits and teacher_logits fit"),
        ({"logits": SIXTEEN, "coarse": TEN}, "logits and coarse fit .*the name of one and the width of another"),
        ({"features": TEN, "loss": torch.tensor(1.0)}, "by their names none"),
        ({"embedding": SIXTEEN}, "by their names none"),
    ],
)
def test_labels_are_never_held_against_a_guess(output: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words) as raised:
        choose_output(output, SAMPLES, 10)
    assert "--output" in raised.value.remedy


@pytest.mark.parametrize(
    ("output", "path", "guessed"),
    [
        ((TEN, OTHER), "0", True),
        ((TEN, SIXTEEN), "0", True),
        ((SIXTEEN.relu(), TEN), "1", True),
        ((SIXTEEN.relu(), TEN.softmax(1)), "1", True),
        ((TEN.relu(), SIXTEEN.relu()), "0", True),
        ({"x": TEN, "scores": OTHER}, "scores", False),
        ({"features": SIXTEEN, "x": TEN}, "x", False),
        ((TEN, TEN.softmax(1)), "0", False),
    ],
)
def test_without_labels_a_guess_is_made_and_said(output: Any, path: str, guessed: bool) -> None:
    chosen = choose_output(output, SAMPLES)
    assert (chosen.path, chosen.guessed) == (path, guessed)


@pytest.mark.parametrize("recon", [torch.ones(6, 3, 8, 8), torch.ones(6, 192), torch.ones(6, 3, 7, 7)])
@pytest.mark.parametrize("classes", [0, 10])
def test_what_an_autoencoder_returns_beside_its_samples_is_no_row_of_scores(recon: Tensor, classes: int) -> None:
    chosen = choose_output((recon, SIXTEEN, TWENTY), SAMPLES, classes)
    assert (chosen.path, chosen.guessed) == ("0", False)
    assert repeats_samples(chosen.tensor, SAMPLES, classes)


def test_an_autoencoder_with_a_classifier_has_scores() -> None:
    assert choose_output((torch.ones(6, 3, 8, 8), TEN), SAMPLES, 10).path == "1"
    assert choose_output({"recon": torch.ones(6, 192), "logits": TEN}, SAMPLES).path == "logits"


@pytest.mark.parametrize(
    ("output", "samples", "classes", "again"),
    [
        (torch.zeros(6, 4), torch.zeros(6, 4), 0, True),
        (torch.zeros(6, 4), torch.zeros(6, 4), 4, False),
        (torch.zeros(6, 3), torch.zeros(6, 4), 0, False),
        (MAPS, SAMPLES, 0, False),
        (torch.zeros(6, 3, 8, 8), SAMPLES, 3, False),
        (torch.zeros(5, 3, 8, 8), SAMPLES, 0, False),
        (torch.zeros(6), torch.zeros(6, 1), 0, False),
    ],
)
def test_the_shape_of_the_samples(output: Tensor, samples: Tensor, classes: int, again: bool) -> None:
    assert repeats_samples(output, samples, classes) is again


def test_an_object_has_the_tensors_that_are_its_attributes() -> None:
    class Plain:
        def __init__(self) -> None:
            self.features, self.logits, self.itself, self.name = SIXTEEN, TEN, self, "text"

    chosen = choose_output(Plain(), SAMPLES, 10)
    assert (chosen.path, chosen.tensor is TEN) == ("logits", True)
    assert select_output(SimpleNamespace(inner={"a": TEN}, scores=A), "scores") is A
    with pytest.raises(ModelError, match="no tensor but SimpleNamespace"):
        select_output(SimpleNamespace(itself=None))


@pytest.mark.parametrize("output", [TEN, TEN.half(), TEN[:5], TEN[:, :1], TEN[:, 0], MAPS, TEN.argmax(1), TEN.long()])
def test_a_row_is_what_statistics_take(output: Tensor) -> None:
    assert is_row(output, 6) == are_class_scores(output, 6)


def test_what_a_net_returns_is_described_with_its_shapes() -> None:
    output = {"a": A, "b\x1b": [torch.tensor(1.0), None], "c": ()}
    assert described(output) == r"a: 2x3, b\x1b.0: a number, b\x1b.1: NoneType, c: tuple"
    assert described(3) == "no tensor"


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_score_a_sample_goes_before_a_row_that_is_too_wide_for_two_classes(shape: tuple[int, ...]) -> None:
    score = torch.linspace(-2, 2, 4).reshape(shape)
    outputs = (torch.randn(4, 9), score)
    for classes in (1, 2):
        assert choose_output(outputs, torch.zeros(4, 3), classes).tensor is score
    assert choose_output(outputs, torch.zeros(4, 3), 5).tensor is outputs[0]
    assert choose_output((score, score.sigmoid()), torch.zeros(4, 3), 2).tensor is score


def test_two_scores_a_sample_that_differ_are_not_guessed_between() -> None:
    scores = torch.linspace(-2, 2, 4)[:, None]
    with pytest.raises(ModelError, match="fit as the class scores"):
        choose_output((scores, scores + 1), torch.zeros(4, 3), 2)
