"""How long a report takes to be made and opened, how large it is, and what a step on it costs.

    PYTHONPATH=. python -m benchmarks.report --stores DIR     # a minute, once the stores have been made in DIR

A process of its own makes each report, as the command does. It is opened in headless Chromium from the disk. A step is
an arrow key, until the next frame is drawn.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.stores import names_of, write_store

if TYPE_CHECKING:
    from playwright.sync_api import Page

STORES: dict[str, tuple[int, dict[str, Any]]] = {
    "31 epochs x 5 layers x 32 images": (5, {"epochs": 31, "samples": 1000, "images": 32, "side": 32}),
    "500 epochs x 60 layers x 32 images": (60, {"epochs": 500, "samples": 1000, "images": 32, "side": 16}),
    "40 epochs x 200 layers x 8 images": (200, {"epochs": 40, "samples": 200, "images": 8, "side": 16}),
}
"""Name -> how many layers, and the rest of it as for `write_store`; maps of later layers are smaller."""
STEPS = 20


def main() -> None:
    """Print a line a store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, required=True, help="folder that the stores are made in, or taken from")
    options = parser.parse_args()
    options.stores.mkdir(parents=True, exist_ok=True)
    print("| store | made in s | MB | opened in s | epoch step in ms | layer step in ms |")
    print("|---|---|---|---|---|---|")
    for name, (layers, size) in STORES.items():
        store = options.stores / f"{name.replace(' ', '-')}.h5"
        if not store.exists():
            write_store(store, names_of(layers), **size)
        page = store.with_suffix(".html")
        store.read_bytes()  # so that the disk is not part of it
        seconds = [made(store, page) for _ in range(3)]
        opening, *steps = looked_at(page)
        told = [f"{min(seconds):.2f}", f"{page.stat().st_size / 1e6:.1f}", f"{opening:.2f}", *steps]
        print(f"| {name} | {' | '.join(told)} |", flush=True)


def made(store: Path, page: Path) -> float:
    """Seconds that the command takes."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "rfav_cli", "report", str(store), "--out", str(page)]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def looked_at(path: Path) -> tuple[float, str, str]:
    """Seconds until all in sight is drawn, the least of three; what steps through the epochs and the layers cost."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opening = []
        for _ in range(3):
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            start = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector(".rfav .large")
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            opening.append(time.perf_counter() - start)
        page.wait_for_timeout(1000)
        epochs, layers = (steps(page, *keys) for keys in (("ArrowRight", "ArrowLeft"), ("ArrowDown", "ArrowUp")))
        browser.close()
    return min(opening), epochs, layers


def steps(page: Page, there: str, back: str) -> str:
    """Median and highest cost of a key, until the next frame is drawn."""
    costs = []
    for step in range(STEPS):
        page.evaluate(
            """window.cost = new Promise((done) => addEventListener("keydown", () => {
                const start = performance.now();
                requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
            }, { once: true, capture: true })), 0"""
        )
        page.keyboard.press(there if step < STEPS // 2 else back)
        costs.append(page.evaluate("window.cost"))
    return f"{statistics.median(costs):.0f} ({max(costs):.0f})"


if __name__ == "__main__":
    main()
