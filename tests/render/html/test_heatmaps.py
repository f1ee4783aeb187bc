"""Heatmaps on a page are those of the store, as far as there is room, and images are those that they are of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.render.html import heatmaps
from rfav_cli.render.html.heatmaps import BUDGET, LARGEST_THUMBNAIL, heatmap_blocks, image_blocks
from tests.render.conftest import make_history
from tests.render.figures.histories import KINDS, complete

if TYPE_CHECKING:
    from typing import Any

    from rfav_cli.records import History

HISTORY = KINDS["plain"]


def with_columns(history: History, **columns: Any) -> History:
    return replace(history, columns={**history.columns, **{name.replace("__", "/"): v for name, v in columns.items()}})


def test_all_epochs_and_images_where_there_is_room() -> None:
    blocks = heatmap_blocks(HISTORY, 32, BUDGET, [])
    assert set(blocks) == {f"{kind}/{layer}" for kind in ("map", "mean_map") for layer in range(3)}
    for name, block in blocks.items():
        assert block.rows == tuple(range(29))
        assert block.top == pytest.approx(np.log(32))
        np.testing.assert_array_equal(block.read(), HISTORY.columns[f"entropy/{name}"][:])


def test_what_is_left_out_is_read_from_nowhere() -> None:
    blocks = heatmap_blocks(HISTORY, 1, 3 * 64 * 5, [11])
    assert blocks["map/1"].shape == (5, 1, 8, 8)
    rows = blocks["map/1"].rows
    assert rows is not None
    assert (rows[0], rows[-1]) == (0, 28)
    assert 11 in rows
    np.testing.assert_array_equal(blocks["map/1"].read(), HISTORY.columns["entropy/map/1"][list(rows), :1])
    assert len(blocks["mean_map/1"].rows or ()) == 2  # a quarter of the room, and never fewer


@pytest.mark.parametrize("at_once", [1, 300, 10**9])
def test_a_large_store_is_read_a_few_epochs_at_once(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(heatmaps, "AT_ONCE", at_once)
    block = heatmap_blocks(HISTORY, 2, 3 * 64 * 2 * 13, [])["map/2"]
    np.testing.assert_array_equal(block.read(), HISTORY.columns["entropy/map/2"][list(block.rows or ())])


def test_without_images_only_the_mean_is_shown() -> None:
    for blocks in (heatmap_blocks(HISTORY, 0, BUDGET, []), heatmap_blocks(KINDS["no maps of images"], 32, BUDGET, [])):
        assert set(blocks) == {"mean_map/0", "mean_map/1", "mean_map/2"}
    assert heatmap_blocks(make_history(), 32, BUDGET, []) == {}


def test_images_have_what_the_store_says_of_them() -> None:
    predictions = np.arange(29 * 50, dtype=np.float64).reshape(29, 50)
    predictions[3, 1] = np.nan
    entropies = np.random.default_rng(0).random((29, 3, 50)).astype(np.float32)
    history = with_columns(HISTORY, probe__sample_prediction=predictions, entropy__sample_mean=entropies)
    blocks = image_blocks(history, 2)
    assert set(blocks) == {"thumbnails", "image_prediction", "image_entropy"}
    assert HISTORY.run.probe.thumbnails is not None
    np.testing.assert_array_equal(blocks["thumbnails"].read(), HISTORY.run.probe.thumbnails[:2])
    np.testing.assert_array_equal(blocks["image_entropy"].read(), entropies[..., :2])
    shown = blocks["image_prediction"].read()
    assert (shown[3, 1], shown[3, 0], shown.shape) == (-1, 150, (29, 2))


def test_no_image_has_nothing_said_of_it() -> None:
    assert image_blocks(HISTORY, 0) == {}
    assert set(image_blocks(KINDS["no maps of images"], 2)) == set()


@pytest.mark.parametrize(("side", "shown"), [(128, 128), (129, 65), (300, 100)])
def test_large_images_are_thinned(side: int, shown: int) -> None:
    history = complete(make_history(epochs=2))
    pictures = np.random.default_rng(0).integers(0, 256, (2, side, 8, 3), np.uint8)
    probe = replace(history.run.probe, thumbnails=pictures)
    block = image_blocks(replace(history, run=replace(history.run, probe=probe)), 2)["thumbnails"]
    assert block.shape[1] == shown <= LARGEST_THUMBNAIL
    np.testing.assert_array_equal(block.read()[0, 1, 0], pictures[0, -(-side // 128), 0])


def test_each_image_has_its_loss_and_what_that_is_with_a_temperature() -> None:
    plain = KINDS["plain"]
    losses = np.random.default_rng(1).random((len(plain), 1000)).astype(np.float32)
    columns = {**plain.columns, "probe/sample_loss": 2 * losses, "probe/sample_calibrated_loss": losses}
    blocks = image_blocks(replace(plain, columns=columns), 2)
    np.testing.assert_array_equal(blocks["image_loss"].read(), 2 * losses[:, :2])
    np.testing.assert_array_equal(blocks["image_calibrated_loss"].read(), losses[:, :2])
