"""What is printed of a temperature."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.records import Doubt
from rfav_cli.records.calibration import Calibration
from rfav_cli.render import render_calibration
from rfav_cli.render.calibration import in_words
from tests.render.conftest import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

FOUND = Calibration("a.h5", 3, "run/3.pt", 1000, "", 2.5, 1.5, 1.2, 0.2, 0.03, 0.6, 0.8)


def test_a_number_is_all_that_is_printed() -> None:
    assert render_calibration(FOUND) == "2.5\n"
    assert render_calibration(replace(FOUND, temperature=1 / 3)) == "0.333333\n"
    assert render_calibration(replace(FOUND, helps=False)) == "1\n"


def test_the_document_has_everything_and_null_for_what_was_not_measured() -> None:
    doubt = Doubt("probe", "", "it is another net's", "Take this net's.", 0.9)
    document = json.loads(render_calibration(replace(FOUND, confidence=math.nan, doubts=(doubt,)), "json"))
    assert document["doubts"][0]["words"] == "it is another net's"
    del document["doubts"]
    assert document == {
        "schema": 1,
        "path": "a.h5",
        "epoch": 3,
        "checkpoint": "run/3.pt",
        "samples": 1000,
        "output": "",
        "task": "classes",
        "figure": "accuracy",
        "temperature": 2.5,
        "loss": 1.5,
        "calibrated_loss": 1.2,
        "calibration_error": 0.2,
        "calibrated_error": 0.03,
        "accuracy": 0.6,
        "confidence": None,
        "helps": True,
        "notes": [],
    }


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "surer of its predictions than it is right. Divide its scores by 2.5"),
        ({"temperature": 0.5}, "less sure than it could be. Divide its scores by 0.5"),
        ({"output": "logits"}, "Divide its scores (output logits) by 2.5"),
        ({"temperature": 1.0, "helps": False}, "leave the scores as they are"),
    ],
)
def test_the_words_say_what_to_do(changed: dict[str, float | str], says: str) -> None:
    text = in_words(replace(FOUND, **changed))  # type: ignore[arg-type]
    assert "a.h5, epoch 3: 1,000 samples, accuracy 60.0%, confidence 80.0%" in text
    assert f"held-out loss 1.500, divided by {changed.get('temperature', 2.5)} 1.200" in text.replace(
        "by 1 ", "by 1.0 "
    )
    assert says in text
    assert ("class Calibrated" in text) == ("Divide" in says)


def test_text_from_files_steers_no_terminal() -> None:
    doubt = Doubt("probe", HOSTILE, HOSTILE, HOSTILE, 0.9)
    found = replace(FOUND, path=HOSTILE, output=HOSTILE, notes=(HOSTILE,), doubts=(doubt,))
    assert not set(in_words(found)) & {"\x1b", "\u202e", "\x9b"}
    assert "\x1b" not in render_calibration(found, "json")


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")  # it is deprecated, and in use
def test_the_code_is_of_use_for_both_kinds_of_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain = torch.nn.Linear(3, 4)
    scripted = torch.jit.script(plain)
    scripted.save("net.ts")
    lines = in_words(FOUND).splitlines()
    names = {"torch": torch, "net": plain}
    code = "\n".join(line.removeprefix("    ") for line in lines if line.startswith("    "))
    (tmp_path / "code.py").write_text(code)  # TorchScript compiles from a file
    exec(compile(code, str(tmp_path / "code.py"), "exec"), names | {"__name__": "code"}, names)
    x = torch.randn(5, 3)
    with torch.no_grad():
        expected = plain(x) / 2.5
        torch.testing.assert_close(names["net"](x), expected)  # type: ignore[operator]
        torch.testing.assert_close(torch.jit.load("calibrated.ts")(x), expected)


@pytest.mark.parametrize(("task", "words"), [("binary", "before the sigmoid"), ("pixels", "before softmax")])
def test_what_makes_probabilities_of_the_scores_is_named(task: str, words: str) -> None:
    text = in_words(replace(FOUND, task=task, figure="tag accuracy"))
    assert words in text
    assert "tag accuracy 60.0%" in text
    assert ("log(p / (1 - p))" in text) == (task == "binary")
