"""Bad input: exit code 2, one or two lines that say what is wrong and where, and no store that is half written."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from tests.acceptance.bad_input import CASES
from tests.acceptance.runs import ANALYZE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

LISTS = {"no_model"}
"""Cases whose message goes on with a list."""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("name", CASES)
def test_bad_input(rfav: Rfav, folder: Path, name: str) -> None:
    arguments, words = CASES[name](folder)
    before = contents(folder)
    done = rfav(folder, *arguments)
    assert (done.code, done.out) == (2, ""), done.err
    *told, error = ("\n" + done.err).split("\nerror: ")
    assert "Traceback" not in done.err
    assert len(told) == 1
    assert len(error.splitlines()) <= 2 or name in LISTS
    assert [character for character in done.err if not (character.isprintable() or character == "\n")] == []
    assert {word for word in words if word not in error} == set()
    after = contents(folder)
    assert {path: after.get(path) for path in before} == before
    # A run that stops at a bad checkpoint keeps the epochs before it, and they can be read; nothing else may be left.
    left = {path.split("/")[0] for path in set(after) - set(before)}
    assert left <= {"rfav.h5.d"}
    assert not left or rfav(folder, "show").code == 0


def test_cuda_without_cuda(rfav: Rfav, folder: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is CUDA")
    done = rfav(folder, *ANALYZE, "--device", "cuda")
    assert (done.code, done.out) == (2, "")
    assert "--device cuda" in done.err
    assert "rfav doctor" in done.err


def test_an_output_folder_that_cannot_be_written(rfav: Rfav, folder: Path) -> None:
    root = os.geteuid() == 0
    if root and sys.platform != "linux":
        pytest.skip("root can write everywhere")
    (folder / "results").mkdir()
    (folder / "results").chmod(0o555)
    done = rfav(folder, *ANALYZE, "--out", "results/rfav.h5", unprivileged=root)
    assert (done.code, done.out) == (2, ""), done.err
    assert "Traceback" not in done.err
    assert "results/rfav.h5" in done.err
    assert "--out" in done.err
    assert list((folder / "results").iterdir()) == []


def test_what_was_not_expected_is_said_in_two_lines_or_traced(rfav: Rfav, folder: Path) -> None:
    (folder / "moody.py").write_text(
        "from tiny_net import TinyNet\n"
        "class Moody(TinyNet):\n"
        "    def eval(self):\n"
        "        raise ValueError('not today \\x1b[31m')\n"
    )
    arguments = [*ANALYZE, "--model", "moody:Moody", "--quiet"]
    done = rfav(folder, *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[0] == r"error: ValueError: not today \x1b[31m"
    assert "rfav --traceback" in done.err.splitlines()[1]
    assert len(done.err.splitlines()) == 2
    traced = rfav(folder, "--traceback", *arguments)
    assert traced.code == 2
    assert "Traceback (most recent call last)" in traced.err
    assert "moody.py" in traced.err
