"""What CONTRIBUTING says of each plug-in, done in a copy of the project: it is measured, drawn and listed at once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COPIED = ("rfav_cli", "tests", "docs", "README.md", "CONTRIBUTING.md", "pyproject.toml")
BLOCK = re.compile(r"```(python|diff) (\S+)\n(.*?)```\n", re.DOTALL)
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {
    title: BLOCK.findall(body)
    for title, body in re.findall(r"^### (.*?)\n(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE)
}
HOUSE = [
    f"tests/test_house.py::test_{name}"
    for name in (
        "each_plug_in_is_in_its_table_and_back",
        "the_readme_lists_each_plug_in",
        "the_contributors_guide_lists_each_folder_of_plug_ins",
        "the_command_line_offers_each_format",
        "the_help_names_each_source",
        "the_help_names_each_choice",
        "each_statistic_gives_figures_that_are_shown",
    )
]
"""What holds of every plug-in."""
BESIDE = {"A checkpoint format": ["tests/checkpoints/formats/test_formats.py"]}
"""Tests of a folder that each plug-in of it has to pass."""


def changed(text: str, diff: str) -> str:
    """A text after a change: lines with a plus come after the line that begins as the one before, or in its place."""
    lines, at = text.splitlines(), -1
    for line in diff.splitlines():
        mark, rest = line[:1], line[1:]
        if mark == "+":
            at += 1
            lines.insert(at, rest)
        else:
            at = next(number for number, present in enumerate(lines) if present.startswith(rest))
            if mark == "-":
                del lines[at]
                at -= 1
    return "\n".join(lines) + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the tests of a plug-in need."""
    for name in COPIED:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, tmp_path / name, ignore=ignored) if source.is_dir() else shutil.copy(source, tmp_path)
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def written(project: Path, title: str, *, but: str = "") -> list[str]:
    """Do what a section says, but for what it changes in one file; give its test files."""
    for kind, name, content in SECTIONS[title]:
        path = project / name
        if name == but:
            continue
        path.write_text(content if kind == "python" else changed(path.read_text(), content), encoding="utf-8")
    return [name for kind, name, _ in SECTIONS[title] if kind == "python" and name.startswith("tests/")]


def test_there_are_sections() -> None:
    assert len(SECTIONS) >= 5


@pytest.mark.parametrize("title", SECTIONS)
def test_a_plug_in_by_the_book_passes(project: Path, title: str) -> None:
    tests = written(project, title)
    done = run(project, *tests, *BESIDE.get(title, []), *HOUSE)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.parametrize("title", SECTIONS)
def test_a_plug_in_is_one_file_one_line_and_one_row(title: str) -> None:
    changes = [(kind, name, content) for kind, name, content in SECTIONS[title] if not name.startswith("tests/")]
    assert [kind for kind, _, _ in changes] == ["python", "diff", "diff"]
    assert [content.count("\n+") for kind, _, content in changes if kind == "diff"] == [1, 1]
    assert changes[2][1] == "README.md"


@pytest.mark.parametrize("title", ["A statistic of activations", "A figure of `rfav plot`"])
def test_the_tests_name_a_row_that_is_missing(project: Path, title: str) -> None:
    written(project, title, but="README.md")
    name = Path(SECTIONS[title][0][1]).stem
    done = run(project, HOUSE[1])
    assert done.returncode == 1
    assert name in done.stdout
