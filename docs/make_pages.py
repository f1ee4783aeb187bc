"""Takes the documents' pictures of the report and of TensorBoard's tab, in a headless Chromium.

for run in overfit forgetful healthy; do
    rfav analyze sample_models/$run --model sample_models.net:make_net --probe sample_models/probe.npz --out $run.h5
done
PYTHONPATH=. python docs/make_pages.py overfit.h5 forgetful.h5 healthy.h5 docs     # report.png and tensorboard.png
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

import rfav_cli
from tests.browser.server import started

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

REPORT, TENSORBOARD = (1280, 1888), (1360, 1000)
"""Pixels of each picture: what is below is cut off."""
DRAWN = ".map-row canvas"
"""What is drawn last."""
PATIENCE = 60_000
"""Milliseconds."""


def main(stores: Sequence[str], out: str) -> None:
    """A picture of the page that all stores share, and of the tab that shows the first of them."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        rfav_cli.report(stores, out=folder / "report.html")
        take(browser, (folder / "report.html").as_uri(), REPORT, Path(out) / "report.png")
        for store in stores:
            (folder / "runs" / Path(store).stem).mkdir(parents=True)
            shutil.copy(store, folder / "runs" / Path(store).stem / "rfav.h5")
        with started(folder / "runs", folder) as address:
            take(browser, address, TENSORBOARD, Path(out) / "tensorboard.png", run=Path(stores[0]).stem)
        browser.close()


def take(browser: Browser, address: str, size: tuple[int, int], out: Path, *, run: str = "") -> None:
    """Take a picture of a page once its heatmaps are drawn.

    Args:
        browser: that shows it.
        address: of the page.
        size: width and height in pixels.
        out: the file.
        run: which run of TensorBoard's tab is shown; the page itself where it is empty.
    """
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme="light")
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    shown = page.frame_locator("iframe") if run else page
    if run:
        shown.locator(".run-tab", has_text=run).click()
    shown.locator(DRAWN).first.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=out)
    page.close()


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
