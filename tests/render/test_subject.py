"""What a run looks at, in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rfav_cli.records import Subject
from rfav_cli.render.subject import in_words

PLAIN = Subject("probe.npz", 1000, 10, None, None, ("conv1", "conv2"), "", (10,), True, "fc")


def test_all_that_a_run_looks_at_is_in_it() -> None:
    assert in_words(PLAIN) == (
        "looked at 1,000 samples of probe.npz, 10 classes, not normalised, 2 layers, output (10 wide), classifier fc"
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"samples": 1, "classes": 1}, "looked at 1 sample of probe.npz, 1 class, not"),
        ({"classes": 0}, "no labels"),
        ({"mean": (0.485, 0.5, 0.1), "std": (0.25,)}, ", mean 0.485 0.5 0.1 std 0.25, "),
        ({"std": (63.0,)}, ", std 63, "),
        ({"as_is": True}, ", as their code gives them, "),
        ({"layers": ("fc1",)}, ", 1 layer, "),
        ({"output": "head.logits"}, ", output head.logits (10 wide), "),
        ({"output_shape": (4, 16, 16)}, ", output (4x16x16), "),
        ({"output_shape": ()}, ", output (1 wide), "),
        ({"reads_output": False}, ", output (10 wide, not measured), "),
        ({"output_shape": None}, ", no class scores, "),
        ({"classifier": ""}, ", no classifier"),
        ({"task": "classes", "loss": "cross-entropy"}, "10 classes, "),
        ({"task": "binary", "loss": "m.py:l\x1b"}, r"10 classes, task binary, loss m.py:l\x1b, "),
        ({"classes": 0, "task": "regression", "loss": "mean squared error"}, ", task regression, loss mean squared"),
        ({"train_probe": "t.npz\n", "train_samples": 1200}, r", 10 classes, 1,200 training samples of t.npz\n, not"),
        ({"probe": "a\x1b[31m\n.npz", "classifier": "fc\n"}, r"a\x1b[31m\n.npz"),
    ],
)
def test_each_part_says_what_is_there(changed: dict[str, Any], words: str) -> None:
    line = in_words(replace(PLAIN, **changed))
    assert words in line
    assert line.isprintable()
