"""The table of names, specifications, options, and what the sources share."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data import sources as samples
from rfav_cli.data.sources import SOURCES, SampleOptions, open_source
from rfav_cli.data.sources.base import read_class_file, resize, to_gray
from rfav_cli.errors import SampleError

WHERE = Path("somewhere")


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
    with pytest.raises(SampleError, match=r"(?s)no data set imagenet.*tiny-imagenet"):
        open_source("imagenet:folder", SampleOptions())


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
        ({"resize": 99999999}, "--resize 99999999x99999999: not a size"),
    ],
)
def test_what_is_out_of_range_is_said_as_it_is_given(options: dict[str, Any], what: str) -> None:
    with pytest.raises(SampleError) as caught:
        SampleOptions(**options)
    assert caught.value.what == what


def test_a_class_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "classes.txt", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(SampleError) as caught:
            read_class_file(path)
        assert caught.value.what == f"--classes {path}: {why}"


def test_class_file(tmp_path: Path) -> None:
    file = tmp_path / "classes.txt"
    file.write_text("\ufeffcat\r\n\r\n T-shirt/top \n", encoding="utf-8")
    assert read_class_file(file) == ("cat", "T-shirt/top")


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "names no class"), (b"a\nb\na\n", "a twice"), (b"\xff\xfe", "utf-8")]
)
def test_a_bad_class_file_is_named(content: bytes, what: str, tmp_path: Path) -> None:
    file = tmp_path / "classes.txt"
    file.write_bytes(content)
    with pytest.raises(SampleError, match=what) as caught:
        read_class_file(file)
    assert "classes.txt" in caught.value.what


def test_gray_of_bytes_is_that_of_pillow(rng: np.random.Generator) -> None:
    colour = rng.integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(colour[0]).convert("L"))
    np.testing.assert_array_equal(to_gray(colour, WHERE)[0, :, :, 0], expected)


def test_gray_of_floats(rng: np.random.Generator) -> None:
    colour = rng.random((2, 3, 4, 4), dtype=np.float32)
    expected = 0.299 * colour[..., 0] + 0.587 * colour[..., 1] + 0.114 * colour[..., 2]
    np.testing.assert_allclose(to_gray(colour, WHERE)[..., 0], expected, rtol=1e-6)


def test_gray_leaves_one_channel_and_refuses_two() -> None:
    one = np.zeros((1, 2, 2, 1), dtype=np.uint8)
    assert to_gray(one, WHERE) is one
    with pytest.raises(SampleError, match="somewhere: --gray needs 3 channels, not 2"):
        to_gray(np.zeros((1, 2, 2, 2), dtype=np.uint8), WHERE)


def test_arrays_are_resized_as_files_are(rng: np.random.Generator) -> None:
    colour = rng.integers(0, 256, (1, 33, 47, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(colour[0]).resize((16, 20), Image.Resampling.BILINEAR))
    ours = resize(colour, (20, 16))
    assert ours.dtype == np.uint8
    assert np.abs(ours[0].astype(int) - expected.astype(int)).max() <= 1
