"""What Hugging Face's `datasets` writes, read by pyarrow."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.data.sources.datasets import recognises
from rfav_cli.errors import SampleError

NAMES = ["ant", "bee", "cat"]


def png(value):
    file = io.BytesIO()
    Image.new("RGB", (5, 4), (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


def table(count=12, start=0, **columns):
    pa = pytest.importorskip("pyarrow")
    rows = range(start, start + count)
    values = {
        "image": [{"bytes": png(n), "path": None} for n in rows],
        "label": [n % 3 for n in rows],
        "text": [str(n) for n in rows],
    } | columns
    features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.table(values).replace_schema_metadata(metadata)


def parquet(path, made, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pytest.importorskip("pyarrow.parquet").write_table(made, path, **options)
    return path


def saved(folder, made, *, state=None):
    """A folder as `save_to_disk` writes it."""
    pa = pytest.importorskip("pyarrow")
    folder.mkdir(parents=True)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, made.schema) as out,
    ):
        out.write_table(made)
    (folder / "state.json").write_text(
        json.dumps(state or {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]})
    )
    return folder


def check(source, first=0):
    rows = np.array([7, 0, 11])
    assert source.classes == tuple(NAMES)
    assert source.read(rows)[:, 0, 0, 0].tolist() == (rows + first).tolist()
    assert source.labels_of(rows).tolist() == ((rows + first) % 3).tolist()
    assert "text of each sample does not enter the net" in " ".join(source.notes)


def test_a_saved_set_a_file_and_its_parts(tmp_path):
    check(open_source(str(saved(tmp_path / "a", table())), SampleOptions()))
    check(open_source(str(parquet(tmp_path / "b.parquet", table(), row_group_size=5)), SampleOptions()))
    for part in range(3):
        parquet(tmp_path / "c" / f"part-{part}.parquet", table(4, 4 * part))
    check(open_source(f"datasets:{tmp_path / 'c'}", SampleOptions()))


def test_the_held_out_split_is_taken(tmp_path):
    for split, start in (("train", 0), ("test", 100)):
        saved(tmp_path / "d" / split, table(start=start))
        parquet(tmp_path / "p" / "data" / f"{split}-00000-of-00001.parquet", table(start=start))
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    for name in ("d", "p"):
        taken = open_source(str(tmp_path / name), SampleOptions())
        check(taken, 100)
        assert taken.notes[-1].endswith("the test split was taken")
        check(open_source(f"datasets:{tmp_path / name}#train", SampleOptions()))
        with pytest.raises(SampleError, match=r"no split validation; there are (train, test|test, train)"):
            open_source(f"datasets:{tmp_path / name}#validation", SampleOptions())


def test_a_probe_is_chosen_evenly(tmp_path):
    probe = load_probe(str(parquet(tmp_path / "b.parquet", table(60))), size=9)
    assert sorted(probe.labels.tolist()) == [0] * 3 + [1] * 3 + [2] * 3
    assert probe.inputs.dtype == np.uint8


def test_token_ids_stay_whole_numbers(tmp_path):
    ids = [[n, n + 1, 0] for n in range(6)]
    pa = pytest.importorskip("pyarrow")
    made = pa.table({"input_ids": ids, "attention_mask": [[1, 1, 0]] * 6, "label": [0, 1] * 3})
    source = open_source(str(parquet(tmp_path / "b.parquet", made)), SampleOptions())
    read = source.read(np.array([2]))
    assert read["input_ids"].tolist() == [[2, 3, 0]]
    assert read["input_ids"].dtype == np.int64


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside.png", "https://127.0.0.1/a.png", "zip://a::b"])
def test_no_image_leads_outside(tmp_path, name):
    Image.new("RGB", (5, 4)).save(tmp_path / "outside.png")
    made = table(2, image=[{"bytes": None, "path": name}] * 2)
    with pytest.raises(SampleError, match=r"outside of it|sample 0 raised FileNotFoundError"):
        open_source(str(saved(tmp_path / "a", made)), SampleOptions())


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ({"_data_files": [{"filename": "../other.arrow"}]}, "names no files of its own folder"),
        ({"_data_files": [{"filename": "link.arrow"}]}, "names no files of its own folder"),
        ({"_data_files": []}, "names no files of its own folder"),
        ({"_data_files": 3}, "names no files of its own folder"),
        ({"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_indices_files": [1]}, "chooses rows"),
        ({"_data_files": [{"filename": "gone.arrow"}]}, "cannot be read"),
    ],
)
def test_no_state_leads_outside(tmp_path, state, what):
    folder = saved(tmp_path / "a", table(), state=state)
    (tmp_path / "other.arrow").write_bytes((folder / "data-00000-of-00001.arrow").read_bytes())
    (folder / "link.arrow").symlink_to(tmp_path / "other.arrow")
    with pytest.raises(SampleError, match=what):
        open_source(str(folder), SampleOptions())


def test_damaged_files(tmp_path):
    pytest.importorskip("pyarrow")
    for name in ("a.parquet", "a.arrow"):
        (tmp_path / name).write_bytes(b"PAR1 no")
        with pytest.raises(SampleError, match=r"cannot be read"):
            open_source(str(tmp_path / name), SampleOptions())


def test_splits_that_lead_outside(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["../x", "..", "test/../.."]}')
    with pytest.raises(SampleError, match="no split"):
        open_source(str(tmp_path / "d"), SampleOptions())


def test_without_pyarrow_there_is_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"")
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SampleError, match=r"pip install 'rfav-cli\[datasets\]'"):
        open_source(str(tmp_path / "a.parquet"), SampleOptions())


def test_what_is_recognised(tmp_path):
    assert not recognises(tmp_path)
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "0000.parquet").touch()
    assert recognises(tmp_path)
    assert not recognises(tmp_path / "nowhere.parquet")


def test_what_datasets_writes(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)})
    rows = {"image": [Image.new("RGB", (5, 4), (n, 0, 0)) for n in range(12)], "label": [n % 3 for n in range(12)]}
    made = datasets.Dataset.from_dict(rows, features=features)
    made.save_to_disk(str(tmp_path / "a"))
    datasets.DatasetDict({"train": made.select([0]), "test": made}).save_to_disk(str(tmp_path / "d"))
    made.to_parquet(str(tmp_path / "a.parquet"))
    for name in ("a", "d", "a.parquet"):
        source = open_source(str(tmp_path / name), SampleOptions())
        assert source.read(np.arange(12))[:, 0, 0, 0].tolist() == list(range(12))
        assert source.classes == tuple(NAMES)
    of_object = load_probe(made, size=6)
    assert of_object.classes == tuple(NAMES)
    assert sorted(of_object.labels.tolist()) == [0, 0, 1, 1, 2, 2]
