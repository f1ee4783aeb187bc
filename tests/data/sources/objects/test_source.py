"""Samples of objects as a source: pictures among them, labels, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.data.sources.base import Location
from rfav_cli.data.sources.objects.rows import Given, ItemRows
from rfav_cli.data.sources.objects.source import ObjectSource
from rfav_cli.errors import SampleError

RNG = np.random.default_rng(0)
PIXELS = [RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8) for _ in range(4)]


def source_of(items, location=None, **options):
    rows = ItemRows(items.__getitem__, len(items), Given("mine"))
    return ObjectSource(rows, location or Location("mine", Path()), SampleOptions(**options))


@pytest.mark.parametrize("make", [Image.fromarray, np.asarray, lambda p: torch.from_numpy(p).movedim(-1, 0)])
def test_pictures_are_read_as_image_files_are(make):
    items = [(make(pixels), 1) for pixels in PIXELS]
    source = source_of(items)
    assert source.read(np.arange(4)).tolist() == np.stack(PIXELS).transpose(0, 3, 1, 2).tolist()
    assert "divided by 255" in source.notes[0]
    assert source_of(items, gray=True).read(np.arange(4)).shape == (4, 1, 6, 5)
    assert source_of(items, resize=(3, 4)).read(np.arange(4)).shape == (4, 3, 3, 4)
    probe = load_probe(items, size=4, options=SampleOptions(mean=(0.5,)))
    assert probe.mean == (0.5,) * 3
    assert probe.recolour is not None


def test_gray_pictures_have_one_channel_and_may_have_three():
    items = [(Image.fromarray(pixels[..., 0]), 1) for pixels in PIXELS]
    assert source_of(items).read(np.arange(4)).shape == (4, 1, 6, 5)
    assert source_of(items, rgb=True).read(np.arange(4)).shape == (4, 3, 6, 5)
    assert source_of([pixels[..., 0] for pixels in PIXELS]).read(np.arange(4)).shape == (4, 1, 6, 5)


def test_pictures_of_different_sizes():
    items = [Image.new("RGB", (5, 6)), Image.new("RGB", (7, 6))]
    with pytest.raises(SampleError, match=r"(?s)sample 1 is 7x6, sample 0 5x6.*--resize"):
        source_of(items).read(np.arange(2))
    assert source_of(items, resize=8, center_crop=6).read(np.arange(2)).shape == (2, 3, 6, 6)


def test_a_layout_is_none_of_pictures():
    with pytest.raises(SampleError, match="--layout is for arrays"):
        source_of(PIXELS, layout="nhwc")


def test_sixteen_bits_are_kept():
    source = source_of([Image.fromarray(np.full((2, 2), 40000, np.uint16))])
    np.testing.assert_allclose(source.read(np.arange(1)), 40000 / 65535)
    assert source.scale == 65535


def test_labels_are_known_once_samples_were_read():
    source = source_of([(torch.zeros(2), n) for n in range(5)])
    assert source.labels_of(np.arange(2)) is None
    source.read(np.array([4, 1]))
    assert source.labels_of(np.array([1, 4])).tolist() == [1, 4]


def test_one_thread_at_a_time_reads():
    inside = []

    class Watched(list):
        def __getitem__(self, index):
            inside.append(1)
            assert len(inside) == 1
            item = super().__getitem__(index)
            inside.pop()
            return item

    source = source_of(Watched((torch.zeros(2), n % 2) for n in range(200)))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(source.read, np.arange(200).reshape(40, 5)))
    assert source.labels_of(np.arange(200)).tolist() == [0, 1] * 100
