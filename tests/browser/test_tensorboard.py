"""The tab in TensorBoard itself, started as a user starts it, in a real browser."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import until
from tests.browser.server import opened, started
from tests.browser.stores import HOSTILE, names_of, write_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Frame

    from tests.browser.conftest import Watch

GROWING = {"epochs": 9, "samples": 20, "images": 3}


@pytest.fixture(scope="module")
def logdir(stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, one that is still written, and one of an enemy."""
    folder = tmp_path_factory.mktemp("logdir")
    for name in ("first", "second"):
        (folder / name).mkdir()
        shutil.copy(stores / f"{name}.h5", folder / name / "rfav.h5")
    (folder / "growing").mkdir()
    write_store(folder / "growing" / "rfav.h5", names_of(4), stop=3, **GROWING)
    write_store(folder / "<img src=x onerror=alert(9)>.h5", HOSTILE)
    (folder / "broken").mkdir()
    (folder / "broken" / "rfav.h5").write_text("no store")
    return folder


@pytest.fixture(scope="module")
def address(logdir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a TensorBoard on the folder."""
    with started(logdir, tmp_path_factory.mktemp("tensorboard")) as found:
        yield found


def choose(frame: Frame, run: str) -> None:
    frame.locator(".run-tab", has_text=run).click()


def test_the_tab_opens_without_event_files_and_its_views_are_drawn(watch: Watch, address: str) -> None:
    page, frame = opened(watch, address)
    assert page.get_by_role("tab", name="rfav").get_attribute("aria-selected") == "true"
    choose(frame, "first")
    for part in (".layers tbody tr", ".map-row canvas"):
        until(frame, f"document.querySelectorAll('{part}').length === 9")
    canvases = "[...document.querySelectorAll('.map-row canvas')]"
    pixels = "getContext('2d').getImageData(0, 0, 8, 8).data"
    until(frame, f"{canvases}.every((each) => each.{pixels}.some((value) => value))")
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    frame.get_by_text("Stores that are not shown (1)").click()
    assert "not an rfav store" in frame.locator(".foot details li").first.inner_text()
    choose(frame, "onerror")
    assert frame.locator(".layers tbody tr").count() == len(HOSTILE)
    assert frame.locator(".rfav img").count() == 0


def test_runs_epochs_and_layers_are_selected_and_the_frame_stays_where_it_is(watch: Watch, address: str) -> None:
    page, frame = opened(watch, address)
    where = frame.evaluate("location.pathname + location.search")
    choose(frame, "second")
    assert frame.locator(".layers tbody tr").count() == 7
    frame.locator(".layers tbody tr th button").nth(2).click()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    frame.locator("output.epoch", has_text="epoch 0").wait_for()
    assert frame.locator("select option:checked").inner_text() == names_of(9)[4]
    until(frame, "location.hash.includes('epoch=0')")
    assert frame.evaluate("location.pathname + location.search") == where
    _, frame = opened(watch, address)  # as by the browser's button: the frame is another
    assert frame.locator(".run-tab[aria-pressed=true]").inner_text() == "second"
    assert frame.locator("output.epoch").inner_text() == "epoch 0"
    assert frame.locator("select option:checked").inner_text() == names_of(9)[4]


def test_an_epoch_that_is_added_is_shown_and_a_run_that_comes(watch: Watch, address: str, logdir: Path) -> None:
    page, frame = opened(watch, address)
    choose(frame, "growing")
    page.keyboard.press("End")
    frame.locator("output.epoch", has_text="epoch 1").wait_for()
    for stop, last in ((4, 2), (None, 7)):  # one more, then to the end, packed
        write_store(logdir / "growing" / "rfav.h5", names_of(4), stop=stop, **GROWING)
        frame.locator("output.epoch", has_text=f"epoch {last}").wait_for()
        until(frame, f"document.querySelector('input[type=range]').max === '{last + 1}'")
    write_store(logdir / "later.h5", names_of(3))
    choose(frame, "later")
    assert frame.locator(".layers tbody tr").count() == 3
