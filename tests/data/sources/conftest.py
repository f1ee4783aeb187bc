from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def image_folder(tmp_path: Path) -> Callable[[dict[str, NDArray[np.uint8]]], Path]:
    """Writes images by relative path, as PNG, and gives the folder."""

    def write(images: dict[str, NDArray[np.uint8]]) -> Path:
        root = tmp_path / "images"
        for name, pixels in images.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / name)
        return root

    return write
