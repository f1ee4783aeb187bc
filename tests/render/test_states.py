"""The states of runs and layers: one table for all that shows them."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from rfav_cli.records import Onset, RunFinding
from rfav_cli.records.verdict import LayerState, RunState
from rfav_cli.render.html.modules import source
from rfav_cli.render.states import LAYER_STATES, RUN_STATES, STYLES, certainty, share, since, state_words


def front_end(name: str) -> dict[str, tuple[str, str]]:
    """The table of this name in the front-end."""
    found = re.search(rf"^const {name} = \{{\n(.*?)^\}};", source("marks.js"), re.MULTILINE | re.DOTALL)
    assert found
    return {
        state: (tone, mark) for state, tone, mark in re.findall(r'"?([a-z][a-z ]+)"?: \["(\w+)", "(.)"\]', found[1])
    }


def test_each_state_is_in_the_table_and_in_that_of_the_front_end() -> None:
    assert set(RUN_STATES) == set(get_args(RunState))
    assert set(LAYER_STATES) == set(get_args(LayerState))
    assert front_end("RUNS") == RUN_STATES
    assert front_end("LAYERS") == LAYER_STATES
    assert {tone for tone, _ in RUN_STATES.values()} == set(STYLES)
    assert len({mark for _, mark in RUN_STATES.values()}) == len(RUN_STATES)


def test_only_a_healthy_run_looks_good() -> None:
    assert [state for state, (tone, _) in RUN_STATES.items() if tone == "good"] == ["healthy"]


@pytest.mark.parametrize("tone", ["good", "bad", "warn"])
def test_each_tone_has_its_colour_on_the_page(tone: str) -> None:
    styles = source("style.css")
    for part in (".mark", ".verdict-state", ".state"):
        assert f"{part}.tone-{tone}" in styles


def test_the_kind_of_overfitting_is_said() -> None:
    assert state_words(RunFinding("overfitting", "", kind="lost knowledge")) == "overfitting (lost knowledge)"
    assert state_words(RunFinding("not learning", "")) == "not learning"


def test_since_when() -> None:
    assert since(None) == ""
    assert since(Onset(4, 2, 5)) == " since epoch 4"
    assert since(Onset(4, 2, 5), interval=True) == " since epoch 4 (2 to 5)"
    assert since(Onset(-1, -1, -1, at_or_before=True), interval=True) == " at or before epoch -1"


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (RunFinding("overfitting", "", probability=0.97, confidence=0.97), "97% sure"),
        (RunFinding("healthy", "", probability=0.001, confidence=0.999), "over 99% sure, P(overfits) under 1%"),
        (RunFinding("unclear", "", probability=0.6), "P(overfits) 60%"),
        (RunFinding("broken", "", confidence=0.95), "95% sure"),
        (RunFinding("unknown", ""), ""),
    ],
)
def test_how_sure_the_state_is_and_how_probable_the_overfitting(run: RunFinding, words: str) -> None:
    assert certainty(run) == words


def test_no_probability_is_certain() -> None:
    assert [share(each) for each in (0.0, 0.5, 1.0)] == ["under 1%", "50%", "over 99%"]
