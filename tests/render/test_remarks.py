"""What stands around a table: the verdict, what it rests on, and what was skipped."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.records import Advice, AdviceStep, Doubt, FilterFinding, LayerFinding, Onset, RunFinding, Verdict
from rfav_cli.render import Screen, render
from tests.render.conftest import shown

if TYPE_CHECKING:
    from rfav_cli.records import History


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (RunFinding("healthy", "why", "entropy alone"), "verdict: healthy, by entropy alone"),
        (RunFinding("unknown", "why"), "verdict: unknown"),
        (RunFinding("sparsifying", "why", "x", Onset(4, 4, 4)), "verdict: sparsifying since epoch 4, by x"),
        (RunFinding("overfitting", "why", "x", Onset(4, 2, 5)), "verdict: overfitting since epoch 4 (2 to 5), by x"),
        (
            RunFinding("overfitting", "why", "x", Onset(0, 0, 0, True), "lost knowledge"),
            "verdict: overfitting (lost knowledge) at or before epoch 0, by x",
        ),
        (RunFinding("not learning", "why", "x"), "verdict: not learning, by x"),
        (RunFinding("broken", "why", "x", Onset(4, 4, 4)), "verdict: broken since epoch 4, by x"),
        (RunFinding("unclear", "why", "x"), "verdict: unclear, by x"),
    ],
)
def test_each_state_of_a_run_has_its_line(history: History, run: RunFinding, line: str) -> None:
    verdict = Verdict(run, judge(history).layers)
    assert f"\n{line}\nwhy\n" in render(history, verdict)
    assert line in re.sub(r"\x1b\[[\d;]*m", "", render(history, verdict, screen=Screen(colour=True)))


@pytest.mark.parametrize("output_format", ["table", "markdown"])
def test_doubts_stand_beside_the_verdict_and_are_listed(history: History, output_format: str) -> None:
    doubts = (Doubt("run", "epoch 3", "it looks wrong", "Look.", 1.0), Doubt("batch", "", "so so", "Think.", 1.0))
    verdict = Verdict(RunFinding("healthy", "why", "x"), judge(history).layers, doubts)
    text = render(history, verdict, output_format)
    assert "verdict: healthy, by x; in doubt, for 2 reasons" in text
    for doubt in doubts:
        assert doubt.sentence in text
    assert "doubt" not in render(history, dataclasses.replace(verdict, doubts=()), output_format)


@pytest.mark.parametrize("output_format", ["table", "markdown"])
def test_how_sure_the_state_is_is_told(history: History, output_format: str) -> None:
    verdict = Verdict(RunFinding("healthy", "why", "x", probability=0.04, confidence=0.96), judge(history).layers)
    assert "96% sure, P(overfits) 4%" in render(history, verdict, output_format).replace("\\", "")


@pytest.mark.parametrize("output_format", ["table", "markdown"])
def test_what_to_do_is_listed_with_its_command(history: History, output_format: str) -> None:
    steps = (AdviceStep("keep", "Keep the last."), AdviceStep("retrain", "Train.", "rfav recommend a.h5"))
    verdict = Verdict(RunFinding("healthy", "why"), judge(history).layers, advice=Advice((), 5, "loss", None, steps))
    text = render(history, verdict, output_format).replace("\\", "")
    assert "What to do" in text
    assert "Keep the last." in text
    assert "Train. `rfav recommend a.h5`" in " ".join(text.split())
    assert ("\n    `rfav recommend a.h5`\n" in text) == (output_format == "table")
    assert "What to do" not in render(history, dataclasses.replace(verdict, advice=None), output_format)


def test_what_is_said_of_filters_is_listed(history: History) -> None:
    filters = (FilterFinding("constant", 2, "two are flat"), FilterFinding("correlated", 0, "alike"))
    layers = (*judge(history).layers[:2], LayerFinding("fc1", "stable", filters=filters))
    text = render(history, Verdict(RunFinding("healthy", "why"), layers))
    assert "\nFilters\n  fc1: two are flat\n  fc1: alike\n" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_what_goes_on_in_a_next_line_is_set_in(history: History, width: int) -> None:
    words = "one two three four five six seven " * 8
    layers = tuple(dataclasses.replace(each, state="collapsed", evidence=words) for each in judge(history).layers)
    text = render(history, Verdict(RunFinding("healthy", "why"), layers), screen=Screen(width))
    section = text.split("Layers that lose entropy\n")[1].split("\n\n")[0].splitlines()
    items = [line for line in section if re.match(r"  \S", line)]
    assert [line.split(":")[0] for line in items] == ["  conv1", "  conv2", "  fc1"]
    assert all(re.match(r"    \S", line) for line in section if line not in items)
    assert len(section) >= 3 * len(words) // width
    assert " ".join(" ".join(section).split()).count("six seven one") == 3 * 7


def test_what_was_left_out_is_said(history: History, hostile: History) -> None:
    history.columns["nonfinite"][3, 1] = 55
    history.columns["nonfinite"][5, 1] = 1_000
    text = shown(history)
    assert "Layers not measured\n  fc2: classifier\n" in text
    assert "NaN or infinite\n  conv2: 1,055 values in 2 epochs (2 to 4)\n" in text
    assert "could not be used" not in text
    assert "Checkpoints that could not be used" in shown(hostile)
