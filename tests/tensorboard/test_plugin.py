"""The plugin inside TensorBoard's own WSGI application, asked by werkzeug's client."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import rfav_cli
from rfav_cli.commands.report import prepare_run
from tests.browser.stores import HOSTILE, names_of, write_store

if TYPE_CHECKING:
    from werkzeug.test import Client

pytest.importorskip("tensorboard", reason="TensorBoard's tab is NOT TESTED: no tensorboard")

FRONTEND = Path(rfav_cli.__file__).parent / "render" / "html" / "frontend"
PREFIX = "/data/plugin/rfav"


def started(logdir: str | Path) -> tuple[Client, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TensorBoard's own
        from tensorboard.backend.application import TensorBoardWSGI
    from werkzeug.test import Client

    from rfav_cli.tensorboard.plugin import RfavPlugin

    context = SimpleNamespace(logdir=str(logdir), flags=None, assets_zip_provider=None, data_provider=None)
    plugin = RfavPlugin(context)
    return Client(TensorBoardWSGI([plugin])), plugin


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logdir")
    write_store(folder / "good.h5", names_of(3), epochs=4, samples=8, images=2, side=4)
    write_store(folder / "<script>alert(1)<script>.h5", HOSTILE, epochs=4, samples=8, images=2, side=4)
    (folder.parent / "secret.js").write_text("secret")
    return folder


def test_the_tab_is_there_with_stores_and_without_event_files(logdir: Path, tmp_path: Path) -> None:
    client, _ = started(logdir)
    listed = client.get("/data/plugins_listing").get_json()["rfav"]
    assert listed["enabled"] is True
    module = listed["loading_mechanism"]["module_path"]
    assert module == f"{PREFIX}/tensorboard.js"
    assert b"export async function render" in client.get(module).data
    assert not started(tmp_path)[1].is_active()


@pytest.mark.parametrize("folder", ["", "gs://bucket/runs", "no/such/folder"])
def test_no_folder_of_this_machine(folder: str) -> None:
    client, plugin = started(folder)
    assert not plugin.is_active()
    assert client.get(f"{PREFIX}/manifest").get_json()["runs"] == []
    assert client.get(f"{PREFIX}/block?run=a&name=entropy&revision=b").status_code == 404


def test_each_module_that_is_imported_is_served_with_its_type(logdir: Path) -> None:
    client, _ = started(logdir)
    for file in FRONTEND.iterdir():
        answer = client.get(f"{PREFIX}/{file.name}")
        assert (answer.status_code, answer.data) == (200, file.read_bytes())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.mimetype == {".js": "text/javascript", ".css": "text/css"}[file.suffix]
        again = client.get(f"{PREFIX}/{file.name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.mimetype == answer.mimetype  # TensorBoard warns of answers without a type


@pytest.mark.parametrize(
    "path",
    [
        "/../plugin.py",
        "/%2e%2e/tensorboard/plugin.py",
        "/..%2f..%2f__init__.py",
        "/main.js/../../__init__.py",
        "/main.js%00.py",
        "//etc/passwd",
        "/secret.js",
        "/__init__.py",
        "/good.h5",
        "/",
    ],
)
def test_no_address_leads_to_another_file(logdir: Path, path: str) -> None:
    assert started(logdir)[0].get(PREFIX + path).status_code == 404


def test_runs_and_their_blocks_are_those_of_the_stores(logdir: Path) -> None:
    client, _ = started(logdir)
    answer = client.get(f"{PREFIX}/manifest")
    assert answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    runs = {run["name"]: run for run in answer.get_json()["runs"]}
    assert set(runs) == {"good", "<script>alert(1)<script>"}
    for name, run in runs.items():
        prepared = prepare_run(logdir / f"{name}.h5", name=name)
        assert {key: value for key, value in run.items() if key != "id"} == prepared.manifest
        for block in prepared.blocks:
            asked = {"run": run["id"], "name": block, "revision": run["revision"]}
            got = client.get(f"{PREFIX}/block", query_string=asked)
            assert (got.mimetype, got.data) == ("application/octet-stream", prepared.blocks[block].packed())
            kept = client.get(f"{PREFIX}/block", query_string=asked, headers={"If-None-Match": got.headers["ETag"]})
            assert (kept.status_code, kept.data) == (304, b"")


def test_the_manifest_is_sent_again_only_when_it_changed(tmp_path: Path) -> None:
    client, _ = started(tmp_path)
    write_store(tmp_path / "rfav.h5", names_of(3), epochs=4, samples=8, images=2, side=4, stop=2)
    first = client.get(f"{PREFIX}/manifest")
    same = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{PREFIX}/manifest", headers=same).status_code == 304
    write_store(tmp_path / "rfav.h5", names_of(3), epochs=4, samples=8, images=2, side=4, stop=3)
    second = client.get(f"{PREFIX}/manifest", headers=same)
    assert second.status_code == 200
    assert [len(each.get_json()["runs"][0]["document"]["epochs"]) for each in (first, second)] == [2, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"run": "../secret"},
        {"run": "good"},
        {"run": "%2e%2e/good.h5"},
        {"name": "map/99"},
        {"name": "../../etc/passwd"},
        {"name": "__class__"},
        {"revision": ""},
        {"revision": "0" * 64},
    ],
)
def test_a_block_that_nobody_told_of(logdir: Path, change: dict[str, str]) -> None:
    client, _ = started(logdir)
    run = next(run for run in client.get(f"{PREFIX}/manifest").get_json()["runs"] if run["name"] == "good")
    asked = {"run": run["id"], "name": "entropy", "revision": run["revision"]}
    assert client.get(f"{PREFIX}/block", query_string=asked).status_code == 200
    answer = client.get(f"{PREFIX}/block", query_string=asked | change)
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert all(value not in answer.text for value in change.values() if value)


def test_nothing_can_be_written(logdir: Path) -> None:
    client, _ = started(logdir)
    for method in (client.post, client.put, client.delete):
        assert method(f"{PREFIX}/manifest").status_code == 405


def test_the_start_of_tensorboard_loads_nothing_heavy_of_ours() -> None:
    code = (
        "import sys\nfrom types import SimpleNamespace\nfrom rfav_cli.tensorboard.plugin import RfavPlugin\n"
        "plugin = RfavPlugin(SimpleNamespace(logdir='.'))\nplugin.get_plugin_apps()\n"
        "print(sorted({'torch', 'h5py', 'matplotlib', 'tensorflow'} & set(sys.modules)))\n"
        "plugin._runs.manifest()\n"
        "print(sorted({'torch', 'matplotlib', 'tensorflow'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "[]"]
