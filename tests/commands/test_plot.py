"""Figures from stores; what is on them is tested with the figures."""

from __future__ import annotations

import pytest

import rfav_cli
from rfav_cli.errors import OutputError, UsageError


def test_runs_are_called_after_their_stores_unless_they_are_named(judged):
    def names(**options):
        return {
            text.get_text()
            for legend in rfav_cli.plot(judged, figure="loss", **options).legends
            for text in legend.get_texts()
        }

    assert {"bad", "good"} <= names()
    assert {"before", "after"} <= names(name=["before", "after"])
    with pytest.raises(UsageError, match="--name: 1 for 2 stores"):
        names(name=["before"])


@pytest.mark.parametrize(
    ("out", "said"), [("a.txt", "not a format"), ("none/a.png", "there is no folder"), ("a.png/b.png", "there is no")]
)
def test_where_no_figure_can_be_written_is_said_before_any_work(tmp_path, monkeypatch, out, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").touch()
    with pytest.raises((OutputError, UsageError), match=said):
        rfav_cli.plot("no-such-store.h5", out=out)


@pytest.mark.parametrize(("end", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("SVG", b"<?xml")])
def test_the_format_is_that_of_the_name(judged, tmp_path, end, start):
    rfav_cli.plot(judged[0], figure="loss", out=tmp_path / f"a.{end}", dpi=30)
    assert (tmp_path / f"a.{end}").read_bytes().startswith(start)


def test_a_folder_in_the_place_of_the_file_is_an_error(judged, tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        rfav_cli.plot(judged[0], figure="loss", out=tmp_path / "a.png")


@pytest.mark.parametrize("end", ["png", "pdf", "svg"])
def test_another_figure_is_replaced_and_no_other_file(judged, tmp_path, end):
    out = tmp_path / f"thesis.{end}"
    out.write_text("mine")
    with pytest.raises(OutputError, match="not written by `rfav plot`"):
        rfav_cli.plot(judged[0], figure="loss", out=out)
    assert out.read_text() == "mine"
    for force in (True, False):
        rfav_cli.plot(judged[0], figure="loss", out=out, dpi=20, force=force)
