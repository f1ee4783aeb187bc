"""How a net is trained, as it is checked, kept and compared."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rfav_cli.errors import TrainingError, UsageError
from rfav_cli.options import Hyperparameters
from rfav_cli.training.settings import check, check_alike, check_same, record_of

PAPER = Hyperparameters()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"optimizer": "lion"}, "sgd, adam, adamw"),
        ({"schedule": "warm"}, "constant, cosine, step"),
        ({"learning_rate": 0.0}, "--learning-rate"),
        ({"learning_rate": math.nan}, "--learning-rate"),
        ({"learning_rate": math.inf}, "--learning-rate"),
        ({"momentum": 1.0}, "--momentum"),
        ({"momentum": math.nan}, "--momentum"),
        ({"momentum": 0.9, "optimizer": "adam"}, "adam"),
        ({"weight_decay": -0.1}, "--weight-decay"),
        ({"weight_decay": math.nan}, "--weight-decay"),
        ({"epochs": 0}, "--epochs"),
        ({"batch_size": 0}, "--batch-size"),
        ({"seed": -1}, "--seed"),
        ({"seed": 2**64}, "--seed .* out of range"),
        ({"seed": 1.5}, "--seed 1.5: no whole number"),
        ({"epochs": "2"}, "--epochs '2': no whole number"),
        ({"momentum": "much"}, "--momentum 'much': no number"),
        ({"weight_decay": None}, "--weight-decay None: no number"),
        ({"learning_rate": 1e39}, "--learning-rate"),
        ({"weight_decay": 1e39}, "--weight-decay"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check(replace(PAPER, **change))


def test_the_order_of_augmentations_is_no_other_setting() -> None:
    one, other = (record_of(replace(PAPER, augment=names)) for names in (("flip", "crop"), ("crop", "flip", "flip")))
    assert one == other
    assert one["augment"] == "flip, crop"


def test_numbers_of_numpy_become_plain() -> None:
    given = {"epochs": np.int64(2), "seed": np.int32(3), "momentum": np.float32(0.5), "learning_rate": np.float64(0.1)}
    record = record_of(check(replace(PAPER, **given)))
    assert {type(value) for name, value in record.items() if name in given} == {int, float}
    assert [record[name] for name in given] == [2, 3, 0.5, 0.1]


def test_a_longer_run_is_another_only_where_the_rate_depends_on_its_length() -> None:
    for schedule, refused in (("constant", False), ("cosine", True)):
        short, long = (record_of(replace(PAPER, schedule=schedule, epochs=epochs)) for epochs in (2, 3))
        if refused:
            with pytest.raises(TrainingError, match=r"run: .*\(then / now\): epochs: 2 / 3\n"):
                check_same(short, long, Path("run"))
        else:
            check_same(short, long, Path("run"))


def test_ranks_train_with_the_same_settings_and_data() -> None:
    record = {"data": "ab" * 32, "seed": 0}
    check_alike([record, dict(record)])
    with pytest.raises(TrainingError, match=r"rank 2 differs from rank 0 \(rank 0 / it\): data: abababab / cdcdcdcd\n"):
        check_alike([record, dict(record), record | {"data": "cd" * 32}])
