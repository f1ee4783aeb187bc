"""The figures of the last checkpoint, held against limits and against those of a baseline."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import finite_or_none
from rfav_cli.records import Baseline, BaselineLayer, Checked
from rfav_cli.records.run import option_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rfav_cli.records import History, Policy
    from rfav_cli.records.checking import Outcome

ACCURACY_DROP, ENTROPY_DROP = 0.02, 0.1
"""Largest drops below a baseline where the policy gives none: of the accuracy, and as a fraction of ln D."""
ROUNDING = 1e-9
"""A figure that is this close to its limit is at the limit, which is within."""


def baseline_of(history: History) -> Baseline:
    """The figures of a store's last epoch, to compare others with; it has at least one."""
    return Baseline(
        name=history.path,
        digest=history.digest,
        probe_sha256=history.run.probe.sha256,
        probe_size=history.run.probe.size,
        with_bias=history.run.settings.with_bias,
        fold_norm=history.run.settings.fold_norm,
        epoch=int(history.epochs[-1]),
        accuracy=finite_or_none(history.accuracy[-1]),
        layers={
            layer.name: BaselineLayer(layer.channels, finite_or_none(value))
            for layer, value in zip(history.run.layers, history.entropy[-1], strict=True)
        },
    )


def hold_against_limits(history: History, policy: Policy) -> Iterator[Checked]:
    """Accuracy, entropies and correlations of the last epoch."""
    if not len(history):
        return
    if policy.min_accuracy is not None:
        yield _accuracy(history, policy.min_accuracy)
    for glob, limit in policy.min_entropy:
        for name in _matching(history, glob):
            yield _entropy(history, name, limit)
        yield from _unmatched(history, glob, "min-entropy")
    for glob, limit in policy.max_correlation:
        for name in _matching(history, glob):
            yield _correlation(history, name, limit)
        yield from _unmatched(history, glob, "max-correlation", entropy=False)


def compare_with_baseline(history: History, policy: Policy, baseline: Baseline) -> Iterator[Checked]:
    """The drop of the accuracy and of each layer's entropy since the baseline."""
    path = history.path
    unfit = _unfit(history, baseline)
    if unfit or not len(history):
        for rule, message in unfit:
            yield Checked(rule, path, "", "missing", message, "baseline")
        return
    yield from _accuracy_drop(history, policy, baseline)
    for name in baseline.layers:
        yield from _entropy_drop(history, policy, baseline, name)
    for layer in history.run.layers:
        if layer.name not in baseline.layers:
            message = f"{baseline.name} has no layer {layer.name}"
            yield Checked("RFAV103", path, layer.name, "missing", message, "baseline")
    for glob, _ in policy.max_entropy_drop:
        yield from _unmatched(history, glob, "max-entropy-drop")


def _unfit(history: History, baseline: Baseline) -> list[tuple[str, str]]:
    """Why nothing can be compared: (rule, words)."""
    probe, settings, reasons = history.run.probe, history.run.settings, []
    if (probe.sha256, probe.size) != (baseline.probe_sha256, baseline.probe_size):
        reasons.append(("RFAV104", f"{baseline.name} was measured on other samples"))
    for name in ("with_bias", "fold_norm"):
        if getattr(settings, name) != getattr(baseline, name):
            option, given = option_of(name, getattr(baseline, name))
            how = "with" if given else "without"
            reasons.append(("RFAV107", f"{baseline.name} was measured {how} {option}, the store was not"))
    return reasons


def _accuracy(history: History, limit: float) -> Checked:
    value, key = finite_or_none(history.accuracy[-1]), "min-accuracy"
    if value is None:
        unlabelled = not history.labelled
        message = "the probe has no labels" if unlabelled else "the last epoch has no accuracy"
        if history.labelled and not history.has_accuracy:
            message = f"the task {history.task} has no accuracy"
        return Checked("RFAV104" if unlabelled else "RFAV106", history.path, "", "missing", message, key, None, limit)
    message = f"accuracy {value:.4g} in epoch {history.epochs[-1]}, at least {limit:.4g} is needed"
    return Checked("RFAV007", history.path, "", _above(value, limit), message, key, value, limit)


def _entropy(history: History, name: str, limit: float) -> Checked:
    share, key = _share(history, name), "min-entropy"
    if share is None:
        message = f"the last epoch has no finite entropy in {name}"
        return Checked("RFAV106", history.path, name, "missing", message, key, None, limit)
    message = f"entropy {share:.1%} of ln D in epoch {history.epochs[-1]}, at least {limit:.1%} is needed"
    return Checked("RFAV005", history.path, name, _above(share, limit), message, key, share, limit)


def _correlation(history: History, name: str, limit: float) -> Checked:
    column, key = history.columns.get("correlation/abs_mean"), "max-correlation"
    value = None if column is None else finite_or_none(np.asarray(column[-1])[history.layer_index(name)])
    if value is None:
        message = f"the last epoch has no correlation of the filters of {name}"
        return Checked("RFAV106", history.path, name, "missing", message, key, None, limit)
    message = f"mean |correlation| {value:.3g} in epoch {history.epochs[-1]}, at most {limit:.3g} is allowed"
    return Checked("RFAV006", history.path, name, _above(limit, value), message, key, value, limit)


def _accuracy_drop(history: History, policy: Policy, baseline: Baseline) -> Iterator[Checked]:
    value, before, key = finite_or_none(history.accuracy[-1]), baseline.accuracy, "max-accuracy-drop"
    limit = ACCURACY_DROP if policy.max_accuracy_drop is None else policy.max_accuracy_drop
    if value is None and before is None and policy.max_accuracy_drop is None:
        return
    if value is None or before is None:
        where = baseline.name if before is None else "the last epoch"
        yield Checked("RFAV104", history.path, "", "missing", f"{where} has no accuracy to compare", key, None, limit)
        return
    message = f"accuracy {value:.4g}, {before:.4g} in the baseline: a drop of {limit:.4g} is allowed"
    yield Checked("RFAV008", history.path, "", _above(limit, before - value), message, key, before - value, limit)


def _entropy_drop(history: History, policy: Policy, baseline: Baseline, name: str) -> Iterator[Checked]:
    layers, key = {layer.name: layer for layer in history.run.layers}, "max-entropy-drop"
    before = baseline.layers[name]
    if name not in layers:
        message = f"{baseline.name} has the layer {name}, the store has not"
        yield Checked("RFAV103", history.path, name, "missing", message, "baseline")
        return
    if layers[name].channels != before.channels:
        message = f"{before.channels} filters in {baseline.name}, {layers[name].channels} in the store"
        yield Checked("RFAV103", history.path, name, "missing", message, "baseline")
        return
    limits = [limit for glob, limit in policy.max_entropy_drop if fnmatchcase(name, glob)]
    if before.channels == 1:
        return
    limit = min(limits) if limits else ENTROPY_DROP
    share = _share(history, name)
    if share is None or before.entropy is None:
        message = f"no finite entropy in {'the last epoch' if share is None else baseline.name}"
        rule = "RFAV106" if share is None else "RFAV107"
        yield Checked(rule, history.path, name, "missing", message, key, None, limit)
        return
    good = before.entropy / math.log(before.channels)
    message = f"entropy {share:.1%} of ln D, {good:.1%} in the baseline: a drop of {limit:.1%} is allowed"
    yield Checked("RFAV009", history.path, name, _above(limit, good - share), message, key, good - share, limit)


def _matching(history: History, glob: str) -> list[str]:
    """Names of layers; one with a single channel is meant by its own name alone."""
    return [
        layer.name
        for layer in history.run.layers
        if fnmatchcase(layer.name, glob) and (layer.channels > 1 or layer.name == glob)
    ]


def _unmatched(history: History, glob: str, key: str, *, entropy: bool = True) -> Iterator[Checked]:
    names: Sequence[str] = [layer.name for layer in history.run.layers]
    if not _matching(history, glob):
        message = f"{glob!r} matches no layer with {'an entropy' if entropy else 'several filters'}; there are "
        yield Checked("RFAV103", history.path, "", "missing", message + (", ".join(names) or "none"), key)


def _share(history: History, name: str) -> float | None:
    """Entropy of a layer in the last epoch as a fraction of ln D."""
    index = history.layer_index(name)
    layer, value = history.run.layers[index], finite_or_none(history.entropy[-1, index])
    return None if value is None or layer.channels == 1 else min(value / layer.max_entropy, 1.0)


def _above(value: float, least: float) -> Outcome:
    return "passed" if value >= least - ROUNDING else "flagged"
