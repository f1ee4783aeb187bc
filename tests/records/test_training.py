"""A row of the log says what there is, and nothing that is no JSON."""

from __future__ import annotations

import json
import math

import pytest

from rfav_cli.records import TrainingEpoch


def test_before_training_there_is_little_to_say() -> None:
    assert TrainingEpoch(-1, 10).row() == {"epoch": -1, "seconds": 0.0}


def test_a_row_has_all_that_is_known() -> None:
    penalties = {"sparsity/conv4": -0.2, "decorrelation/conv1": 0.1}
    epoch = TrainingEpoch(3, 10, 0.01, 0.5, 0.75, penalties, 0.6, 0.7, 1.23456, 0.8, 1.5)
    assert epoch.row() == {
        "epoch": 3,
        "learning_rate": 0.01,
        "train_loss": 0.5,
        "train_accuracy": 0.75,
        "penalties": penalties,
        "penalised_loss": pytest.approx(0.4),
        "validation_loss": 0.6,
        "validation_accuracy": 0.7,
        "validation_confidence": 0.8,
        "lambda_factor": 1.5,
        "seconds": 1.235,
    }


def test_without_penalties_the_loss_is_said_once() -> None:
    epoch = TrainingEpoch(3, 10, train_loss=0.5)
    assert epoch.penalised_loss == 0.5
    assert epoch.row() == {"epoch": 3, "train_loss": 0.5, "seconds": 0.0}
    assert TrainingEpoch(-1, 10, penalties={"sparsity/conv4": 1.0}).penalised_loss is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_null_and_not_left_out(value: float) -> None:
    row = TrainingEpoch(3, 10, train_loss=value, penalties={"sparsity/conv4": value}, validation_loss=value).row()
    names = ("train_loss", "penalised_loss", "validation_loss")
    assert [row[name] for name in names] == [None, None, None]
    assert row["penalties"] == {"sparsity/conv4": None}
    json.dumps(row, allow_nan=False)
