"""Every figure of every kind of history, and what text from files may do in it: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import rfav_cli
from rfav_cli.errors import StoreError, UsageError
from rfav_cli.render.figures import FIGURES
from tests.render.conftest import make_history
from tests.render.figures.histories import KINDS, complete

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_can_be_drawn(figure: str, kind: str, tmp_path: Path) -> None:
    rfav_cli.plot(KINDS[kind], figure=figure, out=tmp_path / "a.png", dpi=30)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("figure", FIGURES)
def test_several_runs_share_a_figure(figure: str, tmp_path: Path) -> None:
    runs = [KINDS["plain"], KINDS["nan"], complete(make_history(("conv1", "other"), path="b.h5"))]
    rfav_cli.plot(runs, figure=figure, out=tmp_path / "a.png", dpi=30)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("end", ["pdf", "svg"])
def test_the_same_store_gives_the_same_bytes(figure: str, end: str, tmp_path: Path) -> None:
    for name in "ab":
        rfav_cli.plot(KINDS["tokens"], figure=figure, out=tmp_path / f"{name}.{end}", dpi=30)
    assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_options_change_the_figure() -> None:
    history = KINDS["plain"]
    assert rfav_cli.plot(history, width=9.0).get_figwidth() == 9.0
    log = rfav_cli.plot(history, figure="correlation", log_counts=True).axes[0].collections[0]
    assert type(log.norm).__name__ == "SymLogNorm"
    other = rfav_cli.plot(history, figure="correlation", colormap="magma").axes[0].collections[0]
    assert other.get_cmap().name == "magma"
    assert rfav_cli.plot(history, figure="loss", name=["mine"]).legends[0].get_texts()[0].get_text() == "mine"


def test_what_a_store_has_not_cannot_be_drawn() -> None:
    bare = make_history(labels=False)
    lacking = {"loss": "no held-out loss", "heatmaps": "no heatmaps", "correlation": "no histograms"}
    lacking["scale"] = "measured without scale and shape"
    for figure, said in lacking.items():
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
