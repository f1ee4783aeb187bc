"""WebDataset's tar files, of which nothing is unpacked."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.errors import SampleError


def png(value, size=(4, 4)):
    file = io.BytesIO()
    Image.new("RGB", size, (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


def npy(value):
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def write(path, members, mode="w"):
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def shard(path, numbers):
    return write(path, {f"a/{n:04}.{k}": c for n in numbers for k, c in (("png", png(n)), ("cls", b"%d" % (n % 2)))})


@pytest.mark.parametrize("spec", ["val-{000..002}.tar", "val-00*.tar", "", "webdataset:val-{000..002}.tar"])
def test_shards_are_one_set(tmp_path, spec):
    for number in range(3):
        shard(tmp_path / "val" / f"val-{number:03}.tar", range(4 * number, 4 * number + 4))
    prefix, _, name = spec.rpartition(":")
    source = open_source(f"{prefix}{':' if prefix else ''}{tmp_path / 'val' / name}", SampleOptions())
    assert source.labels.tolist() == [0, 1] * 6
    rows = np.array([11, 0, 5])
    assert source.read(rows)[:, 0, 0, 0].tolist() == [11, 0, 5]
    assert source.labels_of(rows).tolist() == [1, 0, 1]


def test_a_probe_is_chosen_evenly_and_the_same_each_time(tmp_path):
    path = str(shard(tmp_path / "a.tar", range(40)))
    probe = load_probe(path, size=6)
    assert sorted(probe.labels.tolist()) == [0, 0, 0, 1, 1, 1]
    assert probe.sha256 == load_probe(path, size=6).sha256
    assert (probe.inputs.dtype, probe.notes, probe.doubts) == (np.uint8, (), ())


def test_arrays_and_labels_in_json(tmp_path):
    members = {"0.npy": npy(np.ones((2, 3), np.float32)), "0.json": b'{"label": 3}', "1.npy": npy(np.zeros((2, 3)))}
    source = open_source(str(write(tmp_path / "a.tar", members | {"1.json": b'{"label": 4}'})), SampleOptions())
    assert source.read(np.array([0, 1])).shape == (2, 2, 3)
    assert source.labels_of(np.array([0, 1])).tolist() == [3, 4]


def test_without_labels(tmp_path):
    probe = load_probe(str(write(tmp_path / "a.tar", {"0.png": png(1), "1.png": png(2), ".x.png": b""})))
    assert probe.labels is None
    assert len(probe) == 2


class Evil:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({}, "no samples among members of nothing"),
        ({"0.pth": b"x", "0.cls": b"1"}, "no samples among members of cls, pth"),
        ({"0.png": b"not an image", "0.cls": b"1"}, "sample 0 raised UnidentifiedImageError"),
        ({"0.png": png(0), "0.cls": b"-1"}, "label -1"),
        ({"0.png": png(0), "0.cls": b"\xff"}, "sample 0 raised UnicodeDecodeError"),
        ({"0.png": png(0), "0.cls": b"1" * (1 << 21)}, "sample 0 raised ValueError: a label of"),
        ({"0.npy": npy(np.array([Evil()], object)), "0.cls": b"1"}, "sample 0 raised ValueError: an array of objects"),
        ({"0.png": png(0), "1.png": png(0, (5, 4))}, "sample 1 is 5x4, sample 0 4x4|sample 0 is 4x4, sample 1 5x4"),
    ],
)
def test_what_is_refused(tmp_path, members, what, capsys):
    with pytest.raises(SampleError, match=what):
        load_probe(str(write(tmp_path / "a.tar", members)))
    assert "ran" not in capsys.readouterr().out


def test_links_and_special_members_are_passed_over(tmp_path):
    path = write(tmp_path / "a.tar", {"0.png": png(1)})
    with tarfile.open(path, "a") as archive:
        for kind, name in ((tarfile.SYMTYPE, "1.png"), (tarfile.LNKTYPE, "2.png"), (tarfile.FIFOTYPE, "3.png")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert len(load_probe(str(path))) == 1


def test_damaged_compressed_and_missing_files(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no tar")
    with pytest.raises(SampleError, match=r"a\.tar: cannot be read"):
        load_probe(str(tmp_path / "a.tar"))
    write(tmp_path / "b.tar", {"0.png": png(1)}, "w:gz")
    with pytest.raises(SampleError, match=r"(?s)cannot be read.*not compressed"):
        load_probe(str(tmp_path / "b.tar"))
    with pytest.raises(SampleError, match=r"c-1\.tar: there is no such file"):
        load_probe(str(tmp_path / "c-{0..2}.tar").replace("0..2", "1..2"))


def test_a_tar_file_beside_class_folders_is_not_the_set(tmp_path):
    (tmp_path / "ant").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "ant" / "0.png")
    write(tmp_path / "old.tar", {"0.png": png(1)})
    assert open_source(str(tmp_path), SampleOptions()).classes == ("ant",)


def test_what_webdataset_writes(tmp_path):
    wds = pytest.importorskip("webdataset")
    with wds.TarWriter(str(tmp_path / "a.tar")) as sink:
        for number in range(4):
            sink.write({"__key__": f"{number:03}", "png": Image.new("RGB", (4, 4), (number, 0, 0)), "cls": number % 2})
    source = open_source(str(tmp_path / "a.tar"), SampleOptions())
    rows = np.arange(4)
    assert source.read(rows)[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert source.labels_of(rows).tolist() == [0, 1, 0, 1]
