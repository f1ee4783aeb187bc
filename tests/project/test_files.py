"""Which files of a project are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.project.files import DEEPEST, python_files, walk

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in python_files(folder)]


def write(folder: Path, *files: str) -> None:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("")


def test_the_projects_own_code_is_found_the_upper_files_first(tmp_path):
    write(tmp_path, "pkg/nets.py", "main.py", "setup.py", "pkg/data.txt", "pkg/inner/more.py")
    assert names(tmp_path) == ["main.py", "pkg/nets.py", "pkg/inner/more.py"]


def test_what_is_not_the_projects_own_is_passed_over(tmp_path):
    write(tmp_path, ".hidden/a.py", "venv/b.py", "my_env/pyvenv.cfg", "my_env/lib/c.py", "tests/d.py", "e.py")
    (tmp_path / "link").symlink_to(tmp_path.parent)
    (tmp_path / "linked.py").symlink_to(tmp_path / "e.py")
    assert names(tmp_path) == ["e.py"]


def test_deep_folders_and_crowded_ones_end_the_search(tmp_path, monkeypatch):
    deep = "/".join(f"d{level}" for level in range(DEEPEST + 1))
    write(tmp_path, f"{deep}/too_deep.py", "d0/near.py")
    assert names(tmp_path) == ["d0/near.py"]
    monkeypatch.setattr("rfav_cli.project.files.MOST", 1)
    assert [place for place, _, _ in walk(tmp_path)] == [tmp_path, tmp_path / "d0"]


def test_a_folder_that_is_gone_holds_nothing(tmp_path):
    assert list(walk(tmp_path / "none")) == [(tmp_path / "none", [], [])]
