from __future__ import annotations

import builtins
import shutil
import threading
from collections import namedtuple
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from rfav_cli.errors import RunError
from rfav_cli.remote import files
from rfav_cli.remote.files import base_of, download, exists, is_plain, list_files, upload, with_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def names(address: str) -> list[str]:
    return sorted(file.name for file in list_files(address).files)


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("s3://b/run/a.pt", "s3://b/run/a.pt"),
        ("s3://b/run/epoch_?.pt", "s3://b/run"),
        ("s3://b/run/**/a.pt", "s3://b/run"),
        ("s3://b/r[un]/a/*.pt", "s3://b"),
        ("https://h/run/a.pt?b=[1]", "https://h/run"),
        ("https://h/a.pt?b=1", "https://h/a.pt?b=1"),
    ],
)
def test_what_lies_before_a_glob(address: str, base: str) -> None:
    assert base_of(address) == base


def test_a_file_a_folder_and_a_glob(memory: MemoryFileSystem) -> None:
    for name in ("epoch_1.pt", "epoch_2.pt", "log.txt", "sub/a.json", "sub/deep/b.json"):
        memory.pipe(f"/run/{name}", b"content")
    assert names("memory://run/epoch_1.pt") == [""]
    assert names("memory://run") == ["epoch_1.pt", "epoch_2.pt", "log.txt", "sub/a.json", "sub/deep/b.json"]
    assert names("memory://run/") == names("memory://run")
    assert names("memory://run/epoch_*.pt") == ["epoch_1.pt", "epoch_2.pt"]
    assert names("memory://run/s*") == ["sub/a.json", "sub/deep/b.json"]
    assert {file.size for file in list_files("memory://run").files} == {7}


def test_what_is_too_deep_is_not_looked_at(memory: MemoryFileSystem) -> None:
    memory.pipe("/run/" + "a/" * 4 + "near.pt", b"")
    memory.pipe("/run/" + "a/" * 5 + "far.pt", b"")
    assert names("memory://run") == ["a/a/a/a/near.pt"]


def test_more_files_than_a_run_has(memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 3)
    for number in range(4):
        memory.pipe(f"/run/{number}.pt", b"")
    with pytest.raises(RunError, match="more than 3 files lie below it"):
        list_files("memory://run")


@pytest.mark.parametrize("name", ["/elsewhere/a.pt", "/run/../a.pt", "/run//a.pt/..", "/run/a\nb.pt", "/run", None, 5])
def test_names_that_lie_elsewhere_are_not_taken(
    memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch, name: Any
) -> None:
    memory.pipe("/run/a.pt", b"")
    entries = [{"name": name, "type": "file", "size": 1}, {"name": "/run/b.pt", "type": "file", "size": 1}]
    if isinstance(name, str):
        monkeypatch.setattr(MemoryFileSystem, "ls", lambda *_, **__: entries)
        assert names("memory://run") == ["b.pt"]
    else:
        assert files._name_below("/run/", name) is None


def test_a_folder_that_leads_to_itself_ends(memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe("/run/a.pt", b"")
    monkeypatch.setattr(MemoryFileSystem, "ls", lambda *_, **__: [{"name": "/run/in", "type": "directory"}])
    assert names("memory://run") == []


@pytest.mark.parametrize(
    ("name", "plain"), [("a/b.pt", True), ("a:b", True), ("..", False), ("a//b", False), ("a/\x1b[2J", False)]
)
def test_plain_names(name: str, plain: bool) -> None:
    assert is_plain(name) == plain


def test_a_file_comes_here_whole_or_not_at_all(
    memory: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/run/a.pt", b"content")
    (file,) = list_files("memory://run/a.pt").files
    download(memory, file, tmp_path / "a.pt", "memory://run/a.pt")
    assert (tmp_path / "a.pt").read_bytes() == b"content"
    for content, message in ((b"more content", "changes while it is read"), (b"less", "ended after 4 of 7 bytes")):
        memory.pipe("/run/a.pt", content)
        with pytest.raises(RunError, match=message):
            download(memory, file, tmp_path / "b.pt", "memory://run/a.pt")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 10))
    with pytest.raises(RunError, match="too little room") as caught:
        download(memory, file, tmp_path / "b.pt", "memory://run/a.pt")
    assert "TMPDIR" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_a_file_goes_there(memory: MemoryFileSystem, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert not exists("memory://run/a")
    upload(tmp_path / "a", "memory://run/a")
    assert exists("memory://run/a")
    assert memory.cat("/run/a") == b"content"


RAISED: dict[str, tuple[Exception, str, str]] = {
    "gone": (FileNotFoundError("x"), "no such file, folder or bucket", "glob"),
    "forbidden": (PermissionError("x"), "access denied", "credentials"),
    "no network": (OSError("cannot connect"), r"OSError: cannot connect", "network"),
    "of a client": (ValueError("https://me:secret@h/x?sig=secret"), r"ValueError: https://h/x\)", "credentials"),
    "no package": (ImportError("install"), "needs a package", "pip install 'rfav-cli"),
}


@pytest.mark.parametrize(("error", "message", "remedy"), RAISED.values(), ids=RAISED)
def test_what_can_go_wrong_is_said(
    memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str, remedy: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(MemoryFileSystem, "info", fail)
    with pytest.raises(RunError, match=message) as caught:
        list_files("memory://me:secret@run")
    assert remedy in caught.value.remedy
    assert "secret" not in str(caught.value)
    assert caught.value.what.startswith("memory://run")


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *more: Any) -> Any:
        if name == "fsspec":
            raise ModuleNotFoundError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", missing)
    for address, package in (("s3://bucket/a", "'rfav-cli[remote]' s3fs"), ("https://h/a", "'rfav-cli[remote]'")):
        with pytest.raises(RunError, match="needs a package") as caught:
            list_files(address)
        assert caught.value.remedy == f"pip install {package}"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A server of a folder, as Python has it; the address of the folder."""
    pytest.importorskip("aiohttp")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_web(web: str, tmp_path: Path) -> None:
    for name in ("epoch 1.pt", "epoch_2.pt", "a/deep.json"):
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).write_bytes(b"content")
    assert names(f"{web}/run/") == names(f"{web}/run") == ["a/deep.json", "epoch 1.pt", "epoch_2.pt"]
    assert names(f"{web}/run/epoch_*.pt") == ["epoch_2.pt"]
    (file,) = list_files(f"{web.replace('//', '//me:secret@')}/run/epoch_2.pt?signature=secret").files
    assert (file.name, file.size) == ("", 7)
    found = list_files(f"{web}/run/")
    for file in found.files:
        download(found.filesystem, file, tmp_path / "here", web)
        assert (tmp_path / "here").read_bytes() == b"content"
        assert with_size(found.filesystem, file, web).size == 7
    with pytest.raises(RunError, match="no such file"):
        list_files(f"{web}/gone.pt")
    with pytest.raises(RunError, match="cannot be written"):
        upload(tmp_path / "here", f"{web}/a.h5")


def test_links_of_a_page_that_lead_elsewhere(web: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    links = ["epoch_1.pt", "/other.pt", "../other.pt", "http://elsewhere.invalid/a.pt", "?C=N", "a%2F..%2F..%2Fb.pt"]
    (tmp_path / "run" / "index.html").write_text("".join(f'<a href="{link}">a</a>' for link in links))
    (tmp_path / "run" / "epoch_1.pt").touch()
    assert names(f"{web}/run/") == ["epoch_1.pt"]


def test_a_server_that_is_not_there() -> None:
    pytest.importorskip("aiohttp")
    with pytest.raises(RunError, match=r"http://127\.0\.0\.1:1/a\.pt: ") as caught:
        list_files("http://127.0.0.1:1/a.pt?key=secret")
    assert "secret" not in str(caught.value)
