from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rfav_cli
from rfav_cli.commands import report as reporting
from rfav_cli.errors import StoreError
from rfav_cli.store import pack
from rfav_cli.tensorboard import runs
from rfav_cli.tensorboard.runs import RunsBelow
from tests.browser.stores import names_of, write_store

if TYPE_CHECKING:
    from pathlib import Path


def store(path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_store(path, names_of(3), **({"epochs": 6, "samples": 8, "images": 2, "side": 4} | options))
    return path


def entropies(shown: RunsBelow, run: dict[str, Any]) -> Any:
    packed = shown.block(run["id"], "entropy", run["revision"])
    return np.frombuffer(zlib.decompress(packed), "<f4").reshape(run["blocks"]["entropy"]["shape"])


def test_runs_are_called_as_tensorboard_calls_them(tmp_path: Path) -> None:
    for name in ("rfav.h5", "one/rfav.h5", "two/late.h5", "two/rfav.h5", "both/x.h5", "both/x/rfav.h5"):
        store(tmp_path / name)
    manifest = RunsBelow(tmp_path).manifest()
    names = ["both/x/rfav.h5", "both/x.h5", "one", "rfav", "two/late", "two"]
    assert [run["name"] for run in manifest["runs"]] == names
    assert len({run["id"] for run in manifest["runs"]}) == 6
    assert manifest["skipped"] == []


def test_a_run_is_followed_from_its_first_epoch_until_it_is_packed(tmp_path: Path) -> None:
    shown = RunsBelow(tmp_path, patience=0)
    assert shown.is_empty()
    path = tmp_path / "exp" / "rfav.h5"
    store(path, stop=0)
    assert not shown.is_empty()
    assert "holds no epoch yet" in shown.manifest()["skipped"][0]["reason"]
    seen = []
    for stop in (1, 4, None):
        store(path, stop=stop)
        [run] = shown.manifest()["runs"]
        np.testing.assert_array_equal(entropies(shown, run), rfav_cli.open_store(path).entropy.astype("f4"))
        seen.append(run)
    assert [len(run["document"]["epochs"]) for run in seen] == [1, 4, 6]
    assert entropies(shown, seen[1]).shape == (4, 3)  # a page may be one behind
    with pytest.raises(StoreError):
        entropies(shown, seen[0])


def test_packing_alone_is_no_new_revision(tmp_path: Path) -> None:
    shown = RunsBelow(tmp_path)
    path = store(tmp_path / "rfav.h5", stop=6)
    before = shown.manifest()
    pack(path)
    assert shown.manifest() == before
    assert len(zlib.decompress(shown.block(before["runs"][0]["id"], "map/0", before["runs"][0]["revision"]))) > 0


def test_a_store_is_read_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    real = reporting.prepare_run
    monkeypatch.setattr(reporting, "prepare_run", lambda path, **options: read.append(path) or real(path, **options))
    path = store(tmp_path / "rfav.h5", stop=2)
    shown = RunsBelow(tmp_path)
    assert shown.manifest() == shown.manifest()
    assert read == [path]
    store(path, stop=3)
    shown.manifest()
    assert read == [path, path]


def test_the_folder_is_searched_again_after_a_while(tmp_path: Path) -> None:
    now = 0.0
    shown = RunsBelow(tmp_path, patience=3, clock=lambda: now)
    assert shown.is_empty()
    path = store(tmp_path / "rfav.h5")
    assert shown.is_empty()
    now = 3.0
    assert not shown.is_empty()
    [run] = shown.manifest()["runs"]
    path.unlink()
    now = 6.0
    assert shown.manifest()["runs"] == []
    with pytest.raises(StoreError):
        entropies(shown, run)


def test_a_damaged_store_is_said_and_hides_no_other(tmp_path: Path) -> None:
    store(tmp_path / "good.h5")
    (tmp_path / "bad\u202e").mkdir()
    (tmp_path / "bad\u202e" / "rfav.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    manifest = RunsBelow(tmp_path).manifest()
    assert [run["name"] for run in manifest["runs"]] == ["good"]
    [skipped] = manifest["skipped"]
    assert skipped["name"] == "bad\\u202e"
    assert "damaged" in skipped["reason"]
    assert json.dumps(manifest, ensure_ascii=False).isprintable()


def test_an_error_that_nobody_thought_of_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(tmp_path / "good.h5")
    store(tmp_path / "odd.h5")
    prepare = reporting.prepare_run

    def prepare_run(path: Path, **options: Any) -> Any:
        if path.stem == "odd":
            raise ValueError("a\x1b[2J")
        return prepare(path, **options)

    monkeypatch.setattr(reporting, "prepare_run", prepare_run)
    manifest = RunsBelow(tmp_path).manifest()
    assert [run["name"] for run in manifest["runs"]] == ["good"]
    assert manifest["skipped"] == [{"name": "odd", "reason": "cannot be shown (ValueError: a\\x1b[2J)"}]


def test_only_the_newest_of_many_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_RUNS", 2)
    for name, changed in {"new": 20, "old": 10, "newer": 30}.items():
        os.utime(store(tmp_path / f"{name}.h5"), (changed, changed))
    manifest = RunsBelow(tmp_path).manifest()
    assert [run["name"] for run in manifest["runs"]] == ["new", "newer"]
    assert manifest["skipped"][0]["name"] == "1 more"


@pytest.mark.parametrize("name", [b"<img src=x>.h5", b"\xff\xfe.h5", b"a&b=c#d?e%2F.h5", b"\xe2\x80\xae.h5"])
def test_an_id_is_of_plain_letters_and_gives_the_run(tmp_path: Path, name: bytes) -> None:
    path = store(tmp_path / "plain.h5")
    path.rename(tmp_path / os.fsdecode(name))
    shown = RunsBelow(tmp_path)
    [run] = shown.manifest()["runs"]
    assert run["id"].isascii()
    assert run["name"].isprintable()
    assert entropies(shown, run).shape == (6, 3)


def test_the_process_ends_while_threads_read(tmp_path: Path) -> None:
    """A thread that is ended inside of HDF5 keeps a lock that the process waits for."""
    store(tmp_path / "rfav.h5", epochs=60)
    code = (
        "import pathlib, sys, threading, time\n"
        "from rfav_cli.tensorboard.runs import RunsBelow\n"
        "shown = RunsBelow(pathlib.Path(sys.argv[1]))\n"
        "run = shown.manifest()['runs'][0]\n"
        "def read():\n"
        "    while True:\n"
        "        shown.block(run['id'], 'map/0', run['revision'])\n"
        "for _ in range(4):\n"
        "    threading.Thread(target=read, daemon=True).start()\n"
        "time.sleep(0.3)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
