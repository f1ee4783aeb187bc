"""The verdict on a run: each layer's, and what they and the held-out loss say together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.collapse import EntropyCourse, follow_layer
from rfav_cli.diagnosis.filters import look_at_filters
from rfav_cli.diagnosis.overfitting import follow_loss, held_out_losses
from rfav_cli.records import LayerFinding, Onset, RunFinding, Verdict
from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.diagnosis.overfitting import LossCourse
    from rfav_cli.records import History

BOTH, ENTROPY = "entropy and held-out loss", "entropy alone"


def judge(history: History, thresholds: Thresholds | None = None) -> Verdict:
    """Say what became of a run and of each of its layers."""
    thresholds = thresholds or Thresholds()
    loss = _loss(history, thresholds)
    overfits = loss is not None and loss.probability >= thresholds.certainty
    since = loss.onset.epoch if loss is not None and overfits else None
    layers = _layers(history, since, thresholds)
    return Verdict(_run(history, loss, layers, thresholds), layers)


def _loss(history: History, thresholds: Thresholds) -> LossCourse | None:
    losses = held_out_losses(history)
    finite = np.isfinite(losses).all(1)
    if finite.sum() < thresholds.fewest:
        return None
    return follow_loss(history.epochs[finite], losses[finite], thresholds)


def _layers(history: History, since: int | None, thresholds: Thresholds) -> tuple[LayerFinding, ...]:
    entropies, filters = history.entropy, look_at_filters(history, thresholds)
    return tuple(
        replace(_layer(layer.name, layer.max_entropy, history.epochs, values, since, thresholds), filters=found)
        for layer, values, found in zip(history.run.layers, entropies.T, filters, strict=True)
    )


def _layer(
    name: str,
    maximum: float,
    epochs: NDArray[np.int64],
    values: NDArray[np.float64],
    since: int | None,
    thresholds: Thresholds,
) -> LayerFinding:
    if maximum == 0:
        return LayerFinding(name, None, evidence="has one channel: entropy says nothing of it")
    finite = np.isfinite(values).sum()
    if finite < thresholds.fewest:
        return LayerFinding(
            name, None, evidence=f"finite in {finite} of {len(values)} epochs, {thresholds.fewest} are needed"
        )
    return follow_layer(name, EntropyCourse.of(epochs, values, maximum, thresholds.smoothing), since, thresholds)


def _run(
    history: History, loss: LossCourse | None, layers: tuple[LayerFinding, ...], thresholds: Thresholds
) -> RunFinding:
    doubt = _nothing_to_judge(history, loss, layers, thresholds)
    if doubt:
        return RunFinding("unknown", doubt)
    if loss is None:
        return _by_entropy_alone(layers)
    collapsed = [layer for layer in layers if layer.state == "collapsed"]
    course = f"held-out loss {loss.lowest:.3f} at epoch {loss.onset.epoch}, {loss.last:.3f} at the end (smoothed)"
    if loss.probability >= thresholds.certainty:
        where = f"entropy collapses in {_names(collapsed)}" if collapsed else "no layer's entropy collapses"
        reason = f"likely overfitting since epoch {loss.onset.epoch}: {course}; {where}"
        return RunFinding("overfitting", reason, BOTH, loss.onset, loss.probability)
    if collapsed:
        reason = f"entropy collapses in {_names(collapsed)}, but no overfitting: {course}"
        return RunFinding("sparsifying", reason, BOTH, _first(collapsed), loss.probability)
    unsure = f"; that it rises by {thresholds.rise:.0%} is {loss.probability:.0%} sure" if loss.rise > 0 else ""
    return RunFinding("healthy", f"{course}{unsure}", BOTH, None, loss.probability)


def _nothing_to_judge(
    history: History, loss: LossCourse | None, layers: tuple[LayerFinding, ...], thresholds: Thresholds
) -> str:
    """Why nothing can be said, or nothing."""
    if len(history) < thresholds.fewest:
        count = f"{len(history)} epoch{'' if len(history) == 1 else 's'}"
        return f"{count} measured, {thresholds.fewest} are needed to tell a course{_level(history)}"
    if history.run.probe.labels is not None:
        last = history.loss[-1]
        if not np.isfinite(last):
            return f"the held-out loss of the last epoch, {history.epochs[-1]}, is not finite: the training diverged"
        if loss is None:
            return f"the held-out loss is finite in fewer than {thresholds.fewest} epochs"
    broken = [layer.name for layer, value in zip(layers, history.entropy[-1], strict=True) if not np.isfinite(value)]
    if broken:
        return f"the last epoch, {history.epochs[-1]}, has no finite entropy in {', '.join(broken)}"
    return "" if loss or any(layer.state for layer in layers) else "no layer has an entropy that can be judged"


def _level(history: History) -> str:
    """What can be said of a checkpoint without a history."""
    shares = {
        layer.name: value / layer.max_entropy
        for layer, value in zip(history.run.layers, history.entropy[-1] if len(history) else (), strict=False)
        if np.isfinite(value) and layer.max_entropy > 0
    }
    if not shares:
        return ""
    lowest = min(shares, key=lambda name: shares[name])
    return f"; the lowest entropy is {shares[lowest]:.0%} of ln D, in {lowest}"


def _by_entropy_alone(layers: tuple[LayerFinding, ...]) -> RunFinding:
    collapsed = [layer for layer in layers if layer.state == "collapsed"]
    if collapsed:
        return RunFinding(
            "overfitting", f"likely overfitting: entropy collapses in {_names(collapsed)}", ENTROPY, _first(collapsed)
        )
    return RunFinding("healthy", "no layer's entropy collapses", ENTROPY)


def _first(layers: list[LayerFinding]) -> Onset | None:
    """The earliest onset."""
    return min((layer.onset for layer in layers if layer.onset), key=lambda onset: onset.epoch, default=None)


def _names(layers: list[LayerFinding]) -> str:
    return ", ".join(layer.name for layer in layers)
