"""`rfav report` as a process."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from rfav_cli import open_store
from tests.browser.stores import HOSTILE, names_of, write_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_store(folder / "rfav.h5", names_of(3), epochs=6)
    (folder / "other").mkdir()
    write_store(folder / "other" / "rfav.h5", HOSTILE, epochs=6, checkpoint="</script>\u202e{:d}")
    return folder


def manifest_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="rfav-manifest">(.*?)</script>', page)
    assert found
    document: dict[str, object] = json.loads(found[1])
    return document


def test_one_page_that_needs_nothing_else(rfav: Rfav, stores: Path, tmp_path: Path) -> None:
    done = rfav(tmp_path, "report", stores / "rfav.h5", stores / "other" / "rfav.h5", "--out", "two.html")
    assert (done.code, done.out) == (0, "")
    assert re.fullmatch(r"two\.html: written, \d+\.\d MB\n", done.err)
    page = (tmp_path / "two.html").read_text(encoding="utf-8")
    runs = manifest_of(page)["runs"]
    assert isinstance(runs, list)
    assert [run["name"] for run in runs] == [stores.name, "other"]
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:|@import|url\(""", page)
    assert page.count("<script") == page.count("</script>")
    assert page.count("<img") == 0
    assert re.search(r"script-src 'sha256-[^ ]*'; ", page)
    assert [path.name for path in tmp_path.iterdir()] == ["two.html"]


def test_the_store_and_the_page_have_their_usual_names(rfav: Rfav, stores: Path) -> None:
    assert rfav(stores, "report").code == 0
    assert rfav(stores, "report", "--maps", "1").code == 0  # our own page is replaced
    runs = manifest_of((stores / "report.html").read_text(encoding="utf-8"))["runs"]
    assert isinstance(runs, list)
    assert runs[0]["images"]["shown"] == 1
    assert runs[0]["blocks"]["map/0"]["shape"][1] == 1


def test_stores_without_maps_correlations_or_labels_have_a_page(rfav: Rfav, tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", names_of(2), epochs=6, images=0, labels=False, without=("correlation", "probe"))
    assert rfav(tmp_path, "report").code == 0
    runs = manifest_of((tmp_path / "report.html").read_text(encoding="utf-8"))["runs"]
    assert isinstance(runs, list)
    assert {"entropy", "distribution", "mean_map/0"} <= set(runs[0]["blocks"])
    assert not {"correlation", "map/0", "thumbnails"} & set(runs[0]["blocks"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.h5"], ["nothing.h5"]),
        (["rfav.h5", "--out", "other"], ["other", "is a folder"]),
        (["rfav.h5", "--out", "nowhere/report.html"], ["nowhere", "no folder"]),
        (["rfav.h5", "--out", "rfav.h5"], ["rfav.h5", "reads it"]),
        (["rfav.h5", "--maps", "-1"], ["--maps"]),
        (["rfav.h5", "--maps", "many"], ["--maps"]),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    rfav: Rfav, stores: Path, arguments: list[str], words: list[str]
) -> None:
    before = {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()}
    done = rfav(stores, "report", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert done.err.count("\n") <= 2
    for word in words:
        assert word in done.err
    assert {path: path.read_bytes() for path in stores.rglob("*") if path.is_file()} == before


def test_a_store_without_an_epoch_is_no_run_yet(rfav: Rfav, stores: Path, tmp_path: Path) -> None:
    from rfav_cli.store import StoreWriter

    StoreWriter.open(tmp_path / "rfav.h5", open_store(stores / "rfav.h5").run)
    done = rfav(tmp_path, "report")
    assert done.code == 2
    assert "holds no epoch yet" in done.err
    assert not (tmp_path / "report.html").exists()
