"""What a store cannot hold is refused by name, and what rounding makes is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import Layer, ProbeRecord, Run
from rfav_cli.store import open_store, pack
from rfav_cli.store.layout import LIBVER
from rfav_cli.store.values import what_cannot_be
from tests.store.example import measure, write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LAYERS = (Layer("conv1", "Conv2d", 8, (8, 3, 3, 3), (4, 3)), Layer("fc", "Linear", 16, (16, 96), ()))
RUN = Run(LAYERS, (), ProbeRecord("ab" * 32, 5))
EPOCHS = [-1, 3, 9]
TOPS = [np.log(8), np.log(16)]


def column(name: str) -> NDArray[Any]:
    """Three epochs of figures that can be."""
    random = np.random.default_rng(0)
    share = random.random((3, 2))
    shapes: dict[str, NDArray[Any]] = {
        "entropy/mean": share * TOPS,
        "entropy/std": share * 0.5,
        "entropy/sample_mean": (random.random((3, 2, 5)) * np.array(TOPS)[:, None]).astype(np.float32),
        "entropy/mean_map/0": (random.random((3, 4, 3)) * TOPS[0]).astype(np.float32),
        "entropy/map/1": (random.random((3, 2)) * TOPS[1]).astype(np.float16),
        "correlation/mean": 2 * share - 1,
        "correlation/abs_mean": share,
        "correlation/degenerate": random.integers(0, 9, (3, 2)),
        "weights/nonfinite": random.integers(0, 9, (3, 2)),
        "correlation/histogram": np.stack([random.multinomial([28, 120], [1 / 201] * 201)] * 3).astype(np.uint32),
        "activation/dead": share,
        "activation/scale": 9 * share,
        "activation/shape": share * TOPS,
        "activation/rank": share * [8, 16],
        "activation/winners/1": random.dirichlet(np.ones(16), 3).astype(np.float32),
        "probe/accuracy": share[:, 0],
        "probe/loss": 5 * share[:, 0],
        "probe/temperature": 5 * share[:, 0],
        "probe/confidence": share[:, 0],
        "probe/calibration_error": share[:, 1],
        "probe/calibrated_error": share[:, 1],
        "probe/calibrated_loss": 5 * share[:, 0],
        "probe/sample_calibrated_loss": 5 * random.random((3, 5)),
        "probe/sample_loss": 5 * random.random((3, 5)),
        "probe/sample_prediction": random.integers(-1, 10, (3, 5)),
        "probe/sample_confidence": random.random((3, 5)),
        "train/accuracy": share[:, 0],
        "train/confidence": share[:, 0],
        "train/loss": 5 * share[:, 0],
        "train/sample_loss": 5 * random.random((3, 7)),
        "train/sample_confidence": random.random((3, 7)),
        "nonfinite": random.integers(0, 99, (3, 2)),
    }
    return shapes[name]


def slowly(name: str, values: NDArray[Any]) -> bool:
    """Whether all can be, value by value."""
    for row in values:
        for index, value in np.ndenumerate(row):
            top = {
                "entropy": None,
                "activation": 1.0,
                "probe": np.inf if name.endswith(("prediction", "temperature")) else 1.0,
                "train": 1.0,
            }.get(name.split("/")[0], np.inf)
            if name.startswith("entropy/"):
                top = TOPS[int(name[-1])] if name[-1].isdigit() else TOPS[index[0]]
            if name in ("correlation/mean", "correlation/abs_mean"):
                top = 1.0
            if name == "activation/scale":
                top = np.inf
            if name == "activation/shape":
                top = TOPS[index[0]]
            if name in ("correlation/degenerate", "weights/nonfinite", "activation/rank"):
                top = LAYERS[index[0]].channels
            low = -1.0 if name in ("correlation/mean", "probe/sample_prediction") else 0.0
            if name.startswith(("probe/", "train/")) and name.endswith("loss"):
                low, top = -np.inf, np.inf
            slack = 0.03 if name == "activation/rank" else 0.01
            if value < low - slack or value > top + slack:  # type: ignore[operator]
                return False
    return True


NAMES = (
    "entropy/mean",
    "entropy/std",
    "entropy/sample_mean",
    "entropy/mean_map/0",
    "entropy/map/1",
    "correlation/mean",
    "correlation/abs_mean",
    "correlation/degenerate",
    "weights/nonfinite",
    "activation/dead",
    "activation/scale",
    "activation/shape",
    "activation/rank",
    "probe/accuracy",
    "probe/loss",
    "probe/temperature",
    "probe/confidence",
    "probe/calibration_error",
    "probe/calibrated_error",
    "probe/calibrated_loss",
    "probe/sample_loss",
    "probe/sample_calibrated_loss",
    "probe/sample_prediction",
    "probe/sample_confidence",
    "train/accuracy",
    "train/confidence",
    "train/loss",
    "train/sample_loss",
    "train/sample_confidence",
    "nonfinite",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [-5, -2, -0.02, 0, 0.5, 1, 1.02, 2.2, 7, 17, np.inf, -np.inf, np.nan])
def test_each_value_against_a_slow_obvious_look(name: str, value: float) -> None:
    values = column(name)
    assert what_cannot_be(name, values, RUN, EPOCHS) == ""
    if values.dtype.kind != "f":
        if not np.isfinite(value) or value != int(value):
            pytest.skip("no whole number")
        values.reshape(3, -1)[1, -1] = int(value)
    else:
        values.reshape(3, -1)[1, -1] = value
    said = what_cannot_be(name, values, RUN, EPOCHS)
    assert (said == "") == slowly(name, values), said
    if said:
        assert said.startswith(f"{name} is {value:.2g}")
        assert "at epoch 3" in said
        assert ("in fc" in said) == (not name.startswith(("probe/", "train/")) and name != "entropy/mean_map/0")


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_many_numbers_is_looked_at_as_a_small_one(name: str) -> None:
    few = column(name)
    many, epochs = np.concatenate([few] * 8000), list(range(24000))
    assert what_cannot_be(name, many, RUN, epochs) == ""
    if name.endswith("loss"):
        return
    for wrong in (-7, 300) if few.dtype.kind != "u" else (300,):
        endless = name in {"nonfinite", "activation/scale"} or name.endswith(("prediction", "temperature"))
        if wrong == 300 and endless:
            continue
        changed = many.copy()
        changed.reshape(24000, -1)[20001, 0] = wrong
        assert f"is {wrong} at epoch 20001" in what_cannot_be(name, changed, RUN, epochs)


def test_an_entropy_is_held_against_the_ln_d_of_its_own_layer() -> None:
    values = column("entropy/mean")
    values[0] = [2.5, 2.5]
    assert "entropy/mean is 2.5 at epoch -1 in conv1, and can be 0 to 2.079" in what_cannot_be(
        "entropy/mean", values, RUN, EPOCHS
    )
    values[0] = [2.0, 2.5]
    assert what_cannot_be("entropy/mean", values, RUN, EPOCHS) == ""


def test_what_rounding_lifts_over_the_limit_is_no_damage() -> None:
    for dtype in (np.float16, np.float32, np.float64):
        top = np.nextafter(dtype(TOPS[1]), dtype(9))
        assert what_cannot_be("entropy/map/1", np.full((3, 2), top, dtype), RUN, EPOCHS) == ""
        assert what_cannot_be("entropy/map/1", np.full((3, 2), -1e-4, dtype), RUN, EPOCHS) == ""


@pytest.mark.parametrize(("by", "fits"), [(1.0, True), (1.1, False), (0.9, False)])
def test_the_shares_of_winners_add_up(by: float, fits: bool) -> None:
    name = "activation/winners/1"
    values = column(name)
    values[2] *= by
    said = what_cannot_be(name, values, RUN, EPOCHS)
    assert (said == "") == fits
    assert fits or f"adds up to {by:g} at epoch 9 in fc" in said
    values[2] = np.nan  # an epoch in which nothing wins
    assert what_cannot_be(name, values, RUN, EPOCHS) == ""


def test_a_histogram_has_no_more_counts_than_there_are_pairs() -> None:
    name = "correlation/histogram"
    values = column(name)
    assert what_cannot_be(name, values, RUN, EPOCHS) == ""
    values[1, 0, 7] += 1
    assert what_cannot_be(name, values, RUN, EPOCHS).startswith(f"{name} adds up to 29 at epoch 3 in conv1")
    values[1] = 0  # a layer without pairs
    assert what_cannot_be(name, values, RUN, EPOCHS) == ""


def test_a_column_of_a_statistic_that_came_later_may_be_anything() -> None:
    assert what_cannot_be("my/figure", np.array([[-1e9, np.inf]]), RUN, [0]) == ""


CHANGES = {
    "entropy/mean": -5.0,
    "entropy/std": 9.0,
    "entropy/sample_mean": 3.6,
    "probe/accuracy": 7.0,
    "activation/dead": 1.5,
    "activation/scale": -1.0,
    "activation/shape": 2.2,
    "activation/rank": 8.5,
    "activation/winners/0": 0.5,
    "correlation/histogram": 3,
    "nonfinite": -1,
}


@pytest.mark.parametrize("name", [*CHANGES, "epoch", "probe/label", "probe_size"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_store_is_refused_with_the_dataset_and_the_value(tmp_path: Path, name: str, packed: bool) -> None:
    path = tmp_path / "rfav.h5"
    write(path, 0, 1)
    if packed:
        pack(path)
        files = [path]
    else:
        files = sorted((tmp_path / "rfav.h5.d").glob("epoch-*" if name in {*CHANGES, "epoch"} else "run.h5"))[:1]
    for each in files:
        with h5py.File(each, "r+", libver=LIBVER) as file:
            if name == "probe_size":
                file.attrs[name] = -3
            elif name == "epoch":
                file[name][0] = -7
            elif name == "probe/label":
                file[name][0] = -4
            elif name not in file:
                file[name] = np.full((len(file["epoch"]), 2), CHANGES[name])
            else:
                file[name][...] = CHANGES[name]
    with pytest.raises(StoreError, match=f"damaged: {name} (is|adds up to) ") as refused:
        open_store(path)
    assert "--fresh" in refused.value.remedy
    assert "rfav.h5" in refused.value.what


@pytest.mark.parametrize("name", ["entropy/map/0", "entropy/mean_map/0"])
@pytest.mark.parametrize("packed", [True, False])
def test_heatmaps_are_looked_at_when_they_are_read(tmp_path: Path, name: str, packed: bool) -> None:
    path = tmp_path / "rfav.h5"
    write(path, 0, 1)
    if packed:
        pack(path)
    file_of = path if packed else tmp_path / "rfav.h5.d" / "epoch-000001.h5"
    with h5py.File(file_of, "r+", libver=LIBVER) as file:
        file[name][-1] = 3.5
    history = open_store(path)
    assert np.isfinite(history.columns[name][0]).all()
    with pytest.raises(StoreError, match=f"{name} is 3.5 at epoch 1 in conv1, and can be 0 to 2.079"):
        history.columns[name][1]


def test_nan_stays_where_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "rfav.h5"
    nothing = {
        name: np.full_like(values, np.nan)
        for name, values in measure(1).columns.items()
        if np.asarray(values).dtype.kind == "f"
    }
    write(path, 0).append(measure(1, **nothing))
    history = open_store(path)
    assert np.isnan(history.entropy[1]).all()
    assert np.isnan(history.columns["entropy/map/0"][1]).all()


@pytest.mark.parametrize("name", ["probe/norm_shift", "probe/norm_variance"])
def test_neither_a_shift_nor_a_ratio_of_variances_is_negative(name: str) -> None:
    assert what_cannot_be(name, np.array([0.0, np.nan, 130.0]), RUN, EPOCHS) == ""
    assert what_cannot_be(name, np.array([0.1, -0.5, 0.1]), RUN, EPOCHS).startswith(f"{name} is -0.5 at epoch 3")
