"""The table of names, specifications and options."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from rfav_cli.data import sources as samples
from rfav_cli.data.sources import SOURCES, SampleOptions, open_source
from rfav_cli.errors import SampleError


def test_each_name_is_a_file_and_each_file_a_name() -> None:
    stems = {file.stem for file in Path(samples.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert {name.replace("-", "_") for name in SOURCES} == stems


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_keeps_the_contract(name: str) -> None:
    module = import_module(f"rfav_cli.data.sources.{name.replace('-', '_')}")
    assert isinstance(module.SPLITS, tuple)
    assert callable(module.open_source)


@pytest.mark.parametrize("spec", ["nowhere", "mnist:nowhere", "mnist:", "imagenet:nowhere", "nowhere.npz", ""])
def test_what_is_not_there_is_named(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SampleError) as caught:
        open_source(spec, SampleOptions())
    assert spec.rpartition(":")[2] in caught.value.what
    assert caught.value.remedy


def test_an_unknown_data_set_lists_the_known() -> None:
    with pytest.raises(SampleError, match=r"(?s)no data set imagenet.*Did you mean tiny-imagenet:folder"):
        open_source("imagenet:folder", SampleOptions())


def test_an_unknown_name_that_is_near_none_lists_all() -> None:
    with pytest.raises(SampleError, match=r"(?s)no data set xyz, and no module.*Known: folder, arrays"):
        open_source("xyz:folder", SampleOptions())


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"(?s)no split dev.*test, train"):
        open_source(f"cifar10:{tmp_path}#dev", SampleOptions())


def test_the_home_folder_is_found_behind_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(SampleError, match="no t10k-images"):
        open_source("mnist:~", SampleOptions())


def test_layout_is_refused_where_there_are_no_arrays(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="--layout is for arrays"):
        open_source(str(tmp_path), SampleOptions(layout="nhwc"))


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"layout": "nchww"}, "--layout"),
        ({"resize": 0}, "--resize"),
        ({"resize": (32, -1)}, "--resize"),
        ({"std": (0.0,)}, "--std"),
        ({"std": (0.2, -0.2, 0.2)}, "--std"),
        ({"mean": (float("nan"),)}, "--mean"),
        ({"mean": ()}, "--mean"),
    ],
)
def test_an_option_out_of_range_is_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(SampleError, match=option):
        SampleOptions(**options)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"std": (0.0,)}, "--std 0: out of range"),
        ({"std": (0.25, -0.2, 0.2)}, "--std 0.25,-0.2,0.2: out of range"),
        ({"resize": (0, 3)}, "--resize 0x3: not a size"),
        ({"resize": 99999999}, "--resize 99999999: not a size"),
    ],
)
def test_what_is_out_of_range_is_said_as_it_is_given(options: dict[str, Any], what: str) -> None:
    with pytest.raises(SampleError) as caught:
        SampleOptions(**options)
    assert caught.value.what == what
