import os
import socket
from pathlib import Path

import pytest

from rfav_cli.files.regular import NotRegularError, open_regular


def test_a_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"bytes")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for name in ("a", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"bytes"


def test_a_link_is_refused_where_none_is_followed(tmp_path):
    (tmp_path / "a").write_bytes(b"bytes")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(NotRegularError, match="is a link"):
        open_regular(tmp_path / "link", follow=False)
    with open_regular(tmp_path / "a", follow=False) as file:
        assert file.read() == b"bytes"


def _make(kind: str, path: Path) -> Path:
    if kind == "a device":
        return Path("/dev/zero")
    if kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    return path


@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a socket", "a device"])
def test_what_is_no_file_is_named_at_once(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.exists() else 0
    with pytest.raises(NotRegularError, match=f"is {kind}, not a regular file") as raised:
        open_regular(_make(kind, Path("x")))
    assert raised.value.filename is not None
    if before:
        assert len(list(descriptors.iterdir())) <= before


def test_what_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
