"""Which checkpoints hold the same weights."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from rfav_cli.records import History

_OUTPUT = ("probe/sample_loss", "probe/sample_confidence")
"""What tells whether the layers that are not measured, the classifier and the normalisations, are the same as well."""


def find_copies(history: History) -> list[tuple[int, ...]]:
    """The checkpoints that hold the same weights, two or more at a time, as indices of epochs.

    They are the same file, or have the same sketches, entropies and outputs, number by number. Where no outputs are
    measured, only a file tells: a training may leave all layers that are measured as they are. Checkpoints whose figures
    are not finite are left out: a training that has diverged does not change any more.
    """
    groups: dict[Hashable, list[int]] = {}
    for row, (checkpoint, finite, figures) in enumerate(
        zip(history.checkpoints, _are_finite(history), _figures(history), strict=True)
    ):
        if not finite:
            continue
        keys = [key for key in (checkpoint.sha256, figures) if key]
        group = next((groups[key] for key in keys if key in groups), [])
        group.append(row)
        groups |= dict.fromkeys(keys, group)
    distinct: dict[int, list[int]] = defaultdict(list)
    for group in groups.values():
        distinct[group[0]] = group
    return sorted(tuple(group) for group in distinct.values() if len(group) > 1)


def _are_finite(history: History) -> NDArray[np.bool_]:
    """(E,), whether some layer has an entropy, and each one that ever has one has it here."""
    finite = np.isfinite(history.entropy)
    result: NDArray[np.bool_] = finite.any(1) & (finite | ~finite.any(0)).all(1)
    return result


def _figures(history: History) -> list[bytes]:
    """What is the same only for the same weights, of each epoch; empty where that is not known."""
    output = next((history.columns[name] for name in _OUTPUT if name in history.columns), None)
    if output is None or not history.sketches.size:
        return [b""] * len(history)
    table = [np.asarray(column[:], np.float64).reshape(len(history), -1) for column in (history.sketches, output)]
    rows = np.concatenate([*table, history.entropy], 1)
    return [row.tobytes() if np.isfinite(one).all() and np.isfinite(other).all() else b"" for row, one, other in zip(rows, *table, strict=True)]
