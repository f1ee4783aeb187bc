"""What is told: whoever takes all that a watch tells takes all that a run tells."""

from __future__ import annotations

import pickle
from typing import get_args

from rfav_cli.records import (
    BadCheckpoint,
    Doubt,
    Event,
    Judged,
    Measurement,
    Note,
    Progress,
    Subject,
    TrainingEvent,
    WatchEvent,
)
from rfav_cli.records.training import TrainingEpoch, TrainingStep


def test_a_watch_tells_all_that_a_run_does_and_what_became_of_it() -> None:
    assert set(get_args(WatchEvent)) == {*get_args(Event), Judged}
    assert set(get_args(Event)) == {Note, Doubt, Progress, Measurement, BadCheckpoint, Subject}


def test_a_training_tells_its_steps_and_epochs_beside_what_is_measured() -> None:
    assert set(get_args(TrainingEvent)) == {Note, Doubt, TrainingStep, TrainingEpoch, Measurement}


def test_one_can_ask_whether_something_is_told() -> None:
    assert isinstance(Progress("epoch_3.pt", 2, 9, 16, 64), Event)
    assert not isinstance(TrainingStep(0, 1, 6, 3, 0.5, 0.0), Event)
    assert not isinstance("a text", WatchEvent)


def test_what_is_told_can_go_to_another_process() -> None:
    for event in (Note("a text"), Progress("epoch_3.pt", 2, 9, 16, 64), TrainingEpoch(3, 10), BadCheckpoint("x", "y")):
        assert pickle.loads(pickle.dumps(event)) == event
