"""Which layers, epochs and images are drawn, and what is said where there are none."""

from __future__ import annotations

from typing import Any

import pytest

import rfav_cli
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.render.drawing.selection import (
    DrawnRun,
    FigureOptions,
    chosen_epochs,
    chosen_images,
    chosen_layers,
    images_kept,
)
from tests.render.conftest import make_history
from tests.render.figures.histories import KINDS


def test_what_is_left_out_is_told() -> None:
    told: list[str] = []
    rfav_cli.plot(KINDS["60 layers"], figure="correlation", report=lambda note: told.append(note.text))
    assert told == ["12 of 60 layers are drawn, evenly from first to last; --layers chooses others"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"figure": "pie"}, "--figure"),
        ({"layers": ["fc9"]}, "--layers 'fc9'"),
        ({"epochs": "a"}, "--epochs a"),
        ({"epochs": "1 2"}, "--epochs 1 2"),
        ({"epochs": "99"}, "no epoch 99"),
        ({"figure": "heatmaps", "images": "2"}, "no image 2"),
        ({"figure": "heatmaps", "width": 1.0}, "--width 1"),
        ({"width": 0.1}, "--width 0.1"),
        ({"width": float("nan")}, "--width nan"),
        ({"dpi": 1}, "--dpi 1"),
        ({"colormap": "$no$"}, "--colormap $no$"),
        ({"name": ["a", "b"]}, "--name"),
        ({"out": "a.jpg"}, "a.jpg"),
    ],
)
def test_wrong_options_say_what_to_do(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        rfav_cli.plot(KINDS["plain"], **options)
    assert said in error.value.what
    assert error.value.remedy


def subject(kind: str) -> DrawnRun:
    history = KINDS[kind]
    return DrawnRun(kind, history, rfav_cli.judge(history), history.loss)


PLAIN, MANY = subject("plain"), subject("60 layers")


def test_layers_of_all_runs_come_in_the_order_of_the_first() -> None:
    several = [subject("one channel"), PLAIN]
    assert chosen_layers(several, FigureOptions()) == ["a", "b", "conv1", "conv2", "fc1"]
    assert chosen_layers(several, FigureOptions(layers=("fc*", "a"))) == ["a", "fc1"]


def test_of_many_layers_the_first_and_the_last_are_drawn_unless_they_are_named() -> None:
    told: list[str] = []
    names = chosen_layers([MANY], FigureOptions(tell=told.append), 5)
    assert (names[0], names[-1], len(names)) == ("stage0.conv", "stage59.conv", 5)
    assert len(told) == 1
    assert len(chosen_layers([MANY], FigureOptions(layers=("stage1*",)), 5)) == 11


@pytest.mark.parametrize(
    ("text", "epochs"),
    [
        ("-1", [-1]),
        ("3,1", [1, 3]),
        (":1", [-1, 0, 1]),
        ("25:", [25, 26, 27]),
        (" 2 : 4 , 0", [0, 2, 3, 4]),
        ("-1:-1", [-1]),
        ("20:99", list(range(20, 28))),
    ],
)
def test_epochs_by_numbers_and_ranges(text: str, epochs: list[int]) -> None:
    assert chosen_epochs([PLAIN], FigureOptions(epochs=text)) == epochs


@pytest.mark.parametrize("text", [",", "1,,2", "a", "1:2:3", "1 2", "1.5", "٣", "9999999999", "28", "40:50", "5:2"])
def test_lists_that_name_no_epoch(text: str) -> None:
    with pytest.raises(UsageError, match="--epochs"):
        chosen_epochs([PLAIN], FigureOptions(epochs=text))


def test_where_there_is_no_room_for_all_epochs_the_moment_of_overfitting_is_among_them() -> None:
    assert PLAIN.onset is not None
    for most in range(4, 12):
        epochs = chosen_epochs([PLAIN], FigureOptions(), most)
        assert (epochs[0], epochs[-1]) == (-1, 27)
        assert PLAIN.onset in epochs
        assert len(epochs) <= most
    assert chosen_epochs([PLAIN], FigureOptions(), 29) == list(range(-1, 28))


def test_images_that_all_runs_keep() -> None:
    bare = subject("no maps of images")
    assert [images_kept(run.history) for run in (PLAIN, bare)] == [2, 0]
    assert chosen_images([PLAIN], FigureOptions()) == [0]
    assert chosen_images([PLAIN], FigureOptions(images="0:")) == [0, 1]
    assert chosen_images([PLAIN], FigureOptions(images=" Mean ")) == [None]
    assert chosen_images([PLAIN, bare], FigureOptions()) == [None]
    with pytest.raises(UsageError, match="no heatmaps of single images"):
        chosen_images([PLAIN, bare], FigureOptions(images="0"))


def test_a_run_without_epochs_or_layers_cannot_be_drawn() -> None:
    for arguments in ({"epochs": 0}, {"names": ()}):
        history = make_history(**arguments)  # type: ignore[arg-type]
        empty = DrawnRun("empty", history, rfav_cli.judge(history), history.loss)
        with pytest.raises(StoreError):
            (chosen_epochs if arguments == {"epochs": 0} else chosen_layers)([empty], FigureOptions())
