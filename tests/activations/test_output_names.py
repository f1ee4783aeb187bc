"""What the names of outputs say."""

from __future__ import annotations

import pytest

from rfav_cli.activations.output_names import AUXILIARY, CERTAIN, LIKELY, NEUTRAL, rank_of


@pytest.mark.parametrize(
    "path",
    ["logits", "out", "scores", "Prediction", "class_logits", "classLogits", "class-logits", "y_hat", "head.logits"],
)
def test_names_of_scores(path: str) -> None:
    assert rank_of(path) == CERTAIN


@pytest.mark.parametrize("path", ["student_logits", "pred_boxes", "digit_scores", "coarse.1.domain_prob"])
def test_names_with_a_word_of_scores(path: str) -> None:
    assert rank_of(path) == LIKELY


@pytest.mark.parametrize(
    "path",
    [
        *("aux", "aux_logits1", "aux1", "auxiliaryOut", "features", "image_features", "last_hidden_state"),
        *("hidden_states.0", "embedding", "loss", "logits.attentions", "pooler_output", "mu", "reconstruction"),
    ],
)
def test_names_of_something_else_whatever_their_other_words_say(path: str) -> None:
    assert rank_of(path) == AUXILIARY


@pytest.mark.parametrize("path", ["0", "1.0", "a", "turns", "outer", "layout", "x"])
def test_names_that_say_nothing(path: str) -> None:
    assert rank_of(path) == NEUTRAL
