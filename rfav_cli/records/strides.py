"""How often a run was saved."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST = 3
"""Epochs of a step that is one shorter than the next because the first epoch was saved besides."""


def stride_of(epochs: Sequence[int]) -> int:
    """The usual step between trained epochs, the lower median of all; 0 where there is none.

    The first epoch is often saved besides, whichever number counting begins with: 1, 10, 20 and 0, 9, 19 are each tenth
    epoch and the first.

    Args:
        epochs: ascending; those before training are no part of it.
    """
    trained = [int(epoch) for epoch in epochs if epoch >= 0]
    steps = [after - before for before, after in pairwise(trained)]
    if len(steps) > 1 and trained[0] <= 1 and steps[1] >= _LEAST and steps[0] == steps[1] - 1:
        steps[0] = steps[1]
    return sorted(steps)[(len(steps) - 1) // 2] if steps else 0
