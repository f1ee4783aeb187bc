"""`rfav plot` as a user runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rfav_cli.render.figures import FIGURES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

BEGINNINGS = {"pdf": b"%PDF", "png": b"\x89PNG", "svg": b"<?xml"}


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_written(rfav: Rfav, measured: Path, tmp_path: Path, figure: str) -> None:
    for end, beginning in BEGINNINGS.items():
        out = tmp_path / f"a.{end}"
        done = rfav(measured, "plot", "rfav.h5", "rfav.h5", "--figure", figure, "--dpi", "50", "-o", out)
        assert (done.code, done.out, done.err) == (0, "", f"{out}: written\n")
        assert out.read_bytes().startswith(beginning)


def test_the_plain_command_draws_the_overview(rfav: Rfav, folder: Path, measured: Path) -> None:
    (folder / "rfav.h5").write_bytes((measured / "rfav.h5").read_bytes())
    assert rfav(folder, "plot").err == "overview.pdf: written\n"
    assert (folder / "overview.pdf").is_file()


def test_options_of_a_project_hold(rfav: Rfav, folder: Path, measured: Path) -> None:
    (folder / "rfav.h5").write_bytes((measured / "rfav.h5").read_bytes())
    (folder / "pyproject.toml").write_text('[tool.rfav.plot]\nfigure = "loss"\nwidth = 4\n')
    assert rfav(folder, "plot").err == "loss.pdf: written\n"
    assert b"/MediaBox [ 0 0 288 " in (folder / "loss.pdf").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["other.h5"], "other.h5"),
        (["probe.npz"], "probe.npz"),
        (["--figure", "pie"], "pie"),
        (["--epochs", "77"], "--epochs 77"),
        (["--layers", "fc9"], "fc9"),
        (["--out", "a.gif"], "a.gif"),
        (["--out", "no/such/a.pdf"], "no/such"),
        (["--width", "1e9"], "--width"),
        (["--colormap", "nice"], "nice"),
    ],
)
def test_bad_input_is_said_and_writes_nothing(rfav: Rfav, measured: Path, arguments: list[str], said: str) -> None:
    done = rfav(measured, "plot", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) <= 2
    assert not list(measured.glob("*.pdf"))
