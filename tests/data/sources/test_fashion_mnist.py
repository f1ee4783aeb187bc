from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.data.sources import SampleOptions, open_source

from .published import write_mnist

if TYPE_CHECKING:
    from pathlib import Path


def test_the_format_of_mnist_with_names_and_preset_of_its_own(tmp_path: Path, rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (20, 28, 28), dtype=np.uint8)
    write_mnist(tmp_path / "FashionMNIST" / "raw", images, np.full(20, 9, dtype=np.uint8), packed=True)
    source = open_source(f"fashion-mnist:{tmp_path}#train", SampleOptions())
    np.testing.assert_array_equal(source.read(np.arange(15)), images[5:, None])
    assert source.classes[9] == "Ankle boot"
    assert (source.mean, source.std) == ((0.2860,), (0.3530,))
