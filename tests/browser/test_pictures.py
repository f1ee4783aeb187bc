"""Pictures of the page and of the tab on the sample series, and on a net of 200 layers.

They are kept where `RFAV_PICTURES` names a folder, to be looked at.
"""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rfav_cli
from tests.browser.conftest import until
from tests.browser.server import opened, started
from tests.browser.stores import names_of, write_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Frame, Page

    from tests.browser.conftest import Watch

SAMPLES = Path(rfav_cli.__file__).parent.parent / "sample_models"
SERIES = {
    "overfit": "overfitting since epoch 11 (overconfidence",
    "healthy": "ealthy",
    "forgetful": "overfitting since epoch 11 (lost knowledge",
}
"""Name -> what its page says of it first."""
VIEWS = (
    "Layers and epochs",
    "Mean entropy of each layer",
    "Heatmaps",
    "Correlation of the filters",
    "Samples",
    "All layers",
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of each sample series, as `rfav analyze` writes it."""
    folder = tmp_path_factory.mktemp("runs")
    for name in SERIES:
        (folder / name).mkdir()
        rfav_cli.analyze(
            SAMPLES / name,
            model="sample_models.net:make_net",
            probe=SAMPLES / "probe.npz",
            out=folder / name / "rfav.h5",
        )
    return folder


@pytest.fixture(scope="module")
def address(measured: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(measured, tmp_path_factory.mktemp("tensorboard")) as found:
        yield found


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go."""
    folder = Path(os.environ.get("RFAV_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_views(page: Page | Frame, layers: int) -> None:
    """Every view is there, and no drawing in sight is blank or of one colour."""
    shown = page.locator(".card h2").all_inner_texts()
    assert [view for view in VIEWS if view not in shown] == []
    assert page.locator(".layers tbody tr").count() == layers
    colours = """Math.min(...[...document.querySelectorAll('.rfav canvas')].filter((each) => {
        const box = each.getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === each;
    }).map((each) => {
        const data = new Uint32Array(each.getContext('2d').getImageData(0, 0, each.width, each.height).data.buffer);
        return new Set(data).size;
    }))"""
    deadline = time.monotonic() + 60
    while not 1 < (fewest := page.evaluate(colours)) < math.inf:
        assert time.monotonic() < deadline, f"a drawing of {fewest} colours"
        page.wait_for_timeout(50)


@pytest.mark.parametrize("name", SERIES)
def test_the_report_of_a_sample_series(watch: Watch, measured: Path, pictures: Path, name: str) -> None:
    store = measured / name / "rfav.h5"
    watch.page.set_viewport_size({"width": 1280, "height": 2400})
    page = watch.open(rfav_cli.report(store, out=pictures / f"{name}.html"))
    verdict = rfav_cli.judge(store)
    said = page.locator(".verdict").inner_text()
    assert SERIES[name] in " ".join(said.lower().split())
    assert verdict.run.figures in said
    check_views(page, layers=5)
    page.screenshot(path=pictures / f"report-{name}.png", full_page=True)


@pytest.mark.parametrize("name", SERIES)
def test_the_tab_on_a_sample_series(watch: Watch, address: str, pictures: Path, name: str) -> None:
    watch.page.set_viewport_size({"width": 1400, "height": 2400})
    page, frame = opened(watch, address)
    frame.locator(".run-tab", has_text=name).click()
    frame.locator(".verdict", has_text=SERIES[name]).wait_for()
    check_views(frame, layers=5)
    page.screenshot(path=pictures / f"tab-{name}.png")


def test_a_net_of_200_layers(watch: Watch, tmp_path: Path, pictures: Path) -> None:
    write_store(tmp_path / "rfav.h5", names_of(200), epochs=30, images=4)
    watch.page.set_viewport_size({"width": 1280, "height": 2600})
    page = watch.open(rfav_cli.report(tmp_path / "rfav.h5", out=tmp_path / "report.html"))
    check_views(page, layers=200)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    before = page.locator("output.epoch").inner_text()
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('output.epoch').textContent !== {before!r}")
    check_views(page, layers=200)
    page.screenshot(path=pictures / "report-200-layers.png", full_page=True)
