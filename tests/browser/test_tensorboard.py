"""The tab in TensorBoard itself, started as a user starts it, in a real browser."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.stores import HOSTILE, names_of, write_store

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Frame, Page

    from tests.browser.conftest import Watch

ROOT = Path(__file__).parent.parent.parent
GROWING = {"epochs": 9, "samples": 20, "images": 3}


def with_entry_point(folder: Path) -> str:
    """A folder for PYTHONPATH in which this checkout is installed, with the entry points of its `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / "rfav_cli-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rfav-cli\nVersion: 0\n")
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["tensorboard_plugins"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[tensorboard_plugins]", *lines, ""]))
    return os.pathsep.join([str(folder), str(ROOT)])


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
    """Of a TensorBoard on the folder, which is stopped in the end."""
    pytest.importorskip("tensorboard", reason="TensorBoard's tab is NOT TESTED: no tensorboard")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "tensorboard.log"
    environment = os.environ | {"PYTHONPATH": with_entry_point(tmp_path_factory.mktemp("site"))}
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--host", "127.0.0.1"]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--port", str(port)], env=environment, stdout=out, stderr=out)
    try:
        wait_for(f"http://127.0.0.1:{port}/data/plugins_listing", process, log)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
    said = log.read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert "will become an error" not in said  # what TensorBoard says of answers that are not safe


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while not answers(address):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=30):
        return True
    return False


def opened(watch: Watch, address: str) -> tuple[Page, Frame]:
    """The page, and the frame of the tab once it is drawn."""
    watch.allowed = (address, "data:", "blob:")
    watch.theirs = f"{address}index.js"
    page = watch.page
    page.goto(address)
    page.wait_for_selector("iframe")
    handle = page.query_selector("iframe")
    frame = handle.content_frame() if handle else None
    assert frame
    frame.wait_for_selector(".rfav .layers tbody tr")
    frame.wait_for_selector(".rfav .large")
    return page, frame


def until(page: Page, frame: Frame, expression: str) -> None:
    deadline = time.monotonic() + 60
    while not frame.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def choose(frame: Frame, run: str) -> None:
    frame.locator(".run-tab", has_text=run).click()


def test_the_tab_opens_without_event_files_and_its_views_are_drawn(watch: Watch, address: str) -> None:
    page, frame = opened(watch, address)
    assert page.get_by_role("tab", name="rfav").get_attribute("aria-selected") == "true"
    choose(frame, "first")
    assert frame.locator(".layers tbody tr").count() == 9
    assert frame.locator(".map-row canvas").count() == 9
    canvases = "[...document.querySelectorAll('.map-row canvas')]"
    pixels = "getContext('2d').getImageData(0, 0, 8, 8).data"
    until(page, frame, f"{canvases}.every((each) => each.{pixels}.some((value) => value))")
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
    until(page, frame, "location.hash.includes('epoch=0')")
    assert frame.evaluate("location.pathname + location.search") == where


def test_an_epoch_that_is_added_is_shown_and_a_run_that_comes(watch: Watch, address: str, logdir: Path) -> None:
    page, frame = opened(watch, address)
    choose(frame, "growing")
    page.keyboard.press("End")
    frame.locator("output.epoch", has_text="epoch 1").wait_for()
    for stop, last in ((4, 2), (None, 7)):  # one more, then to the end, packed
        write_store(logdir / "growing" / "rfav.h5", names_of(4), stop=stop, **GROWING)
        frame.locator("output.epoch", has_text=f"epoch {last}").wait_for()
        until(page, frame, f"document.querySelector('input[type=range]').max === '{last + 1}'")
    write_store(logdir / "later.h5", names_of(3))
    choose(frame, "later")
    assert frame.locator(".layers tbody tr").count() == 3
