from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.cells import cell_len

from rfav_cli.records import Settings
from rfav_cli.render import Screen, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import History

WIDTHS = (40, 60, 80, 200)


def cells(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(start)).split()


def test_shows_each_figure_of_a_layer(history: History) -> None:
    text = render(history, screen=Screen(200))
    assert cells(text, "layer") == [
        "layer",
        "kind",
        "D",
        "first",
        "last",
        "lowest",
        "of",
        "max",
        "corr",
        "|corr|",
        "trend",
    ]
    row = cells(text, "fc1")
    assert row[:-1] == ["fc1", "Conv2d", "32", "3.47", "0.87", "0.87", "@10", "25%", "-0.01", "0.12"]
    assert len(row[-1]) == 12
    assert row[-1][0] == "█"
    assert row[-1][-1] == "▃"


def test_lowest_is_the_minimum_and_its_epoch(history: History) -> None:
    history.columns["entropy/mean"][4, 0] = 0.5
    assert "0.50 @3" in render(history)


def test_head_shows_first_best_and_last(make: Callable[..., History]) -> None:
    text = render(make(epochs=11))
    assert "rfav.h5: 11 epochs (-1 to 9), 3 layers" in text
    assert "1,000 held-out samples of probe.npz, sha256 abababab" in text
    assert "held-out loss      2.000 → 1.000 (epoch 4) → 2.000  █" in text
    assert "held-out accuracy  10.0% → 60.0% (epoch 9) → 60.0%  ▁" in text


@pytest.mark.parametrize("epochs", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("names", [("conv1", "fc1"), tuple(f"features.stage{i}.block.conv" for i in range(200))])
def test_fits_the_screen(make: Callable[..., History], names: tuple[str, ...], width: int, epochs: bool) -> None:
    text = render(make(names), epochs=epochs, screen=Screen(width))
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_a_row_for_each_of_200_layers(make: Callable[..., History]) -> None:
    text = render(make(tuple(f"layer{i}" for i in range(200))))
    assert sum(line.startswith("layer") for line in text.splitlines()) == 201


@pytest.mark.parametrize("width", WIDTHS)
def test_says_which_columns_are_left_out(make: Callable[..., History], width: int) -> None:
    text = render(make(), screen=Screen(width))
    assert ("Left out at this width" in text) == (" kind " not in text)


def test_rows_of_epochs_show_the_layers_that_fit(make: Callable[..., History]) -> None:
    text = render(make(tuple(f"layer{i}" for i in range(30)), epochs=3), epochs=True)
    header = cells(text, "epoch")
    assert header[:3] == ["epoch", "loss", "accuracy"]
    assert header[-1] == "layer29"
    assert f"The last {len(header) - 3} of 30 layers" in text
    assert cells(text, "   -1")[:4] == ["-1", "2.000", "10.0%", "3.47"]


def test_one_channel_does_not_apply(make: Callable[..., History]) -> None:
    row = cells(render(make(("a", "b"), channels=(1, 8))), "a ")
    assert row[:7] == ["a", "Conv2d", "1", "n/a", "n/a", "n/a", "n/a"]


def test_nothing_but_nan(history: History) -> None:
    for values in history.columns.values():
        if values.dtype.kind == "f":
            values[:] = np.nan
    text = render(history)
    assert cells(text, "conv1") == ["conv1", "Conv2d", "32", *["n/a"] * 6]
    assert "held-out loss      n/a" in text
    assert "n/a" in render(history, epochs=True)


def test_without_labels(make: Callable[..., History]) -> None:
    text = render(make(labels=False))
    assert "not measured, the probe has no labels" in text
    assert "→" not in text


def test_one_epoch(make: Callable[..., History]) -> None:
    text = render(make(epochs=1))
    assert "1 epoch (-1), 3 layers" in text
    assert "held-out loss      1.000\n" in text


@pytest.mark.parametrize("epochs", [False, True])
def test_no_epoch_and_no_layer(make: Callable[..., History], epochs: bool) -> None:
    assert "No epoch has been measured yet" in render(make(epochs=0), epochs=epochs)
    assert "3 epochs (-1 to 1), 0 layers" in render(make((), epochs=3), epochs=epochs)


def test_columns_that_an_older_store_has_not(history: History) -> None:
    bare = dataclasses.replace(history, columns={"entropy/mean": history.columns["entropy/mean"]})
    assert cells(render(bare), "fc1")[7:10] == ["25%", "n/a", "n/a"]


def test_what_was_left_out_is_said(history: History, hostile: History) -> None:
    history.columns["nonfinite"][3, 1] = 55
    history.columns["nonfinite"][5, 1] = 1_000
    text = render(history)
    assert "Layers not measured\n  fc2: classifier\n" in text
    assert "NaN or infinite\n  conv2: 1,055 values in 2 epochs (2 to 4)\n" in text
    assert "could not be used" not in text
    assert "Checkpoints that could not be used" in render(hostile)


def test_other_settings_are_said(history: History) -> None:
    assert "--" not in render(history)
    run = dataclasses.replace(history.run, settings=Settings(with_bias=True, centering="paper", fold_norm=True))
    text = render(dataclasses.replace(history, run=run))
    assert all(option in text for option in ("--with-bias", "--fold-norm", "--centering paper"))


@pytest.mark.parametrize("epochs", [False, True])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_hostile_text_steers_nothing(hostile: History, encoding: str, epochs: bool) -> None:
    text = render(hostile, epochs=epochs, screen=Screen(60, encoding=encoding))
    text.encode(encoding)
    assert all(character.isprintable() or character == "\n" for character in text)
    if not epochs:
        assert "[bold]" in render(hostile, screen=Screen(200))


def test_ascii_where_the_encoding_has_no_blocks(history: History) -> None:
    text = render(history, screen=Screen(80, encoding="ascii"))
    assert text.isascii()
    assert "2.000 -> 1." in text
    assert cells(text, "fc1")[-1].startswith("#")


@pytest.mark.parametrize("colour", [False, True])
def test_escapes_only_in_colour(history: History, colour: bool) -> None:
    assert ("\x1b[" in render(history, screen=Screen(colour=colour))) == colour


def test_wide_characters_keep_the_columns(make: Callable[..., History]) -> None:
    text = render(make(("畳み込み層" * 8, "conv")), screen=Screen(60))
    starts = {
        cell_len(line[: line.index("Conv2d") if "Conv2d" in line else line.index(" 3.47")])
        for line in text.splitlines()
        if " 3.47" in line
    }
    assert len(starts) == 1
