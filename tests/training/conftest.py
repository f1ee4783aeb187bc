"""What several tests of the training share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    labels = np.arange(45) % 3
    images = (rng.integers(0, 120, (45, 8, 8, 3)) + 40 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    return tmp_path / "data.npz"


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """200 samples of four classes, one of them with three samples alone, told apart by their first value."""
    labels = np.concatenate([np.arange(197) % 3, [3, 3, 3]])
    images = np.random.default_rng(0).integers(0, 256, (200, 5, 6, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(200)
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    return tmp_path / "data.npz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Gray images, 40 in each of three classes."""
    rng = np.random.default_rng(0)
    for name in ("ant", "bee", "cat"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(40):
            pixels = rng.integers(0, 256, (4, 4), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number:02}.png")
    return tmp_path / "images"


@pytest.fixture(autouse=True)
def _forget_compiled() -> Iterator[None]:
    yield
    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()
