"""A headless browser, and pages on stores that are drawn here. Without a browser, these tests skip and say so."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import rfav_cli
from tests.browser.stores import HOSTILE, names_of, write_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Frame, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the interactive page is NOT TESTED: no playwright")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with playwright.sync_playwright() as driver:
        if found is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("the interactive page is NOT TESTED: there is no Chromium (apt-get install chromium)")
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


class Watch:
    """A page, and everything on it that must not be: errors, dialogs, requests to anywhere."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.wrong: list[str] = []
        self.theirs = "nowhere:"
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._note(True, str(error)))
        self.page.on("dialog", self._dialog)
        self.allowed = ALLOWED
        self.page.on("request", lambda request: self._note(not request.url.startswith(self.allowed), request.url))

    def _hear(self, message: Any) -> None:
        ours = not message.location["url"].startswith(self.theirs)
        self._note(ours and message.type in {"error", "warning"}, message.text)

    def _note(self, bad: bool, text: str) -> None:
        if bad and "getImageData" not in text:  # advice on speed, for what only tests do
            self.wrong.append(text)

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, path: Path, address: str = "") -> Page:
        """Open a file, and wait until it is drawn."""
        self.page.goto(f"{path.as_uri()}{address}")
        self.page.wait_for_selector(".rfav .layers tbody tr")
        self.page.wait_for_selector(".rfav .large")
        return self.page


def until(page: Page | Frame, expression: str) -> None:
    """Wait until an expression is true there. The page's policy forbids what playwright's own wait does."""
    deadline = time.monotonic() + 60
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


ALLOWED = ("file:", "data:", "blob:", "http://rfav.test/")


@pytest.fixture
def watch(browser: Browser) -> Iterator[Watch]:
    """A fresh page; the test fails if anything went wrong on it."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    watched = Watch(context)
    yield watched
    texts = [frame.evaluate("document.body.textContent") for frame in watched.page.frames]
    context.close()
    assert not any("[object " in text for text in texts)
    assert watched.wrong == []


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `first.h5`, `second.h5`, `hostile.h5`."""
    folder = tmp_path_factory.mktemp("stores")
    write_store(folder / "first.h5", names_of(9))
    write_store(folder / "second.h5", names_of(9)[2:], epochs=9)
    write_store(folder / "hostile.h5", HOSTILE, checkpoint="</script>\u202e<b>{:d}.pt")
    return folder


@pytest.fixture(scope="session")
def report(stores: Path) -> Path:
    """A page on two runs."""
    return rfav_cli.report([stores / "first.h5", stores / "second.h5"], out=stores / "two.html")


@pytest.fixture(scope="session")
def hostile(stores: Path) -> Path:
    """A page on a store whose every text was chosen by an enemy."""
    return rfav_cli.report(stores / "hostile.h5", out=stores / "hostile.html")
