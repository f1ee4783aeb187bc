"""Objects of the user's code by name, whichever option names them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from rfav_cli.errors import SampleError
from rfav_cli.user_code import Wanted, find, importable, is_module, names_code, unknown

WANTED = Wanted("--probe", "data set", SampleError)


@pytest.fixture(autouse=True)
def forgotten():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "held_out.py").write_text(
        "import random\nfrom rfav_code_beside import A\ndrawn = random.random()\n"
        "def late():\n    import top_level\n    return A\n"
    )
    (tmp_path / "sets" / "rfav_code_beside.py").write_text("A = 'beside'\n")
    (tmp_path / "top_level.py").write_text("B = 'top'\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("spec", "is_code"),
    [
        ("nets:make", True),
        ("my_pkg.data:Sets.held_out", True),
        ("path to/file.py:x", True),
        ("nets", False),
        ("cifar10:folder/of/it", False),
        ("C:\\sets", False),
        ("file.py:", False),
        ("https://host/file.py:x", False),
        (":x", False),
    ],
)
def test_what_names_code(spec, is_code):
    assert names_code(spec) is is_code


def test_a_file_that_is_there_is_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a:b").touch()
    assert not names_code("a:b")


def test_what_is_a_module(folder):
    assert [is_module(name) for name in ("top_level", "json", "no_such_module", "__main__")] == [
        True,
        True,
        False,
        True,
    ]


def test_a_file_finds_what_lies_beside_it_and_in_the_current_folder(folder):
    found = find("sets/held_out.py:late", WANTED)
    assert found.folders == (folder / "sets", folder)
    before = list(sys.path)
    with found.importable():
        assert found.value() == "beside"
    assert sys.path == before


def test_a_file_is_run_once_until_it_changes(folder):
    drawn = find("sets/held_out.py:drawn", WANTED).value
    assert find("sets/held_out.py:drawn", WANTED).value == drawn
    os.utime("sets/held_out.py", ns=(1, 1))
    assert find("sets/held_out.py:drawn", WANTED).value != drawn


def test_files_of_one_name_are_not_mixed_up(folder):
    (folder / "held_out.py").write_text("drawn = 'the other'\n")
    assert find("sets/held_out.py:drawn", WANTED).value != "the other"
    assert find("held_out.py:drawn", WANTED).value == "the other"


@pytest.mark.parametrize("spec", ["no_such:x", "no_such.py:x", "sets/held_out.py:xyzzy", "word", "sets/held_out.py:"])
def test_errors_name_the_option(folder, spec):
    with pytest.raises(SampleError, match=r"^--probe ") as caught:
        find(spec, WANTED)
    assert caught.value.remedy


def test_near_names_are_offered():
    what, remedy = unknown("--probe sets", "val_sett", ["val_set", "\x1b"], "Name one.")
    assert (what, remedy) == ("--probe sets: there is no val_sett", "Did you mean val_set?")
    assert unknown("--probe sets", "xyzzy", ["val_set"], "Name one.")[1] == "Name one."


def test_the_import_path_is_given_back_after_an_error(tmp_path):
    before = list(sys.path)
    with pytest.raises(ZeroDivisionError), importable(tmp_path):
        _ = 1 / 0
    assert sys.path == before
