"""The sample models are whole, small, and what their README says."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from sample_models import make
from sample_models.data import CLASSES, draw
from sample_models.net import make_net

FOLDER = Path(make.__file__).parent
NAMES = {folder: [make.file_name(epoch) for epoch in run.kept] for folder, run in make.RUNS.items()}


def load_script(path: Path) -> torch.nn.Module:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.* is deprecated")
        return torch.jit.load(path)


def load_state(path: Path) -> torch.nn.Module:
    net = make_net()
    net.load_state_dict(torch.load(path, weights_only=True))
    return net


@pytest.fixture(scope="module")
def probe() -> tuple[torch.Tensor, torch.Tensor]:
    with np.load(FOLDER / "probe.npz") as arrays:
        return make.to_tensor(arrays["images"]), torch.from_numpy(arrays["labels"])


@torch.no_grad()
def measured(net: torch.nn.Module, probe: tuple[torch.Tensor, torch.Tensor]) -> tuple[float, float]:
    """The held-out loss and accuracy."""
    scores = net(probe[0])
    return float(cross_entropy(scores, probe[1])), float((scores.argmax(1) == probe[1]).double().mean())


def test_drawing_is_deterministic_and_the_seed_matters():
    first, second, other = draw(40, seed=1), draw(40, seed=1), draw(40, seed=2)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != other[0]).mean() > 0.9


def test_validation_images_are_of_no_run_and_not_of_the_probe(tmp_path):
    make.write_validation_set(tmp_path / "others.npz")
    with np.load(tmp_path / "others.npz") as others, np.load(FOLDER / "probe.npz") as probe:
        assert others["images"].shape == probe["images"].shape
        assert not set(map(bytes, others["images"])) & set(map(bytes, probe["images"]))


@pytest.mark.parametrize("count", [50, 57])
def test_classes_are_balanced(count):
    images, labels = draw(count, seed=0)
    assert images.shape == (count, 32, 32, 3)
    assert images.dtype == np.uint8
    sizes = np.bincount(labels, minlength=len(CLASSES))
    assert set(sizes) <= {count // 10, -(-count // 10)}


def test_each_image_shows_something():
    images, _ = draw(200, seed=0)
    assert images.reshape(200, -1).std(1).min() > 20


def test_wrong_labels_are_as_many_as_asked_for():
    series = make.RUNS["overfit"]
    _, labels = make.training_set(series, epoch=0)
    # A tenth of the labels drawn at random are right by chance.
    assert (labels.numpy() != draw(series.images, seed=0)[1]).mean() == pytest.approx(0.9 * series.wrong, abs=0.02)


def test_the_training_set_is_what_the_series_sees(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["make", "--training-set", str(tmp_path / "few.npz")])
    make.main()
    images, labels = make.training_set(make.RUNS["overfit"], epoch=0)
    with np.load(tmp_path / "few.npz") as arrays:
        assert arrays["images"].dtype == np.uint8
        torch.testing.assert_close(make.to_tensor(arrays["images"]), images, rtol=0, atol=0)
        np.testing.assert_array_equal(arrays["labels"], labels.numpy())


def test_committed_files_are_complete_and_small():
    for folder, names in NAMES.items():
        assert sorted(path.name for path in (FOLDER / folder).iterdir()) == sorted(names)
    assert sum(path.stat().st_size for path in (FOLDER / "forgetful").iterdir()) < 600_000
    files = [path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 15e6


def test_probe_is_what_make_draws():
    images, labels = draw(make.PROBE_SIZE, make.PROBE_SEED)
    with np.load(FOLDER / "probe.npz") as arrays:
        assert arrays["labels"].dtype == np.int64
        np.testing.assert_array_equal(arrays["labels"], labels)
        # Sines may differ in the last bit from machine to machine, and so a pixel by one step.
        assert np.abs(arrays["images"].astype(int) - images).max() <= 1


@pytest.mark.parametrize("name", NAMES["overfit"])
def test_every_checkpoint_loads(name):
    state = torch.load(FOLDER / "overfit" / name, weights_only=True)
    script = load_script(FOLDER / "healthy" / name).state_dict()
    assert list(state) == list(script) == list(make_net().state_dict())


def test_every_second_epoch_of_the_run_that_forgets_is_kept_in_half_precision():
    assert make.RUNS["forgetful"].kept == [-1, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
    assert NAMES["overfit"][:2] == ["epoch_-1.pt", "epoch_000.pt"]
    for name in NAMES["forgetful"]:
        state = torch.load(FOLDER / "forgetful" / name, weights_only=True)
        assert {each.dtype for each in state.values()} == {torch.float16}


def test_scripts_hold_no_path_of_the_machine_that_made_them():
    for path in (FOLDER / "healthy").iterdir():
        with zipfile.ZipFile(path) as archive:
            assert not [name for name in archive.namelist() if name.endswith(".debug_pkl")]


@pytest.mark.parametrize("folder", NAMES)
def test_the_readme_says_what_each_series_does(folder, probe):
    load = load_script if make.RUNS[folder].script else load_state
    row = next(
        line for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith(f"| `{folder}/` | 2.")
    )
    kept = make.RUNS[folder].kept
    lowest = kept.index(int(re.search(r"at epoch (\d+)", row)[1]))
    first, least, last = (measured(load(FOLDER / folder / NAMES[folder][row]), probe) for row in (0, lowest, -1))
    assert [f"{loss:.2f}" for loss, _ in (first, least, last)] == re.findall(r"\d\.\d\d\b", row)[:3]
    assert [f"{accuracy:.3f}" for _, accuracy in (least, last)] == re.findall(r"\d\.\d{3}", row)
    assert least[0] < first[0] / 1.5


def test_the_three_series_are_of_three_kinds(probe):
    ends = {}
    for folder, run in make.RUNS.items():
        load = load_script if run.script else load_state
        courses = [measured(load(FOLDER / folder / name), probe) for name in NAMES[folder][1:]]
        best, last = min(courses), courses[-1]
        ends[folder] = (last[0] / best[0], last[1] - best[1])
    assert ends["healthy"][0] < 1.1
    assert ends["overfit"][0] > 1.5
    assert ends["overfit"][1] > 0
    assert ends["forgetful"][0] > 1.2
    assert ends["forgetful"][1] < -0.05


def test_a_run_writes_the_same_weights_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make, "RUNS", {"healthy": make.SampleRun(40, True, 0.1, 0.1, make.Adam, script=True)})
    monkeypatch.setattr(make, "PROBE_SIZE", 50)
    make.make(tmp_path / "a", epochs=1)
    make.make(tmp_path / "b", epochs=1)
    assert capsys.readouterr().out.count("healthy epoch") == 4
    for name in ("epoch_-1.pt", "epoch_000.pt"):
        one, two = (load_script(tmp_path / folder / "healthy" / name).state_dict() for folder in "ab")
        assert all(torch.equal(one[key], two[key]) for key in one)
