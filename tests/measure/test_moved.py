"""Images of the probe that are moved two ways, where there are no labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.find import CheckpointFile
from rfav_cli.data.probe import load_probe
from rfav_cli.measure.loop import measure_checkpoints
from rfav_cli.measure.moved import PART, SMALLEST, WAYS, move
from rfav_cli.measure.setup import Setup, open_run
from rfav_cli.records import Measurement, Settings
from tests.measure.runs import READING, opening

if TYPE_CHECKING:
    from pathlib import Path

N, SIDE = 7, 32


def make_net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3))


def setup_of(
    folder: Path,
    *,
    labels: bool = False,
    side: int = SIDE,
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> tuple[Setup, list[CheckpointFile]]:
    torch.manual_seed(1)
    torch.save(make_net().state_dict(), folder / "epoch_0.pt")
    images = np.random.default_rng(0).integers(0, 256, (N, side, side), dtype=np.uint8)
    np.savez(folder / "probe.npz", images=images, **({"labels": np.arange(N) % 3} if labels else {}))
    files = [CheckpointFile(0, folder / "epoch_0.pt")]
    return open_run(files, load_probe(str(folder / "probe.npz")), READING, opening(make_net), settings), files


def measured(folder: Path, batch_size: int | None = None, **options) -> Measurement:
    setup, files = setup_of(folder, **options)
    (found,) = measure_checkpoints(files, setup, READING, batch_size=batch_size)
    assert isinstance(found, Measurement)
    return found


def moved_by_hand(image: np.ndarray, way: int) -> np.ndarray:
    """One loop a pixel: what is `step` pixels away, or the edge."""
    height, width = image.shape
    step = [max(side // PART, 1) for side in image.shape]
    return np.array(
        [
            [
                image[min(max(row - way * step[0], 0), height - 1), min(max(column - way * step[1], 0), width - 1)]
                for column in range(width)
            ]
            for row in range(height)
        ]
    )


@pytest.mark.parametrize("shape", [(16, 16), (33, 20), (8, 40)])
@pytest.mark.parametrize("way", WAYS)
def test_images_are_moved_as_by_hand(shape, way):
    images = torch.from_numpy(np.random.default_rng(2).standard_normal((2, 3, *shape)).astype(np.float32))
    for layout in (torch.contiguous_format, torch.channels_last):
        moved = move(images.contiguous(memory_format=layout), way)
        assert moved.is_contiguous(memory_format=layout)
        for image, found in zip(images.flatten(0, 1).numpy(), moved.flatten(0, 1).numpy(), strict=True):
            np.testing.assert_array_equal(found, moved_by_hand(image, way))


@pytest.mark.parametrize("batch_size", [None, 3])
def test_figures_are_those_of_the_net_run_by_hand(tmp_path, batch_size):
    columns = measured(tmp_path, batch_size).columns
    net = make_net().double()
    net.load_state_dict(torch.load(tmp_path / "epoch_0.pt", weights_only=True))
    images = setup_of(tmp_path)[0].probe.inputs[:, 0] / 255.0
    with torch.no_grad():
        scores = [
            net(torch.from_numpy(np.stack([moved_by_hand(image, way) for image in images])[:, None])) for way in WAYS
        ]
    predicted = [each.argmax(1).numpy() for each in scores]
    unsure = sum(1 - each.softmax(1).amax(1).numpy() for each in scores)
    np.testing.assert_array_equal(columns["moved/sample_disagreement"], predicted[0] != predicted[1])
    np.testing.assert_allclose(columns["moved/sample_uncertainty"], unsure, rtol=1e-5)
    assert columns["moved/disagreement"] == np.mean(predicted[0] != predicted[1])
    assert columns["moved/uncertainty"] == pytest.approx(unsure.mean(), rel=1e-5)


@pytest.mark.parametrize("options", [{"labels": True}, {"side": SMALLEST - 1}, {"settings": Settings(outputs=False)}])
def test_nothing_is_moved_where_it_tells_nothing(tmp_path, options):
    assert not [name for name in measured(tmp_path, **options).columns if name.startswith("moved/")]


def test_scores_that_are_not_finite_are_no_figures(tmp_path):
    setup, files = setup_of(tmp_path)
    state = torch.load(files[0].path, weights_only=True)
    state["4.bias"][0] = float("inf")
    torch.save(state, files[0].path)
    (found,) = measure_checkpoints(files, setup, READING)
    assert isinstance(found, Measurement)
    assert np.isnan(found.columns["moved/disagreement"])
    assert np.isnan(found.columns["moved/sample_uncertainty"]).all()
