"""The state of each layer of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.collapse import LayerCourse, follow_layer
from rfav_cli.diagnosis.filters import look_at_filters
from rfav_cli.records import LayerFinding
from rfav_cli.text import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.options.thresholds import Thresholds
    from rfav_cli.records import History, Layer


ENTROPY = 0.9
"""The same as `Thresholds.sparse` in a store of an earlier version, which has neither scale nor shape: a share of the
highest entropy, of which learning alone takes much."""


def judge_layers(history: History, since: int | None, thresholds: Thresholds) -> tuple[LayerFinding, ...]:
    """Say what became of each layer.

    Args:
        history: of the run.
        since: the onset of overfitting; None where the run is not known to overfit.
        thresholds: collapse, fall, sparse, smoothing and fewest are used.
    """
    findings = look_at_filters(history, thresholds)
    epochs, figures = history.epochs, zip(history.entropy.T, history.scale.T, history.shape.T, strict=True)
    layers = (
        _layer(layer, epochs, each, since, thresholds) for layer, each in zip(history.run.layers, figures, strict=True)
    )
    return tuple(replace(layer, filters=filters) for layer, filters in zip(layers, findings, strict=True))


def unjudged_layers(history: History, why: str, thresholds: Thresholds) -> tuple[LayerFinding, ...]:
    """The layers of a run that no state fits, such as one that diverged; what is to be said of their filters is."""
    findings = look_at_filters(history, thresholds)
    return tuple(
        LayerFinding(layer.name, None, evidence=why, filters=filters)
        for layer, filters in zip(history.run.layers, findings, strict=True)
    )


def _layer(
    layer: Layer,
    epochs: NDArray[np.int64],
    figures: tuple[NDArray[np.float64], ...],
    since: int | None,
    thresholds: Thresholds,
) -> LayerFinding:
    """Of its entropies, scales and shapes, (E,) each."""
    if layer.max_entropy == 0:
        return LayerFinding(layer.name, None, evidence="has one channel: entropy says nothing of it")
    entropies = figures[0]
    scales, shapes = (values if np.isfinite(values).any() else None for values in figures[1:])
    judged = entropies
    if scales is not None and shapes is not None:
        judged = np.where(scales > 0, shapes, np.nan)
    finite = int(np.isfinite(judged).sum())
    if finite < thresholds.fewest:
        few = f"finite in {finite} of {count(len(epochs), 'epoch')}, {thresholds.fewest} are needed"
        return LayerFinding(layer.name, None, evidence=few)
    course = LayerCourse.of(
        epochs, entropies, layer.max_entropy, thresholds.smoothing, scales, shapes, shape_alone=since is None
    )
    limit = thresholds.collapse
    if since is None:
        limit = thresholds.sparse if course.shapes is not None else ENTROPY
    return follow_layer(layer.name, course, since, limit, thresholds.fall)
