"""A CSV file of paths and labels beside images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """pictures/0.png to 5.png, each of the gray value of its number."""
    (tmp_path / "set" / "pictures").mkdir(parents=True)
    for number in range(6):
        Image.new("L", (4, 3), number).save(tmp_path / "set" / "pictures" / f"{number}.png")
    Image.new("L", (4, 3), 9).save(tmp_path / "outside.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(text, name="labels.csv", **options):
    Path("set", name).write_text(text, encoding="utf-8")
    return open_source(f"set/{name}", SampleOptions(**options))


@pytest.mark.parametrize(
    "text",
    [
        "path,label\npictures/3.png,1\npictures/0.png,0\n",
        "Label;Filename\n1;pictures/3.png\n0;pictures/0.png\n",
        "id\tsplit\tclass\npictures/3\tval\t1\npictures/0\tval\t0\n",
        "pictures/3.png,1\npictures/0.png,0\n",
        "\ufefffile_name , target\n\n pictures/3.png , 1\n./pictures/0.png,0\n",
        "image,kind\npictures/3.png,1\npictures/../pictures/0.png,0\n",
    ],
)
@pytest.mark.parametrize("name", ["labels.csv", "labels.TSV"])
def test_forms_of_a_table(text, name):
    source = opened(text, name)
    assert source.labels.tolist() == [1, 0]
    assert source.read(np.array([0, 1]))[:, 0, 0, 0].tolist() == [3, 0]
    assert (source.classes, source.alphabetical) == ((), False)


def test_labels_by_name_are_numbered_by_the_alphabet_or_the_file(tmp_path):
    text = "path,label\npictures/3.png,wasp\npictures/0.png,ant\n"
    source = opened(text)
    assert (source.labels.tolist(), source.classes, source.alphabetical) == ([1, 0], ("ant", "wasp"), True)
    Path("classes.txt").write_text("wasp\nbee\nant\n")
    source = opened(text, classes_file=Path("classes.txt"))
    assert (source.labels.tolist(), source.alphabetical) == ([0, 2], False)


def test_without_labels_and_by_its_name():
    Path("set/list.txt").write_text("pictures/3.png\n")
    assert open_source("csv:set/list.txt", SampleOptions()).labels is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "holds nothing"),
        ("path,label\n", "names no images"),
        ("path,label\n../outside.png,1\n", r"line 2: ../outside.png: lies outside of"),
        ("path,label\n{here}/outside.png,1\n", "lies outside of"),
        ("path,label\nlink.png,1\n", "lies outside of"),
        ("path,label\npictures/7.png,1\n", "there is no such file below"),
        ("path,label\npictures/0.png\n", "line 2: nothing in column 2"),
        ("a,b,c\n1,2,3\n", "no column of files among a, b, c"),
        ("elsewhere/0.png,1\nelsewhere/1.png,0\n", r"line 1: elsewhere/0\.png: there is no such file below"),
        ("path,b,c\npictures/0.png,2,3\n", "no column of labels among path, b, c"),
        ("path,label\npictures/\x00.png,1\n", "no such file|cannot be read"),
        ("path,label\n\x1b[31m,1\n", r"\\x1b"),
    ],
)
def test_what_is_refused(folder, text, what):
    Path("set/link.png").symlink_to(folder / "outside.png")
    with pytest.raises(SampleError, match=what) as caught:
        opened(text.replace("{here}", str(folder)))
    assert caught.value.what.isprintable()
