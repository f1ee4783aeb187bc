"""What of a long run goes into a page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.render.html.thinning import fit, spread


@settings(deadline=None)
@given(st.integers(1, 600), st.integers(2, 80), st.lists(st.integers(0, 599), max_size=2))
def test_rows_are_ascending_and_hold_both_ends_and_a_moment(count: int, wanted: int, moments: list[int]) -> None:
    kept = [moment for moment in moments if moment < count][:1]
    rows = spread(count, wanted, kept)
    assert list(rows) == sorted(set(rows))
    assert len(rows) <= wanted or len(rows) == count
    assert (rows[0], rows[-1]) == (0, count - 1)
    if wanted > 4:
        near = [moment for moment in kept if count / wanted < moment < count - 1 - count / wanted]
        assert {*near} <= {*rows}


@settings(deadline=None)
@given(st.integers(1, 600), st.integers(0, 64), st.integers(0, 10**6), st.integers(0, 10**8))
def test_it_fits(epochs: int, images: int, size: int, budget: int) -> None:
    kept_epochs, kept_images = fit(epochs, images, size, budget)
    assert 0 <= kept_epochs <= epochs
    assert 0 <= kept_images <= images
    if images and size * 2 <= budget:
        assert kept_epochs * kept_images * size <= budget
        assert kept_epochs >= min(2, epochs)
        assert kept_images >= 1


@pytest.mark.parametrize(
    ("epochs", "images", "size", "budget", "expected"),
    [
        (31, 32, 2000, 12_000_000, (31, 32)),  # all
        (500, 32, 2000, 12_000_000, (187, 32)),  # epochs first
        (500, 32, 15_000, 12_000_000, (100, 8)),  # then images
        (500, 32, 60_000, 12_000_000, (25, 8)),
        (500, 32, 10**9, 12_000_000, (2, 1)),  # more than there is room for, rather than nothing
        (500, 0, 100, 10, (500, 0)),
    ],
)
def test_epochs_go_before_images(epochs: int, images: int, size: int, budget: int, expected: tuple[int, int]) -> None:
    assert fit(epochs, images, size, budget) == expected
