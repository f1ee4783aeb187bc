"""The epochs that files hold, against those in their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.checkpoints.order import epochs_from_names
from rfav_cli.checkpoints.stored_epochs import NamedFile, describe_difference, epoch_doubts, never_counted


def files(**stored: int) -> list[NamedFile]:
    """Files by their names, "__" for "-", and what they store."""
    paths = [Path("runs", name.replace("__", "-") + ".pt") for name in stored]
    named = epochs_from_names(paths, folders=False)
    return [
        NamedFile(path, name, held)
        for path, name, held in zip(paths, named, stored.values(), strict=True)
        if name is not None
    ]


def words(found: list[NamedFile]) -> list[str]:
    doubts = epoch_doubts(found)
    assert all(doubt.kind == "epoch" and "--epochs" in doubt.remedy for doubt in doubts)
    return [f"{doubt.where}: {doubt.words}" for doubt in doubts]


@pytest.mark.parametrize(
    "stored",
    [
        {"epoch_0": 0, "epoch_1": 1, "epoch_2": 2},
        {"epoch_1": 0, "epoch_2": 1, "epoch_3": 2},  # named after the epoch that ends
        {"epoch_0": 1, "epoch_1": 2, "epoch_2": 3},  # the next one is stored
        {"checkpoint__100": 1, "checkpoint__200": 2, "checkpoint__300": 3},  # steps
        {"epoch_10": 1, "epoch_20": 2, "epoch_30": 3},  # each tenth is counted
        {"init": 0, "epoch_1": 1, "epoch_2": 2, "epoch_3": 3},
        {"epoch_1": 1, "epoch_2": 2, "epoch_3": 3, "best_resnet18": 2},
        {"net_20240131_1": 1, "net_20240131_2": 2, "net_20240131_3": 3},
        {"3_acc90": 1, "4_acc91": 2, "5_acc91": 3},
        {"resnet18": 4, "resnet34": 9, "resnet50": 2},
        {"epoch_5": 9},
        {},
    ],
)
def test_nothing_is_doubted_where_names_count_in_their_own_way(stored: dict[str, int]) -> None:
    assert words(files(**stored)) == []


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (
            {"epoch_0": 0, "epoch_1": 1, "epoch_2": 7, "epoch_3": 3},
            "epoch 7: epoch_2.pt stores epoch 7, where the others store the epoch in their names",
        ),
        (
            {"epoch_1": 0, "epoch_2": 1, "epoch_3": 9, "epoch_4": 3},
            "epoch 9: epoch_3.pt stores epoch 9, where the others store 1 less than the epoch in their names",
        ),
        (
            {f"model_{n}": n + 1 for n in range(7)} | {"model_7": 20, "model_8": 30},
            ": runs/model_7.pt stores epoch 20, runs/model_8.pt stores epoch 30, where the others store 1 more than "
            "the epoch in their names",
        ),
        (
            {"epoch_1": 2, "epoch_2": 1},
            ": epoch_1.pt stores epoch 2, epoch_2.pt stores epoch 1, in another order than that of the names",
        ),
    ],
)
def test_a_name_that_is_of_another_epoch_than_the_others(stored: dict[str, int], said: str) -> None:
    assert words(files(**stored)) == [said]


@given(st.integers(-2, 3), st.integers(3, 30), st.data())
def test_the_one_that_differs_is_named(difference: int, count: int, data: st.DataObject) -> None:
    odd = data.draw(st.integers(0, count - 1))
    stored = {f"epoch_{n + 5}": n + 5 - difference for n in range(count)}
    assert words(files(**stored)) == []
    stored[f"epoch_{odd + 5}"] = 1000
    (said,) = words(files(**stored))
    assert said.startswith(f"epoch 1000: epoch_{odd + 5}.pt stores epoch 1000")


def test_many_are_counted_and_hostile_names_are_legible() -> None:
    stored = {f"epoch_{n}": n for n in range(30)} | {f"epoch_{n}_\x1b[31m": n + 100 for n in range(30, 37)}
    (said,) = words(files(**stored))
    assert said.isprintable()
    assert " and 2 more, where" in said


def test_a_habit_is_a_note() -> None:
    assert describe_difference(files(epoch_1=0, epoch_2=1)) == (
        "the epochs stored in the files are taken, not those in their names: epoch_1.pt stores 0"
    )
    assert "runs/model_1.pt stores 2" in describe_difference(files(model_1=2, model_2=3))
    assert describe_difference(files(epoch_5=9)) != ""
    assert describe_difference(files(checkpoint__100=1)) == ""
    assert describe_difference(files(epoch_1=1, epoch_2=2)) == describe_difference([]) == ""


def test_an_epoch_that_was_never_counted() -> None:
    assert never_counted(files(model_1=0, model_2=0))
    assert never_counted(files(model_1=1, model_2=1))
    assert not never_counted(files(model_1=0))
    assert not never_counted(files(fold_1=100, fold_2=100))  # the last epochs of two runs
    assert not never_counted(files(a_epoch_3=0, b_epoch_3=0))
