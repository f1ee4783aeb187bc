"""Heatmaps are those of the store, and the colours of a row can be compared in all blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rfav_cli
from tests.render.conftest import make_history
from tests.render.figures.histories import KINDS, complete

if TYPE_CHECKING:
    from rfav_cli.records import History

WHOLE = complete(make_history(epochs=6))


def fallen(history: History, factor: float) -> History:
    """The same run with lower entropies on its heatmaps."""
    columns: dict[str, Any] = dict(history.columns)
    for name in columns:
        if "map/" in name:
            columns[name] = columns[name] * np.float32(factor)
    return replace(history, columns=columns, path="fallen.h5")


def maps_drawn(page: Any) -> list[Any]:
    """The maps of a page, without pictures of samples and scales of colours."""
    return [image for image in page.axes[0].images if np.shape(image.get_array()) == (8, 8)]


@pytest.mark.parametrize("order", [1, -1])
def test_a_layer_has_one_scale_of_colours_in_all_runs(order: int) -> None:
    runs = [WHOLE, fallen(WHOLE, 0.4)]
    page = rfav_cli.plot(runs[::order], figure="heatmaps", images="mean", layers=["conv2", "fc1"])
    drawn = maps_drawn(page)
    assert len(drawn) == 2 * 2 * 6
    for number, layer in enumerate((1, 2)):
        values = [run.columns[f"entropy/mean_map/{layer}"] for run in runs]
        lowest, highest = min(map(np.min, values)), max(map(np.max, values))
        rows = [drawn[6 * (2 * block + number) :][:6] for block in (0, 1)]
        for image in (image for row in rows for image in row):
            assert image.get_clim() == (pytest.approx(lowest), pytest.approx(highest))


def test_a_layer_has_one_scale_of_colours_for_all_images() -> None:
    maps = np.array(WHOLE.columns["entropy/map/1"])
    maps[:, 1] *= 0.4
    history = replace(WHOLE, columns={**WHOLE.columns, "entropy/map/1": maps})
    drawn = maps_drawn(rfav_cli.plot(history, figure="heatmaps", images="0,1", layers=["conv2"]))
    assert len(drawn) == 2 * 6
    assert {image.get_clim() for image in drawn} == {(float(maps.min()), float(maps.max()))}


def test_heatmaps_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    images = rfav_cli.plot(history, figure="heatmaps", images="1", epochs="3", layers=["conv2"]).axes[0].images
    np.testing.assert_array_equal(images[0].get_array(), history.run.probe.thumbnails[1])
    np.testing.assert_allclose(images[1].get_array(), history.columns["entropy/map/1"][4, 1])
    mean = rfav_cli.plot(history, figure="heatmaps", images="mean", epochs="3", layers=["conv2"]).axes[0].images
    np.testing.assert_allclose(mean[0].get_array(), history.columns["entropy/mean_map/1"][4])
    full = rfav_cli.plot(history, figure="heatmaps", full_scale=True).axes[0].images[1]
    assert full.get_clim() == (0.0, pytest.approx(np.log(32)))
