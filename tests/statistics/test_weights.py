from __future__ import annotations

import numpy as np
import pytest
import torch

from rfav_cli.records import Layer, Settings
from rfav_cli.statistics.base import Context
from rfav_cli.statistics.weights import Weights

LAYERS = (Layer("conv", "Conv2d", 6, (6, 1, 3, 3), (4, 4)), Layer("fc", "Linear", 2, (2, 1), ()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_filters_with_a_weight_that_is_not_finite_are_counted_once(value: float, dtype: torch.dtype) -> None:
    statistic = Weights(Context(LAYERS, 3, None, Settings()))
    filters = torch.randn(2, 3, 9).to(dtype)
    filters[0, 1, 4] = value
    filters[1, :2, :2] = value
    statistic.update_filters(0, filters)
    statistic.update_filters(1, torch.ones(1, 2, 1, dtype=dtype))
    expected = [sum(not np.isfinite(row).all() for row in filters.float().numpy().reshape(6, 9)), 0]
    assert statistic.compute()["weights/nonfinite"].tolist() == expected == [3, 0]
