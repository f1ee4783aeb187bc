"""Event files, read back with tensorboard's own reader."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rfav_cli.errors import StoreError, UsageError
from rfav_cli.tensorboard.event_files import check, command, tags_of, write
from tests.render.conftest import HOSTILE, make_history
from tests.render.figures.histories import complete


def read(folder: Path) -> Any:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    everything = dict.fromkeys(("scalars", "images", "histograms", "tensors"), 0)
    found = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    return found.Reload()


def test_every_epoch_can_be_read_back(tmp_path: Path) -> None:
    history = complete(make_history(epochs=29))
    by_image = np.random.default_rng(0).uniform(0, 3, (29, 3, 50)).astype(np.float32)
    history.columns["entropy/sample_mean"] = by_image  # type: ignore[index]
    write(history, tmp_path)
    found = read(tmp_path)
    loss = found.Scalars("held-out/loss")
    assert [event.step for event in loss] == history.epochs.tolist()
    np.testing.assert_allclose([event.value for event in loss], history.loss, rtol=1e-6)
    entropy = [event.value for event in found.Scalars("entropy/conv2")]
    np.testing.assert_allclose(entropy, history.entropy[:, 1], rtol=1e-6)
    share = [event.value for event in found.Scalars("entropy_of_max/fc1")]
    np.testing.assert_allclose(share, history.entropy[:, 2] / np.log(32), rtol=1e-6)
    counts = found.Histograms("filter_correlation/conv1")
    assert len(counts) == 29
    assert counts[3].histogram_value.num == history.columns["correlation/histogram"][3, 0].sum()
    assert found.Histograms("entropy_by_image/fc1")[2].histogram_value.num == 50


def test_bins_lie_around_the_correlations_that_they_count(tmp_path: Path) -> None:
    """TensorBoard draws a bin from the limit before it to its own."""
    correlations = {-1.0: 3, -0.5: 1, 0.0: 20, 0.01: 7, 1.0: 5}
    history = complete(make_history(epochs=2))
    counts = np.zeros((2, 3, 201), np.uint32)
    for value, count in correlations.items():
        counts[:, :, round(100 * (value + 1))] = count
    history.columns["correlation/histogram"] = counts  # type: ignore[index]
    write(history, tmp_path)
    written = read(tmp_path).Histograms("filter_correlation/conv2")[1].histogram_value
    limits = np.array(written.bucket_limit)
    bins = {
        (low, high): count
        for low, high, count in zip([-np.inf, *limits[:-1]], limits, written.bucket, strict=True)
        if count
    }
    assert list(bins.values()) == list(correlations.values())
    for (low, high), value in zip(bins, correlations, strict=True):
        assert high == pytest.approx(value + 0.005)
        assert low == pytest.approx(value - 0.005) or (value == -1 and low < value)
    drawn = [value for value, count in correlations.items() for _ in range(count)]
    assert (written.min, written.max, written.num) == (-1.0, 1.0, len(drawn))
    assert written.sum == pytest.approx(sum(drawn))
    assert written.sum_squares == pytest.approx(sum(value**2 for value in drawn))


def test_pictures_have_the_colours_of_the_entropy(tmp_path: Path) -> None:
    from matplotlib import colormaps

    history = complete(make_history(epochs=12), positions=(4, 4))
    write(history, tmp_path)
    events = read(tmp_path).Images("heatmaps/conv2")
    assert len(events) == 12
    picture = np.asarray(Image.open(io.BytesIO(events[5].encoded_image_string)))
    assert picture.shape == (64, 64 + 4 + 64, 3)
    share = float(history.columns["entropy/map/1"][5, 1, 2, 3]) / np.log(32)
    expected = np.round(np.array(colormaps["YlGnBu"](share)[:3]) * 255)
    np.testing.assert_allclose(picture[2 * 16 + 8, 68 + 3 * 16 + 8], expected, atol=1)


def test_the_calibration_of_each_epoch_is_a_scalar_where_it_was_measured(tmp_path: Path) -> None:
    history = complete(make_history(epochs=3))
    names = ("confidence", "temperature", "calibrated_loss", "calibration_error", "calibrated_error")
    figures = {f"probe/{name}": np.array([0.5, np.nan, place]) for place, name in enumerate(names)}
    write(replace(history, columns={**history.columns, **figures}), tmp_path)
    found = read(tmp_path)
    for place, name in enumerate(names):
        assert [(event.step, event.value) for event in found.Scalars(f"held-out/{name}")] == [(-1, 0.5), (1, place)]


def test_figures_of_activations_are_scalars(tmp_path: Path) -> None:
    history = make_history(("a", "b"), epochs=3)
    values = np.array([[0.5, np.nan], [2.0, 3.0], [4.0, 5.0]])
    more = {f"activation/{name}": values * (i + 1) for i, name in enumerate(("scale", "shape", "rank", "dead"))}
    write(replace(history, columns={**history.columns, **more}), tmp_path)
    found = read(tmp_path)
    for i, name in enumerate(("scale", "shape", "rank", "dead")):
        assert [e.value for e in found.Scalars(f"activation_{name}/a")] == [x * (i + 1) for x in (0.5, 2.0, 4.0)]
        assert len(found.Scalars(f"activation_{name}/b")) == 2


def test_another_analysis_replaces_its_files_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.other").write_bytes(b"")
    for epochs in (3, 5):
        write(complete(make_history(epochs=epochs)), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert (tmp_path / "events.out.tfevents.1.other").is_file()
    assert len(read(tmp_path).Scalars("held-out/loss")) == 5


def test_an_earlier_file_stays_where_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(complete(make_history(epochs=2)), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            write(complete(make_history(epochs=3)), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_no_event_file_stays_whatever_its_name(tmp_path: Path) -> None:
    mine = tmp_path / "events.out.tfevents.notes.rfav"
    mine.write_text("mine")
    (tmp_path / "events.out.tfevents.1.rfav").symlink_to(mine)
    (tmp_path / "events.out.tfevents.2.rfav").mkdir()
    write(complete(make_history(epochs=1)), tmp_path)
    assert mine.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 4


def test_names_are_no_paths_and_tags_are_unique(tmp_path: Path) -> None:
    names = ("../../x", HOSTILE, "<img src=x onerror=alert(1)>", "畳み込み", "畳み込層", "", "x")
    tags = tags_of(names)
    assert len({*tags}) == len(names)
    assert all(set(tag) <= {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"} for tag in tags)
    write(complete(make_history(names)), tmp_path)
    found = {tag.partition("/")[2] for tag in read(tmp_path).Tags()["scalars"] if tag.startswith("entropy/")}
    assert found == {*tags}


@pytest.mark.parametrize("positions", [(), (7,), (2, 3, 4)])
def test_what_does_not_apply_is_left_out(tmp_path: Path, positions: tuple[int, ...]) -> None:
    history = complete(make_history(("a", "b"), channels=(1, 8), labels=False), positions=positions)
    write(history, tmp_path)
    tags = read(tmp_path).Tags()
    assert "entropy/a" not in tags["scalars"]
    assert "held-out/loss" not in tags["scalars"]
    assert ("heatmaps/b" in tags["images"]) == (len(positions) == 1)


def test_the_command_keeps_every_epoch(tmp_path: Path) -> None:
    line = command(make_history(epochs=600), Path("a b"))
    assert line == "tensorboard --logdir 'a b' --samples_per_plugin images=600,histograms=600,scalars=1000"


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UsageError) as error:
        check(tmp_path / "tb")
    assert "rfav-cli[tensorboard]" in error.value.remedy
    assert not (tmp_path / "tb").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "tb").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        check(tmp_path / "tb")
    with pytest.raises(StoreError, match="cannot be written"):
        write(complete(make_history(epochs=1)), tmp_path / "tb")
