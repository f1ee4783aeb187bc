"""Which checkpoints hold the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records import History

_OUTPUT = ("probe/sample_loss", "probe/sample_confidence")
"""What tells whether the layers that are not measured, the classifier and the normalisations, are the same as well."""

_ANOTHER_MACHINE = 1e-3
"""Relative difference up to which entropies of one file may differ between the machines that measured it."""


def find_copies(history: History) -> list[tuple[int, ...]]:
    """The checkpoints that hold the same weights, two or more at a time, as indices of epochs.

    They are the same file, or have the same sketches, entropies and outputs, number by number. Where no outputs are
    measured, only a file tells: a training may leave all layers that are measured as they are. Checkpoints whose
    figures are not finite are left out: a training that has diverged does not change any more.
    """
    if not len(history):
        return []
    figures, finite = _figures(history), _are_finite(history)
    groups: list[list[int]] = []
    group_of: dict[str | bytes, list[int]] = {}
    for row in np.flatnonzero(finite).tolist():
        file = history.checkpoints[row].sha256
        alike = group_of.get(file, [])
        group = alike if alike and _is_same(history.entropy[[alike[0], row]]) else group_of.get(figures[row])
        if group is None:
            group = []
            groups.append(group)
        group.append(row)
        group_of |= {key: group for key in (file, figures[row]) if key}
    return [tuple(group) for group in groups if len(group) > 1]


def _are_finite(history: History) -> NDArray[np.bool_]:
    """(E,), whether some layer has an entropy, and each one that ever has one has it here."""
    finite = np.isfinite(history.entropy)
    return np.asarray(finite.any(1) & (finite | ~finite.any(0)).all(1))


def _is_same(entropies: NDArray[np.float64]) -> bool:
    """Whether two rows of entropies may be of one file."""
    return np.allclose(entropies[0], entropies[1], rtol=_ANOTHER_MACHINE, equal_nan=True)


def _figures(history: History) -> list[bytes]:
    """What is the same only for the same weights, of each epoch; empty where that is not known."""
    output = next((history.columns[name] for name in _OUTPUT if name in history.columns), None)
    if output is None or "checkpoint/sketch" not in history.columns:
        return [b""] * len(history)
    known = [np.asarray(column[:], np.float64).reshape(len(history), -1) for column in (history.sketches, output)]
    finite = np.asarray(np.isfinite(np.concatenate(known, 1)).all(1))
    rows = np.concatenate([*known, history.entropy], 1)
    return [row.tobytes() if usable else b"" for row, usable in zip(rows, finite, strict=True)]
