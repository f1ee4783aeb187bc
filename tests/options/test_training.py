"""Options of a training."""

from __future__ import annotations

from dataclasses import fields

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options import Hyperparameters, Train, options_of

NEEDED = {"data": "train.npz", "out": "runs"}


def test_a_training_has_the_hyperparameters_and_their_defaults() -> None:
    train, how = Train(**NEEDED), Hyperparameters()
    assert {field.name: getattr(train, field.name) for field in fields(how)} == {
        field.name: getattr(how, field.name) for field in fields(how)
    }


def test_its_own_words_are_of_options_that_it_has() -> None:
    assert {*Train.HELP, *Train.FIRST} <= {name for name, _ in options_of(Train)}


@pytest.mark.parametrize(("name", "value"), [("keep", 0), ("workers", -1), ("seed", 2**64)])
def test_what_is_out_of_its_range_is_refused(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=f"--{name} "):
        Train(**NEEDED, **{name: value})


def test_all_checkpoints_are_kept_by_default() -> None:
    assert Train(**NEEDED).keep == "all"
