"""Compares what two stores hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli import open_store

if TYPE_CHECKING:
    from pathlib import Path


def assert_same_figures(one: Path, other: Path, *, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Every column of both stores is the same, with the default to the last bit."""
    ours, theirs = open_store(one), open_store(other)
    assert ours.epochs.tolist() == theirs.epochs.tolist()
    assert [layer.name for layer in ours.run.layers] == [layer.name for layer in theirs.run.layers]
    assert set(ours.columns) == set(theirs.columns)
    for name in ours.columns:
        np.testing.assert_allclose(ours.columns[name][:], theirs.columns[name][:], rtol=rtol, atol=atol, err_msg=name)
