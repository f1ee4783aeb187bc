"""How often a run was saved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.records.strides import stride_of


@pytest.mark.parametrize(
    ("epochs", "stride"),
    [
        ([], 0),
        ([-1, 7], 0),
        ([0, 1, 2, 5], 1),
        ([1, 10, 20], 10),
        ([0, 9, 19], 10),
        ([1, 5, 10], 5),
        ([0, 1, 3], 1),  # 2 is missing, or each second was saved: the gate must not guess
        ([2, 9, 17], 7),  # not the first epoch
        ([0, 2, 4, 8], 2),
        ([1, 10, 20, 25], 10),
    ],
)
def test_the_usual_step(epochs: list[int], stride: int) -> None:
    assert stride_of(epochs) == stride


@given(st.integers(3, 60), st.integers(2, 20), st.booleans(), st.booleans())
def test_the_first_epoch_may_be_saved_besides(stride: int, count: int, from_one: bool, untrained: bool) -> None:
    regular = [stride * place + from_one - 1 for place in range(1, count + 1)]
    assert stride_of([*([-1] if untrained else []), int(from_one), *regular]) == stride
