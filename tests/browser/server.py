"""TensorBoard itself, started as a user starts it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Frame, Page

    from tests.browser.conftest import Watch

ROOT = Path(__file__).parent.parent.parent


def with_entry_point(folder: Path) -> str:
    """A folder for PYTHONPATH in which this checkout is installed, with the entry points of its `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / "rfav_cli-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rfav-cli\nVersion: 0\n")
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["tensorboard_plugins"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[tensorboard_plugins]", *lines, ""]))
    return os.pathsep.join([str(folder), str(ROOT)])


@contextlib.contextmanager
def started(logdir: Path, place: Path) -> Iterator[str]:
    """The address of a TensorBoard on a folder, which is stopped in the end.

    Args:
        logdir: where it looks for runs.
        place: an empty folder, for what starting it needs.
    """
    pytest.importorskip("tensorboard", reason="TensorBoard's tab is NOT TESTED: no tensorboard")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = place / "tensorboard.log"
    environment = os.environ | {"PYTHONPATH": with_entry_point(place / "site")}
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
