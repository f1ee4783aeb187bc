from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli.activations.norm_input import NormInput
from rfav_cli.checkpoints.find import CheckpointFile
from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.measure.loop import measure_checkpoints
from rfav_cli.measure.normalisation import SAMPLES, figures
from rfav_cli.measure.setup import open_run
from rfav_cli.records import Measurement, Settings
from tests.measure.runs import READING, opening, save, set_up

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MEAN, STD = (0.48, 0.5, 0.45), (0.2, 0.25, 0.22)
COUNT, SIDE = 120, 8


def normed() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 2))


def draw_images(seed: int, count: int = COUNT) -> NDArray[np.uint8]:
    """Images (n, H, W, 3) with a colour of their own each."""
    chance = np.random.default_rng(seed)
    colour = chance.normal(MEAN, STD, (count, 1, 1, 3))
    return (np.clip(colour + chance.normal(0, 0.1, (count, SIDE, SIDE, 3)), 0, 1) * 255).astype(np.uint8)


def as_input(images: NDArray[np.uint8]) -> torch.Tensor:
    plain = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return (plain - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def trained(batches: int = 80) -> nn.Module:
    torch.manual_seed(0)
    net = normed()
    for seed in range(batches):
        net(as_input(draw_images(seed + 1, 32)))
    return net


def measured(folder: Path, net: nn.Module, batch_size: int | None = None, **options: Any) -> dict[str, Any]:
    torch.save(net.state_dict(), folder / "epoch_0.pt")
    np.savez(folder / "probe.npz", images=draw_images(0), labels=np.arange(COUNT) % 2)
    files = [CheckpointFile(0, folder / "epoch_0.pt")]
    probe = load_probe(str(folder / "probe.npz"), options=SampleOptions(**options))
    setup = open_run(files, probe, READING, opening(normed), Settings())
    (result,) = measure_checkpoints(files, setup, READING, batch_size=batch_size)
    assert isinstance(result, Measurement)
    return {name: float(column) for name, column in result.columns.items() if name.startswith("probe/norm_")}


def test_the_probe_as_in_training_is_what_the_normalisation_expects(tmp_path: Path) -> None:
    found = measured(tmp_path, trained(), mean=MEAN, std=STD)
    assert found["probe/norm_shift"] < 0.3
    assert 0.8 < found["probe/norm_variance"] < 1.25


@pytest.mark.parametrize("batch_size", [None, 1, 7, 1000])
def test_figures_are_those_of_the_first_samples_whatever_the_batch(batch_size: int | None, tmp_path: Path) -> None:
    net = trained()
    found = measured(tmp_path, net, batch_size, mean=MEAN, std=STD)
    probe = load_probe(str(tmp_path / "probe.npz"), options=SampleOptions(mean=MEAN, std=STD))
    values = net[0].double()(probe.batch(slice(0, SAMPLES), torch.device("cpu")).double()).detach().numpy()  # type: ignore[index, operator]
    norm = net[1]  # type: ignore[index]
    running = norm.running_var.double().numpy() + norm.eps
    shift = np.abs(values.mean((0, 2, 3)) - norm.running_mean.double().numpy()) / np.sqrt(running)
    assert found["probe/norm_shift"] == pytest.approx(shift.max(), rel=1e-4)
    assert found["probe/norm_variance"] == pytest.approx(
        np.median((values.var((0, 2, 3)) + norm.eps) / running), rel=1e-4
    )


def test_a_forgotten_normalisation_shrinks_the_variance(tmp_path: Path) -> None:
    assert measured(tmp_path, trained())["probe/norm_variance"] == pytest.approx(np.mean(STD) ** 2, rel=0.5)
    assert measured(tmp_path, trained(), std=(1 / 255,))["probe/norm_variance"] > 1000
    assert measured(tmp_path, trained(), std=STD)["probe/norm_shift"] > 1.5


def test_an_untrained_net_says_nothing(tmp_path: Path) -> None:
    found = measured(tmp_path, normed())
    assert found.keys() == {"probe/norm_shift", "probe/norm_variance"}
    assert np.isnan(list(found.values())).all()


def test_a_net_without_normalisation_has_no_such_columns(tmp_path: Path) -> None:
    files = save(tmp_path, 1)
    (result,) = measure_checkpoints(files, set_up(tmp_path, files), READING)
    assert isinstance(result, Measurement)
    assert not any("norm_" in name for name in result.columns)


def doubles(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_dead_channels_and_what_is_not_finite() -> None:
    mean, variance = doubles(0.0, 1e-9, 0.5), doubles(1.0, 1e-18, 2.0)
    given = NormInput(mean, variance, 9, doubles(0.0, 0.0, 0.0), doubles(1.0, 1e-12, 1.0), 1e-5, 0.0)
    shift, ratio = figures(given)
    assert shift == pytest.approx(0.5, rel=1e-4)
    assert ratio == pytest.approx(1.0, rel=1e-4)
    assert np.isnan(figures(replace(given, mean=mean * np.nan))).all()
