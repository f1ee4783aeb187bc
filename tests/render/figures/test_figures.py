"""Every figure of every kind of history, and what text from files may do in it: nothing."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rfav_cli
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.render.figures import FIGURES
from tests.render.conftest import HOSTILE, make_history

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.records import History

DOLLARS = "$x^{2$ \\$"


def complete(history: History, *, maps: int = 2, positions: tuple[int, ...] = (8, 8)) -> History:
    """The history with heatmaps, thumbnails and histograms, as a store has them."""
    random = np.random.default_rng(0)
    epochs, layers = len(history), history.run.layers
    columns: dict[str, Any] = dict(history.columns)
    columns["correlation/histogram"] = random.integers(0, 9, (epochs, len(layers), 201)).astype(np.uint32)
    for index, layer in enumerate(layers):
        values = random.uniform(0.2, 1.0, (epochs, max(maps, 1), *positions)) * layer.max_entropy
        columns[f"entropy/mean_map/{index}"] = values.mean(1).astype(np.float32)
        if maps:
            columns[f"entropy/map/{index}"] = values.astype(np.float16)
    thumbnails = random.integers(0, 255, (maps, 8, 8, 3)).astype(np.uint8) if maps else None
    run = replace(
        history.run,
        layers=tuple(replace(layer, positions=positions) for layer in layers),
        probe=replace(history.run.probe, thumbnails=thumbnails),
    )
    return replace(history, run=run, columns=columns)


def with_nan(history: History) -> History:
    entropy, loss = np.array(history.columns["entropy/mean"]), np.array(history.columns["probe/loss"])
    entropy[2:4, 1:], loss[3] = np.nan, np.nan
    return replace(history, columns={**history.columns, "entropy/mean": entropy, "probe/loss": loss})


KINDS: dict[str, History] = {
    "plain": complete(make_history(epochs=29)),
    "one epoch": complete(make_history(epochs=1)),
    "nan": complete(with_nan(make_history())),
    "one channel": complete(make_history(("a", "b"), channels=(1, 8))),
    "60 layers": complete(make_history(tuple(f"stage{i}.conv" for i in range(60)), epochs=6)),
    "tokens": complete(make_history(), positions=(7,)),
    "dense": complete(make_history(), positions=()),
    "volumes": complete(make_history(), positions=(2, 3, 4)),
    "no maps of images": complete(make_history(), maps=0),
    "hostile": complete(make_history((HOSTILE, DOLLARS, "畳み込み", "</svg>", ""), path=HOSTILE)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_can_be_drawn(figure: str, kind: str, tmp_path: Path) -> None:
    rfav_cli.plot(KINDS[kind], figure=figure, out=tmp_path / "a.png", dpi=30)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("figure", FIGURES)
def test_several_runs_share_a_figure(figure: str, tmp_path: Path) -> None:
    runs = [KINDS["plain"], KINDS["nan"], complete(make_history(("conv1", "other"), path="b.h5"))]
    rfav_cli.plot(runs, figure=figure, out=tmp_path / "a.png", dpi=30)


def test_text_from_files_is_drawn_letter_by_letter(tmp_path: Path) -> None:
    page = rfav_cli.plot(KINDS["hostile"], figure="entropy")
    shown = [text.get_text() for text in page.legends[0].get_texts()]
    assert shown[1] == r"\$x^{2\$ \\$"  # matplotlib draws \$ as $, and no mathematics
    assert not page.legends[0].get_texts()[1]._preprocess_math(shown[1])[1]
    assert all(character.isprintable() for text in shown for character in text.replace("\n", ""))
    assert shown[2] == r"\u7573\u307f\u8fbc\u307f"  # what the font has not
    rfav_cli.plot(KINDS["hostile"], figure="overview", out=tmp_path / "a.svg")
    tags = {element.tag.rpartition("}")[2] for element in ET.parse(tmp_path / "a.svg").iter()}
    assert not tags & {"script", "img", "foreignObject"}


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("end", ["pdf", "svg"])
def test_the_same_store_gives_the_same_bytes(figure: str, end: str, tmp_path: Path) -> None:
    for name in "ab":
        rfav_cli.plot(KINDS["tokens"], figure=figure, out=tmp_path / f"{name}.{end}", dpi=30)
    assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_a_pdf_has_its_fonts_as_truetype_and_no_date(tmp_path: Path) -> None:
    rfav_cli.plot(KINDS["plain"], figure="loss", out=tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in data
    assert b"/Type3" not in data
    assert b"CreationDate" not in data


def test_a_figure_shows_itself_and_no_setting_of_the_user_changes_it() -> None:
    import matplotlib

    page: Any = rfav_cli.plot(KINDS["dense"], figure="loss")
    data, size = page._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size == {"width": 600, "height": 320}
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        again: Any = rfav_cli.plot(KINDS["dense"], figure="loss")
        assert again._repr_png_()[0] == data


def test_pyplot_is_not_imported() -> None:
    code = "import sys, rfav_cli.render.figures.overview\nprint('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_curves_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    axes = rfav_cli.plot(history, figure="entropy").axes[0]
    for line, values in zip(axes.lines, history.entropy.T, strict=False):
        np.testing.assert_array_equal(line.get_ydata(), values)
    shares = rfav_cli.plot(history, figure="entropy", fraction=True, epochs="2:5").axes[0].lines[0]
    np.testing.assert_array_equal(shares.get_xdata(), [2, 3, 4, 5])
    np.testing.assert_allclose(shares.get_ydata(), history.entropy[3:7, 0] / np.log(32))
    raw, smoothed = rfav_cli.plot(history, figure="loss").axes[0].lines[:2]
    np.testing.assert_array_equal(raw.get_ydata(), history.loss)
    weights = np.exp(-0.5 * ((history.epochs[:, None] - history.epochs[None]) / 2.0) ** 2)
    np.testing.assert_allclose(smoothed.get_ydata(), weights @ history.loss / weights.sum(1))


def test_the_moment_of_overfitting_has_the_line_of_its_run() -> None:
    run = KINDS["plain"]
    moment = rfav_cli.judge(run).run.onset
    assert moment is not None
    lines = rfav_cli.plot([run, run], figure="entropy").axes[0].lines
    at = [line for line in lines if list(line.get_xdata()) == [moment.epoch, moment.epoch]]
    assert len(at) == 2
    assert at[0].get_linestyle() != at[1].get_linestyle()
    assert at[1].get_linestyle() == lines[len(run.run.layers)].get_linestyle()


def test_counts_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    panels = rfav_cli.plot(history, figure="correlation").axes
    drawn = np.asarray(panels[1].collections[0].get_array()).reshape(201, len(history))
    np.testing.assert_array_equal(drawn.T, history.columns["correlation/histogram"][:, 1])


def test_heatmaps_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    images = rfav_cli.plot(history, figure="heatmaps", images="1", epochs="3", layers=["conv2"]).axes[0].images
    np.testing.assert_array_equal(images[0].get_array(), history.run.probe.thumbnails[1])
    np.testing.assert_allclose(images[1].get_array(), history.columns["entropy/map/1"][4, 1])
    mean = rfav_cli.plot(history, figure="heatmaps", images="mean", epochs="3", layers=["conv2"]).axes[0].images
    np.testing.assert_allclose(mean[0].get_array(), history.columns["entropy/mean_map/1"][4])
    full = rfav_cli.plot(history, figure="heatmaps", full_scale=True).axes[0].images[1]
    assert full.get_clim() == (0.0, pytest.approx(np.log(32)))


def test_options_change_the_figure() -> None:
    history = KINDS["plain"]
    assert rfav_cli.plot(history, width=9.0).get_figwidth() == 9.0
    log = rfav_cli.plot(history, figure="correlation", log_counts=True).axes[0].collections[0]
    assert type(log.norm).__name__ == "SymLogNorm"
    other = rfav_cli.plot(history, figure="correlation", colormap="magma").axes[0].collections[0]
    assert other.get_cmap().name == "magma"
    assert rfav_cli.plot(history, figure="loss", name=["mine"]).legends[0].get_texts()[0].get_text() == "mine"


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
        ({"out": "no/such/a.pdf"}, "no/such"),
    ],
)
def test_wrong_options_say_what_to_do(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        rfav_cli.plot(KINDS["plain"], **options)
    assert said in error.value.what
    assert error.value.remedy


def test_what_a_store_has_not_cannot_be_drawn() -> None:
    bare = make_history(labels=False)
    for figure, said in (("loss", "no held-out loss"), ("heatmaps", "no heatmaps"), ("correlation", "no histograms")):
        with pytest.raises(StoreError, match=said):
            rfav_cli.plot(bare, figure=figure)
    rfav_cli.plot(complete(bare), figure="overview")._repr_png_()  # type: ignore[attr-defined]
    for figure in FIGURES:
        with pytest.raises(StoreError):
            rfav_cli.plot(make_history(epochs=0), figure=figure)
    with pytest.raises(UsageError, match="9 runs"):
        rfav_cli.plot([KINDS["plain"]] * 9)
    with pytest.raises(UsageError, match="no store"):
        rfav_cli.plot([])
