"""The counts of the correlations are those of the store."""

from __future__ import annotations

import numpy as np

import rfav_cli
from tests.render.figures.histories import KINDS


def test_counts_are_those_of_the_store() -> None:
    history = KINDS["plain"]
    panels = rfav_cli.plot(history, figure="correlation").axes
    drawn = np.asarray(panels[1].collections[0].get_array()).reshape(201, len(history))
    np.testing.assert_array_equal(drawn.T, history.columns["correlation/histogram"][:, 1])
