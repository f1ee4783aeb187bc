"""Two runs held against each other, by path or as they were read."""

from __future__ import annotations

import pytest

import rfav_cli
from rfav_cli.errors import StoreError


def test_paths_and_histories_are_the_same_to_it(judged):
    bad, good = judged
    comparison = rfav_cli.compare(bad, good)
    assert comparison == rfav_cli.compare(str(bad), rfav_cli.open_store(good))
    assert [layer.name for layer in comparison.layers] == ["conv1", "conv2", "fc1"]
    assert comparison != rfav_cli.compare(good, bad)


def test_thresholds_reach_the_verdicts(judged):
    strict, lax = (rfav_cli.compare(*judged, thresholds=rfav_cli.Thresholds(rise=rise)) for rise in (0.05, 100.0))
    assert strict != lax


def test_a_store_that_is_not_there_is_named(judged, tmp_path):
    with pytest.raises(StoreError, match=r"none\.h5"):
        rfav_cli.compare(judged[0], tmp_path / "none.h5")
