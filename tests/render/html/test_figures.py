"""Distributions of samples against slow twins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rfav_cli.render.html.figures import BINS, QUANTILES, figure_blocks, histogram, summarise, whole_counts
from tests.render.conftest import make_history

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


@pytest.mark.parametrize("kind", [np.uint32, np.int8, np.uint64, np.float64])
def test_counts_of_any_type_stay_what_they_are(kind: type) -> None:
    assert whole_counts(np.array([0, 7], kind)).tolist() == [0, 7]
    assert whole_counts(np.array([np.nan, -1.0, 1e30, np.inf, -np.inf])).tolist() == [0, 0, 2**32 - 1, 2**32 - 1, 0]


def test_an_epoch_without_correlations_has_none_on_the_page() -> None:
    history = make_history(epochs=3)
    counts = np.full((3, len(history.run.layers), 201), 2.0)
    counts[1] = np.nan
    block = figure_blocks(replace(history, columns={**history.columns, "correlation/histogram": counts}), ())[
        "correlation"
    ]
    assert (block.dtype, block.shape) == ("u1", counts.shape)
    assert block.read()[:, 0, 0].tolist() == [2, 0, 2]
