"""Distributions of samples against slow twins."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rfav_cli.render.report.figures import BINS, QUANTILES, histogram, summarise

SAMPLES = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.one_of(st.floats(0, 3, width=32), st.just(np.nan), st.just(np.inf)),
)


@settings(deadline=None)
@given(SAMPLES)
def test_quantiles_and_deviation_are_those_of_the_finite_samples(values: np.ndarray) -> None:
    quantiles, deviation = summarise(values)
    for epoch, row in enumerate(values.astype(np.float64)):
        finite = sorted(row[np.isfinite(row)])
        if not finite:
            assert np.isnan(quantiles[epoch]).all()
            assert np.isnan(deviation[epoch])
            continue
        np.testing.assert_allclose(deviation[epoch], np.std(finite), atol=1e-5)
        for share, found in zip(QUANTILES, quantiles[epoch], strict=True):
            assert found == np.float32(finite[round(share * (len(finite) - 1))])


@settings(deadline=None)
@given(SAMPLES, st.floats(0.5, 4))
def test_every_finite_sample_is_in_one_bin(values: np.ndarray, top: float) -> None:
    counts = histogram(values, top)
    assert counts.shape == (len(values), BINS)
    for row, found in zip(values, counts, strict=True):
        assert found.sum() == np.isfinite(row).sum()
        for value in row[np.isfinite(row)]:
            assert found[min(int(np.float32(value) * np.float32(BINS / top)), BINS - 1)] > 0
