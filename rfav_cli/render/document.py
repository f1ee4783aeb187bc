"""The document that `rfav show` prints in all its formats, and that other commands take their names from."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.render.base import SCHEMA, column, entropies, finite_or_none
from rfav_cli.render.columns import epoch_columns, layer_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records import Advice, History, LayerFinding, Onset, ProbeRecord, RunFinding, Verdict

OF_PREDICTIONS = (
    "loss",
    "accuracy",
    "figure",
    "confidence",
    "temperature",
    "calibrated_loss",
    "calibration_error",
    "calibrated_error",
)
"""Figures of an epoch's predictions, under the names of `History`; "figure" where the task's is no accuracy."""

TOP = 10
"""Filters of a layer that are named as winners."""


def show_document(history: History, verdict: Verdict) -> dict[str, Any]:
    """The document of `rfav show --format json`, which the other formats and commands take their names from.

    Entropies are in nats; `std` is their deviation over samples and positions. `nonfinite` counts the values skipped
    because they were NaN or infinite, of a layer in all epochs or of an epoch in all layers. `fall` is of
    the smoothed entropies; every other figure is as it was measured. `scale` is how large the activation is
    that goes into the nonlinearity, `shape` its entropy with each filter at unit scale, in nats and as a fraction of
    ln D, `rank` the effective rank after the nonlinearity, as a number of filters and as a fraction of D; `dead` is
    the share of dead filters; `winners` says how many filters are the largest anywhere, and which are the most often.
    `distance` is how far the weights are from those of the checkpoint before, relative to their length, of an epoch in
    all layers. `temperature` is what an epoch's scores are to be divided by; `calibrated_loss` and `calibrated_error`
    are with one, cross-fitted, `calibration_error` is without. `columns` has what other statistics gave. `std`,
    `correlation`, `distance`, these five and the layers' `columns` are the last epoch's.
    `run` has the state, the kind of overfitting, since when (`at_or_before` where it may have begun before that epoch),
    `probability` that it overfits, and `confidence` that the state is right. `advice` says which checkpoint is best by
    each measure, which to keep, and each step with what it gained where that was measured. `scale` and `shape` of a
    layer's `fall` are its parts, in nats.
    `probe` says what the net is asked for, what the held-out loss is called and what the task's usual figure is; that
    stands as `accuracy` where it is one, else as `figure`.
    `train`, of a run with training samples (`--train-probe`), has what the net says of them, and as `gap` how much
    higher its mean confidence is on them than on the probe.
    What does not apply or is not finite is None.
    """
    probe = history.run.probe
    return {
        "schema": SCHEMA,
        "store": history.path,
        "run": run_document(verdict.run),
        "advice": verdict.advice and advice_document(verdict.advice),
        "doubts": [asdict(doubt) for doubt in verdict.doubts],
        "layers": _layers(history, verdict),
        "skipped": [{"name": layer.name, "reason": layer.reason} for layer in history.run.skipped],
        "bad": [{"path": file.path, "reason": file.reason} for file in history.bad],
        "epochs": _epochs(history),
        "probe": {
            "size": probe.size,
            "sha256": probe.sha256,
            "source": probe.source,
            "labels": history.labelled,
            "task": history.task or None,
            "loss": history.loss_words,
            "figure": history.figure_name or None,
            "inputs": list(probe.inputs),
            "padding": probe.padding,
        },
        "train_probe": _train_probe(history.run.train_probe),
        "settings": asdict(history.run.settings),
    }


def run_document(finding: RunFinding) -> dict[str, Any]:
    """The verdict on a run, as all documents have it."""
    return {
        "state": finding.state,
        "kind": finding.kind,
        **_onset(finding.onset),
        "probability": finding.probability,
        "confidence": finding.confidence,
        "basis": finding.basis,
        "reason": finding.reason,
        "figures": finding.beside_state,
    }


def _layers(history: History, verdict: Verdict) -> list[dict[str, Any]]:
    entropy, std = entropies(history), column(history, "entropy/std")
    mean, abs_mean = column(history, "correlation/mean"), column(history, "correlation/abs_mean")
    scale, shape, rank, dead = history.scale, history.shape, history.rank, history.dead
    nonfinite, distance, columns = column(history, "nonfinite"), history.layer_distance, layer_columns(history)
    return [
        {
            "name": layer.name,
            "kind": layer.kind,
            "channels": layer.channels,
            **_finding(finding),
            "entropy": _entropy(entropy[:, i], layer.max_entropy) | {"std": _last(std[:, i])},
            "correlation": {"mean": _last(mean[:, i]), "abs_mean": _last(abs_mean[:, i])},
            "nonfinite": _total(nonfinite[:, i]),
            "scale": _last(scale[:, i]),
            "shape": _of_most(shape[:, i], layer.max_entropy),
            "rank": _of_most(rank[:, i], layer.channels),
            "dead": _last(dead[:, i]),
            "distance": _last(distance[:, i]),
            "winners": _winners(history, i),
            **_other_columns(columns[i]),
        }
        for i, (layer, finding) in enumerate(zip(history.run.layers, verdict.layers, strict=True))
    ]


def advice_document(advice: Advice) -> dict[str, Any]:
    """What to do about a run, as all documents have it; a figure that is not finite is None."""
    best = [asdict(each) for each in advice.best]
    for each in best:
        each |= {name: finite_or_none(each[name]) for name in ("value", "last")}
    return {
        "keep": advice.keep,
        "keep_by": advice.keep_by or None,
        "temperature": advice.temperature,
        "best": best,
        "steps": [asdict(step) for step in advice.steps],
    }


def _finding(finding: LayerFinding) -> dict[str, Any]:
    return {
        "state": finding.state,
        **_onset(finding.onset),
        "confidence": finding.confidence,
        "fall": {
            "nats": finding.fall,
            "fraction": finding.fall_fraction,
            "scale": finding.scale,
            "shape": finding.shape,
        },
        "evidence": finding.evidence,
        "filters": [asdict(problem) for problem in finding.filters],
    }


def _onset(onset: Onset | None) -> dict[str, Any]:
    return {
        "onset": onset and onset.epoch,
        "at_or_before": onset and onset.at_or_before,
        "interval": onset and [onset.low, onset.high],
    }


def _entropy(values: NDArray[np.float64], maximum: float) -> dict[str, float | None]:
    """One layer's part of the document, from its entropies along the epochs, (E,) in nats."""
    last = _last(values)
    capped = None if last is None else min(last, maximum)  # rounding may lift it a hair above ln D
    return {
        "first": finite_or_none(values[0]) if values.size else None,
        "last": last,
        "lowest": min((float(value) for value in values if math.isfinite(value)), default=None),
        "max": maximum,
        "fraction": None if capped is None else capped / maximum,
        "perplexity": None if capped is None else math.exp(capped),
    }


def _of_most(values: NDArray[np.float64], most: float) -> dict[str, float | None]:
    """The last of a layer's figures along the epochs, as it is and as a fraction of the most that it can be."""
    last = _last(values)
    return {"last": last, "fraction": None if last is None or not most else min(last / most, 1.0)}


def _other_columns(columns: dict[str, Any]) -> dict[str, Any]:
    """What has no place of its own, apart from the names of this document; nothing where there is nothing."""
    return {"columns": columns} if columns else {}


def _winners(history: History, index: int) -> dict[str, Any]:
    """How many filters of a layer win in the last epoch, and the first of them by their share of the positions."""
    column = history.columns.get(f"activation/winners/{index}")
    shares = np.asarray(column[-1], np.float64) if column is not None and len(history) else np.array([])
    order = [int(filter_) for filter_ in np.argsort(-shares, kind="stable") if shares[filter_] > 0]
    return {
        "count": len(order) if np.isfinite(shares).any() else None,
        "top": [{"filter": filter_, "share": finite_or_none(shares[filter_])} for filter_ in order[:TOP]],
    }


def _epochs(history: History) -> list[dict[str, Any]]:
    figures = [(name, history.other_figure if name == "figure" else getattr(history, name)) for name in OF_PREDICTIONS]
    rest = (column(history, "nonfinite"), history.distance, _of_training(history), epoch_columns(history))
    return [
        {
            "epoch": checkpoint.epoch,
            **{name: finite_or_none(values[row]) for name, values in figures},
            "nonfinite": _total(nonfinite),
            "distance": finite_or_none(distance),
            "checkpoint": checkpoint.path,
            **train,
            **_other_columns(columns),
        }
        for row, (checkpoint, nonfinite, distance, train, columns) in enumerate(
            zip(history.checkpoints, *rest, strict=True)
        )
    ]


def _of_training(history: History) -> list[dict[str, dict[str, float | None]]]:
    """What each epoch's net says of the training samples; nothing where there are none."""
    if history.run.train_probe is None:
        return [{}] * len(history)
    figures = {
        "confidence": history.train_confidence,
        "gap": history.confidence_gap,
        "loss": history.train_loss,
        "accuracy": history.train_accuracy,
    }
    return [
        {"train": {name: finite_or_none(values[row]) for name, values in figures.items()}}
        for row in range(len(history))
    ]


def _train_probe(probe: ProbeRecord | None) -> dict[str, Any] | None:
    """The training samples, where there are some."""
    return None if probe is None else {"size": probe.size, "sha256": probe.sha256, "source": probe.source}


def _total(counts: NDArray[np.float64]) -> int | None:
    """The sum of counts; None where the store has none."""
    finite = counts[np.isfinite(counts)]
    return int(finite.sum()) if finite.size else None


def _last(values: NDArray[np.float64]) -> float | None:
    return finite_or_none(values[-1]) if values.size else None
