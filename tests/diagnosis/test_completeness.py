"""What is missing in a store is found, and what only looks as if it were is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli.diagnosis.completeness import look_for_gaps
from rfav_cli.records import BadCheckpoint, Policy
from tests.diagnosis.conftest import TOP, make_history, sample_losses

if TYPE_CHECKING:
    from rfav_cli.records import History


def run(*epochs: int, labels: bool = True, **options: Any) -> History:
    numbers = np.array(epochs, np.int64)
    losses = sample_losses(np.ones(len(epochs)), size=8) if labels else None
    return make_history(
        numbers, {"conv1": np.full(len(epochs), TOP), "fc1": np.full(len(epochs), TOP)}, losses, **options
    )


def missing(history: History, **policy: Any) -> list[tuple[str, str]]:
    """(key, message) of what is missing; nothing else may be found."""
    found = list(look_for_gaps(history, Policy(**policy)))
    assert {each.outcome for each in found} in ({"missing"}, {"passed"})
    return [(each.key, each.message) for each in found if each.outcome == "missing"]


@pytest.mark.parametrize(
    "epochs",
    [
        (0,),
        (-1, 0),
        (-1, 0, 1, 2, 3),
        (3, 4, 5),  # the first ones are not kept
        (-1, 5, 6, 7, 8),
        (0, 4, 9, 14),  # every fifth epoch, counted from 1, and the first
        (4, 9, 14, 16),  # and the last besides
        (-1, 9, 19, 29),
        (0, 100),
        (1, 10, 20),  # every tenth epoch, and the first besides
        (0, 9, 19),
        (1, 5, 10),
        (1, 10, 20, 25),
        (-1, 1, 50, 100, 150),
    ],
)
def test_epochs_in_steps_are_whole(epochs: tuple[int, ...]) -> None:
    assert missing(run(*epochs)) == []
    (passed,) = look_for_gaps(run(*epochs), Policy())
    assert passed.message == (
        "1 epoch (0)" if epochs == (0,) else f"{len(epochs)} epochs ({epochs[0]} to {epochs[-1]})"
    )


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ((0, 1, 3, 4), "epoch 2 is missing, where every epoch is there"),
        ((-1, 0, 1, 2, 5), "epochs 3, 4 are missing, where every epoch is there"),
        ((0, 1, 3), "epoch 2 is missing, where every epoch is there"),
        ((2, 9, 17), "epoch 16 is missing, where every 7 epochs one is there"),
        ((1, 10, 30, 40), "epoch 20 is missing, where every 10 epochs one is there"),
        ((0, 1, 2, 4, 6), "epochs 3, 5 are missing, where every epoch is there"),
        ((0, 2, 4, 8, 10), "epoch 6 is missing, where every 2 epochs one is there"),
        ((0, 1, 2, 10, 11, 12), "epochs 3, 4, 5, 6, 7 and 2 more are missing, where every epoch is there"),
        ((0, 5, 10, 12, 15, 20, 25), "the epochs after 10 do not follow in steps of 5"),
    ],
)
def test_epochs_that_are_missing_are_named(epochs: tuple[int, ...], said: str) -> None:
    assert missing(run(*epochs)) == [("", said)]
    assert missing(run(*epochs), allow_gaps=True) == []
    assert missing(run(*epochs), final=True) == []


def test_epochs_without_figures_are_named() -> None:
    history = run(0, 1, 2, 3)
    history.columns["probe/sample_loss"][:] = 1
    history.columns["probe/loss"][1:3] = np.nan  # type: ignore[index]
    history.columns["entropy/mean"][2, 1] = np.inf  # type: ignore[index]
    assert missing(history) == [
        ("", "epochs 1, 2 without a finite held-out loss"),
        ("", "epoch 2 without a finite entropy in fc1"),
    ]
    assert missing(history, allow_gaps=True) == []


def test_of_the_last_epoch_the_limits_speak() -> None:
    history = run(0, 1, 2)
    history.columns["probe/loss"][-1] = np.nan  # type: ignore[index]
    history.columns["entropy/mean"][-1] = np.nan  # type: ignore[index]
    assert missing(history) == []


def test_what_does_not_apply_is_not_missing() -> None:
    assert missing(run(0, 1, 2, labels=False)) == []
    history = run(0, 1, 2, channels={"fc1": 1})
    history.columns["entropy/mean"][:, 1] = np.nan  # type: ignore[index]
    assert missing(history) == []


def test_the_epoch_that_must_be_reached() -> None:
    assert missing(run(0, 1, 2), last_epoch=2) == []
    assert missing(run(0, 1, 2), last_epoch=3) == [("last-epoch", "the last epoch is 2, and 3 is needed")]
    assert missing(run(0, 1, 2), last_epoch=3, final=True, allow_gaps=True)


def test_a_store_of_nothing_is_not_whole() -> None:
    assert missing(run(), allow_gaps=True) == [("", "the store has no epochs")]
    history = run(0, 1)
    bare = replace(history, run=replace(history.run, layers=()))
    assert ("", "the store has no layers") in missing(bare, allow_gaps=True)


def test_each_file_that_could_not_be_used_is_named() -> None:
    history = replace(run(0, 1, 2), bad=(BadCheckpoint("run/epoch_7.pt", "cut off"),))
    found = list(look_for_gaps(history, Policy(allow_gaps=True)))
    assert [(each.rule, each.outcome, each.message) for each in found] == [
        ("RFAV105", "missing", "run/epoch_7.pt: cut off"),
        ("RFAV102", "passed", "3 epochs (0 to 2)"),
    ]
