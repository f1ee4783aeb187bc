from __future__ import annotations

import numpy as np
import pytest

from rfav_cli.data.units import full_scale


@pytest.mark.parametrize(
    ("dtype", "scale"), [("u1", 255), ("<u2", 65535), (">u2", 65535), ("i2", None), ("f4", None), ("?", None)]
)
def test_bytes_and_words_alone_have_a_scale(dtype, scale):
    assert full_scale(np.dtype(dtype)) == scale
