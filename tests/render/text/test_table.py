from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.cells import cell_len

from rfav_cli.diagnosis import judge
from rfav_cli.records import FilterFinding, LayerFinding, Onset, RunFinding, Settings, Verdict
from rfav_cli.render import Screen, render
from tests.render.conftest import HOSTILE, shown, with_training

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import History

WIDTHS = (40, 60, 80, 200)


def cells(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(start)).split()


def test_shows_each_figure_of_a_layer(history: History) -> None:
    text = shown(history, screen=Screen(200))
    assert cells(text, "layer") == [
        "layer",
        "kind",
        "D",
        "state",
        "first",
        "last",
        "lowest",
        "of",
        "max",
        "corr",
        "|corr|",
        "trend",
    ]
    row = cells(text, "fc1 ")
    assert row[:3] == ["fc1", "Conv2d", "32"]
    assert row[-10:-1] == [*row[3:5], "3.47", "0.87", "0.87", "@10", "25%", "-0.01", "0.12"]
    assert len(row[-1]) == 12
    assert row[-1][0] == "█"
    assert row[-1][-1] == "▃"


@pytest.mark.parametrize("epochs", [False, True])
def test_the_verdict_stands_above_the_table(make: Callable[..., History], epochs: bool) -> None:
    history = make(epochs=30)
    onset = judge(history).run.onset
    assert onset
    lines = shown(history, epochs=epochs).splitlines()
    at = lines.index("")
    since = f"{onset.epoch}" if onset.low == onset.high else f"{onset.epoch} ({onset.low} to {onset.high})"
    assert lines[at + 1] == f"verdict: overfitting since epoch {since}, by held-out loss and accuracy"
    assert lines[at + 2].startswith("held-out loss")
    assert next(line for line in lines[at + 3 :] if line.startswith("epoch" if epochs else "layer"))


def test_each_state_of_a_layer_is_in_its_row(history: History) -> None:
    layers = (
        LayerFinding("conv1", "stable"),
        LayerFinding("conv2", "falling", Onset(3, 2, 4), evidence="falls"),
        LayerFinding("fc1", None, evidence="says nothing"),
    )
    text = render(history, Verdict(RunFinding("healthy", "why"), layers), screen=Screen(200))
    assert cells(text, "conv1")[3] == "stable"
    assert cells(text, "conv2")[3:5] == ["falling", "@3"]
    assert cells(text, "fc1")[3] == "n/a"
    assert "\nLayers that lose entropy\n  conv2: falls\n" in text
    assert "says nothing" not in text


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_in_the_evidence_steer_nothing(hostile: History, encoding: str) -> None:
    found = judge(hostile)
    layers = tuple(
        dataclasses.replace(
            each,
            state="collapsed",
            evidence=f"{HOSTILE} lost",
            filters=(FilterFinding("constant", 1, HOSTILE),),
        )
        for each in found.layers
    )
    run = RunFinding("overfitting", f"collapses in {HOSTILE}", "both")
    text = render(hostile, Verdict(run, layers), screen=Screen(200, encoding=encoding))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.count(r"\x1b[31m[bold]\u202e") >= 6


def test_lowest_is_the_minimum_and_its_epoch(history: History) -> None:
    history.columns["entropy/mean"][4, 0] = 0.5
    assert "0.50 @3" in shown(history)


def test_head_shows_first_best_and_last(make: Callable[..., History]) -> None:
    text = shown(make(epochs=11))
    assert "rfav.h5: 11 epochs (-1 to 9), 3 layers" in text
    assert "probe: 1,000 samples of probe.npz, sha256 abababab" in text
    assert "held-out loss      2.000 → 1.000 (epoch 4) → 2.000  █" in text
    assert "held-out accuracy  10.0% → 60.0% (epoch 9) → 60.0%  ▁" in text


@pytest.mark.parametrize("epochs", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("names", [("conv1", "fc1"), tuple(f"features.stage{i}.block.conv" for i in range(200))])
def test_fits_the_screen(make: Callable[..., History], names: tuple[str, ...], width: int, epochs: bool) -> None:
    text = shown(make(names), epochs=epochs, screen=Screen(width))
    assert max(cell_len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", [60, 80, 200])
def test_long_paths_in_the_head_are_cut_at_their_beginning(make: Callable[..., History], width: int) -> None:
    history = make(path=f"/runs/{'deep/' * 40}rfav.h5")
    probe = dataclasses.replace(history.run.probe, source=f"cifar10:/data/{'深い/' * 40}cifar-10")
    text = shown(dataclasses.replace(history, run=dataclasses.replace(history.run, probe=probe)), screen=Screen(width))
    first, second, third = text.splitlines()[:3]
    assert re.fullmatch(r"….*/rfav\.h5: 12 epochs \(-1 to 10\), 3 layers", first)
    assert re.fullmatch(r"probe: 1,000 samples of ….*cifar-10, sha256 abababab", second)
    assert third.startswith("held-out loss")
    assert max(cell_len(first), cell_len(second)) <= width


def test_a_row_for_each_of_200_layers(make: Callable[..., History]) -> None:
    text = shown(make(tuple(f"layer{i}" for i in range(200))))
    assert len(re.findall(r"^layer\d+ .*3\.47", text, re.MULTILINE)) == 200


@pytest.mark.parametrize("width", WIDTHS)
def test_says_which_columns_are_left_out(make: Callable[..., History], width: int) -> None:
    text = shown(make(), screen=Screen(width))
    assert ("Left out at this width" in text) == (" kind " not in text)


def test_rows_of_epochs_show_the_layers_that_fit(make: Callable[..., History]) -> None:
    text = shown(make(tuple(f"layer{i}" for i in range(30)), epochs=3), epochs=True)
    header = cells(text, "epoch")
    assert header[:3] == ["epoch", "loss", "accuracy"]
    assert header[-1] == "layer29"
    assert f"The last {len(header) - 3} of 30 layers" in text
    assert cells(text, "   -1")[:4] == ["-1", "2.000", "10.0%", "3.47"]


def test_one_channel_does_not_apply(make: Callable[..., History]) -> None:
    row = cells(shown(make(("a", "b"), channels=(1, 8)), screen=Screen(200)), "a ")
    assert row[:8] == ["a", "Conv2d", "1", "n/a", "n/a", "n/a", "n/a", "n/a"]


def test_nothing_but_nan(history: History) -> None:
    for values in history.columns.values():
        if values.dtype.kind == "f":
            values[:] = np.nan
    text = shown(history)
    assert cells(text, "conv1") == ["conv1", "Conv2d", "32", *["n/a"] * 7]
    assert "verdict: unknown" in text
    assert "held-out loss      n/a" in text
    assert "n/a" in shown(history, epochs=True)


def test_without_labels(make: Callable[..., History]) -> None:
    text = shown(make(labels=False))
    assert "not measured, the probe has no labels" in text
    assert "→" not in text


def test_one_epoch(make: Callable[..., History]) -> None:
    text = shown(make(epochs=1))
    assert "1 epoch (-1), 3 layers" in text
    assert "held-out loss      1.000\n" in text


@pytest.mark.parametrize("epochs", [False, True])
def test_no_epoch_and_no_layer(make: Callable[..., History], epochs: bool) -> None:
    assert "verdict: unknown\n0 epochs measured" in shown(make(epochs=0), epochs=epochs)
    assert "3 epochs (-1 to 1), 0 layers" in shown(make((), epochs=3), epochs=epochs)


def test_columns_that_an_older_store_has_not(history: History) -> None:
    bare = dataclasses.replace(history, columns={"entropy/mean": history.columns["entropy/mean"]})
    assert cells(shown(bare, screen=Screen(200)), "fc1 ")[-4:-1] == ["25%", "n/a", "n/a"]


@pytest.mark.parametrize("width", [80, 140])
def test_scale_shape_rank_and_dead_filters_fit_on_a_narrow_screen(history: History, width: int) -> None:
    more = {
        f"activation/{name}": np.full((12, 3), value)
        for name, value in (("scale", 0.0001234), ("shape", np.log(32) / 2), ("rank", 8.0), ("dead", 0.125))
    }
    text = shown(dataclasses.replace(history, columns={**history.columns, **more}), screen=Screen(width))
    (head,) = (line.split() for line in text.splitlines() if line.startswith("layer ") and line.endswith(" trend"))
    row = dict(zip(reversed(head), reversed(cells(text, "conv1 ")), strict=False))
    assert [row[name] for name in ("scale", "shape", "rank", "dead")] == ["0.000123", "50%", "25%", "12%"]
    assert "shape: its entropy with each filter at unit scale" in " ".join(text.split())
    assert "dead:" not in shown(history)


def test_other_settings_are_said(history: History) -> None:
    assert "--" not in shown(history).partition("verdict:")[0]
    run = dataclasses.replace(history.run, settings=Settings(with_bias=True, centering="paper", fold_norm=False))
    text = shown(dataclasses.replace(history, run=run)).partition("verdict:")[0]
    assert all(option in text for option in ("--with-bias", "--no-fold-norm", "--centering paper"))


@pytest.mark.parametrize("epochs", [False, True])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_hostile_text_steers_nothing(hostile: History, encoding: str, epochs: bool) -> None:
    text = shown(hostile, epochs=epochs, screen=Screen(60, encoding=encoding))
    text.encode(encoding)
    assert all(character.isprintable() or character == "\n" for character in text)
    if not epochs:
        assert "[bold]" in shown(hostile, screen=Screen(200))


def test_ascii_where_the_encoding_has_no_blocks(history: History) -> None:
    text = shown(history, screen=Screen(80, encoding="ascii"))
    assert text.isascii()
    assert "2.000 -> 1." in text
    assert cells(text, "fc1")[-1].startswith("#")


@pytest.mark.parametrize("colour", [False, True])
def test_escapes_only_in_colour(history: History, colour: bool) -> None:
    assert ("\x1b[" in shown(history, screen=Screen(colour=colour))) == colour


def test_wide_characters_keep_the_columns(make: Callable[..., History]) -> None:
    text = shown(make(("畳み込み層" * 8, "conv")), screen=Screen(60))
    starts = {
        cell_len(line[: line.index("Conv2d") if "Conv2d" in line else line.index(" 3.47")])
        for line in text.splitlines()
        if " 3.47" in line
    }
    assert len(starts) == 1


def test_a_run_that_diverged_has_no_last_loss_and_no_green_layer(history: History) -> None:
    gone = slice(7, None)
    for name in ("probe/loss", "probe/accuracy"):
        np.asarray(history.columns[name])[gone] = np.nan
    np.asarray(history.columns["entropy/mean"])[gone, 1:] = np.nan
    text = shown(history, screen=Screen(200, colour=True))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "held-out loss      2.000 → 1.008 (epoch 4) → not finite" in plain
    assert "held-out accuracy  10.0% → 37.3% (epoch 5) → not finite" in plain
    assert "verdict: diverged since epoch 6, by held-out loss" in plain
    assert "the first layer whose values are not finite is conv2" in plain
    assert [cells(plain, name)[3] for name in ("conv1", "conv2", "fc1")] == ["n/a"] * 3
    assert "\x1b[32m" not in text
    assert "\x1b[1;31mdiverged" in text


def test_a_loss_without_bounds_fits_the_page(history: History) -> None:
    np.asarray(history.columns["probe/loss"])[-3:] = 1.4e36
    text = shown(history)
    assert "→ 1.4e+36" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "1.4e+36" in shown(history, epochs=True)


@pytest.mark.parametrize("labels", [True, False])
def test_training_samples_are_named_with_the_gap_in_confidence(make: Callable[..., History], labels: bool) -> None:
    history = with_training(make(epochs=4, labels=labels), confidence=0.75, gap=0.125)
    text = shown(history)
    assert "training samples: 500 of train.npz, sha256 efefefef" in text
    assert "confidence gap     0.125 → 0.125 (epoch -1) → 0.125" in text
    rows = shown(history, epochs=True)
    assert cells(rows, "epoch")[:5] == ["epoch", "loss", "accuracy", "trained", "gap"]
    assert cells(rows, "   -1")[3:5] == ["0.750", "0.125"]
    assert "trained: mean confidence on training samples" in rows


def test_a_run_without_training_samples_says_nothing_of_them(make: Callable[..., History]) -> None:
    for epochs in (True, False):
        assert "train" not in shown(make(), epochs=epochs)


def calibrated(history: History) -> History:
    """The same with figures of its calibration."""
    epochs = len(history)
    names = ("temperature", "calibrated_loss", "confidence", "calibration_error")
    figures = {f"probe/{name}": np.full(epochs, 0.5 + place / 4) for place, name in enumerate(names)}
    return dataclasses.replace(history, columns={**history.columns, **figures})


def test_the_head_says_how_calibrated_the_last_epoch_is(history: History) -> None:
    lines = shown(calibrated(history), screen=Screen(60)).splitlines()
    place = lines.index("calibration        confidence 100.0%, error 125.0%")
    assert lines[place + 1] == "temperature        0.50, the loss goes to 0.750"
    losses = {**calibrated(history).columns, "probe/calibrated_loss": history.loss + 0.25}
    worse = shown(dataclasses.replace(calibrated(history), columns=losses), screen=Screen(60)).splitlines()
    assert worse[place + 1] == f"temperature        0.50, no lower loss: {history.loss[-1] + 0.25:.3f}"
    assert "calibration  " not in shown(history)
    assert "temperature  " not in shown(history)


@pytest.mark.parametrize("width", [50, 60, 80, 140])
def test_the_note_explains_the_columns_that_are_shown_and_names_the_others(history: History, width: int) -> None:
    text = shown(history, screen=Screen(width))
    note = " ".join(text[text.index("State @") :].split("\n\n")[0].split())
    (head,) = (line for line in text.splitlines() if line.startswith("layer "))
    told, _, left_out = note.partition("Left out at this width: ")
    for title, words in {"lowest": "lowest @", "corr": "; corr: ", "|corr|": "|corr|: ", "of max": "of max: "}.items():
        is_shown = f" {title} " in head
        assert (words.strip("; ") in told) == is_shown
        assert (title in left_out.partition(";")[0].split(", ")) != is_shown
    assert not {"scale", "shape", "rank", "dead"} & {*left_out.partition(";")[0].split(", ")}


def test_rows_of_epochs_have_the_calibration_where_it_was_measured(history: History) -> None:
    text = shown(calibrated(history), epochs=True, screen=Screen(120))
    head = ["epoch", "loss", "accuracy", "calibrated", "T", "conf", "error", "conv1", "conv2", "fc1"]
    assert cells(text, "epoch") == head
    assert cells(text, "   -1")[3:7] == ["0.750", "0.50", "100.0%", "125.0%"]
    assert "calibrated: the loss with a temperature" in text
    assert "calibrated" not in shown(history, epochs=True)


def test_losses_without_bounds_and_a_screen_without_room_for_a_layer_are_told(history: History) -> None:
    values = {"probe/loss": np.full(len(history), 1e30), "probe/calibrated_loss": np.full(len(history), 1e30)}
    gone = dataclasses.replace(calibrated(history), columns={**calibrated(history).columns, **values})
    lines = shown(gone, screen=Screen(60), epochs=True).splitlines()
    assert max(map(len, lines)) <= 60
    assert any("1.0e+30" in line for line in lines)
    narrow = " ".join(shown(gone, screen=Screen(42), epochs=True).split())
    assert "No room for 3 layers; --format csv has all." in narrow
    assert "00000000" not in narrow
