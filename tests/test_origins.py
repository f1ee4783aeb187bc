from __future__ import annotations

from pathlib import Path

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.origins import SetByProject, ask, read_with, set_by_project


@pytest.fixture
def download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a checkpoint and a folder in it; links to it and to the checkpoint lie where the command is run."""
    (tmp_path / "download" / "run").mkdir(parents=True)
    (tmp_path / "download" / "epoch_1.pt").touch()
    (tmp_path / "link").symlink_to(tmp_path / "download")
    (tmp_path / "epoch_1.pt").symlink_to(tmp_path / "download" / "epoch_1.pt")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "download"


@pytest.mark.parametrize(
    "given",
    [
        "download",
        "./download/../download",
        "link",
        "link/run/..",
        "datasets:download",
        "datasets:link#test",
        ".",
        "..",
    ],
)
def test_a_file_lies_with_a_folder_that_is_read(download: Path, given: str) -> None:
    assert read_with(download / "pyproject.toml", ["elsewhere", given]) == given
    assert read_with(download / "run" / "pyproject.toml", [given]) == given


@pytest.mark.parametrize(
    "given",
    ["download/run", "download/*", "a[0]", "download/epoch_1.pt", "nets.py:make", "", "none", "\0", "x" * 9999],
)
def test_it_does_not_lie_with_what_is_below_it_or_no_folder(download: Path, given: str) -> None:
    assert read_with(download / "pyproject.toml", [given]) == ""


@pytest.mark.parametrize(
    "given",
    ["download/epoch_1.pt", "link/epoch_1.pt", "epoch_1.pt", "download", "download/*.pt", "link/**/epoch_?.pt", "*"],
)
def test_checkpoints_are_read_with_the_folder_that_they_are_in(download: Path, given: str) -> None:
    assert read_with(download / "pyproject.toml", [], [given]) == given
    assert read_with(download.parent.parent / "pyproject.toml", [], [given]) == ""
    assert read_with(download / "pyproject.toml", [], ["download/run", "link/run/*.pt", "\0", "x" * 9999]) == ""


def test_a_link_to_the_file_lies_where_the_link_is(download: Path) -> None:
    (download.parent / "pyproject.toml").touch()
    (download / "pyproject.toml").symlink_to(download.parent / "pyproject.toml")
    assert read_with(download / "pyproject.toml", ["download"]) == "download"


def test_what_a_file_sets_is_said_once() -> None:
    said: list[str] = []
    with set_by_project(SetByProject(Path("/mine/pyproject.toml"), {"--model": "nets.py:make"}, "", said.append)):
        ask("--model")
        ask("--model")
        ask("--probe")
    ask("--model")
    assert said == ["note: --model nets.py:make is set by /mine/pyproject.toml"]


def test_what_a_file_among_the_inputs_sets_is_refused() -> None:
    said: list[str] = []
    options = SetByProject(Path("run/pyproject.toml"), {"--model": "nets.py:make"}, "run", said.append)
    with set_by_project(options), pytest.raises(UsageError, match=r"--model nets\.py:make: set by run/pyproject\.toml"):
        ask("--model")
    assert said == []


def test_blocks_within_one_another_are_put_back() -> None:
    said: list[str] = []
    with set_by_project(SetByProject(Path("a"), {"--model": "m:a"}, "", said.append)):
        with set_by_project(None):
            ask("--model")
        assert said == []
        ask("--model")
    assert said == ["note: --model m:a is set by a"]
