"""The front-end in another page: modules, a source that fetches, and a policy that forbids all that is inline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfav_cli
from rfav_cli.commands.report import prepare_run
from tests.browser.conftest import until
from tests.browser.stores import names_of, write_store

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.browser.conftest import Watch

FRONTEND = Path(rfav_cli.__file__).parent / "render" / "html" / "frontend"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; connect-src 'self'"
PAGE = """<!DOCTYPE html><html><head><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head>
<body><script type="module" src="/host.js"></script></body></html>"""
HOST = """
import { mount } from "./main.js";
window.stop = await mount(document.body, {
  interval: 0.05,
  manifest: async () => (await fetch("/manifest")).json(),
  block: async (run, name) => (await fetch(`/block/${run}/${encodeURIComponent(name)}`)).arrayBuffer(),
});
"""
TYPES = {"js": "text/javascript", "css": "text/css"}


class Host:
    """Answers a page's requests from a store."""

    def __init__(self) -> None:
        self.runs: list[Any] = []

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix("http://rfav.test/")
        headers = {"Content-Security-Policy": POLICY}
        if path == "":
            route.fulfill(body=PAGE, content_type="text/html", headers=headers)
        elif path == "host.js":
            route.fulfill(body=HOST, content_type="text/javascript")
        elif path == "manifest":
            runs = [{"id": str(i), **run.manifest} for i, run in enumerate(self.runs)]
            route.fulfill(body=json.dumps({"schema": 1, "version": "0", "runs": runs}))
        elif path.startswith("block/"):
            _, run, name = path.split("/", 2)
            route.fulfill(body=self.runs[int(run)].blocks[name.replace("%2F", "/")].packed())
        else:
            route.fulfill(path=FRONTEND / path, content_type=TYPES[path.rsplit(".", 1)[1]])


def test_it_follows_a_run_that_goes_on(watch: Watch, tmp_path: Path) -> None:
    host, page = Host(), watch.page
    page.route("http://rfav.test/**", host.answer)
    page.goto("http://rfav.test/")
    page.get_by_text("There are no runs here yet.").wait_for()
    for epochs in (5, 9):
        write_store(tmp_path / f"{epochs}.h5", names_of(4), epochs=epochs)
        host.runs = [prepare_run(tmp_path / f"{epochs}.h5", name="run")]
        until(page, f"document.querySelector('input[type=range]')?.max === '{epochs - 1}'")
        page.locator("input[type=range]").fill(str(epochs - 1))
    page.locator("output.epoch", has_text="epoch 7").wait_for()
    write_store(tmp_path / "last.h5", names_of(4), epochs=10)
    host.runs = [prepare_run(tmp_path / "last.h5", name="run")]
    page.locator("output.epoch", has_text="epoch 8").wait_for()
    page.evaluate("window.stop()")
    assert page.locator(".rfav").count() == 0
