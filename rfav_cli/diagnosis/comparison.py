"""Two runs compared, such as before and after a retraining with penalties."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.diagnosis.curves import finite_or_none
from rfav_cli.diagnosis.differences import (
    FEWEST_SAMPLES,
    SURE,
    accuracy_difference,
    best_and_last,
    loss_difference,
)
from rfav_cli.diagnosis.other_probe import is_same_probe, what_differs
from rfav_cli.diagnosis.verdict import judge
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import Comparison, EpochFigures, LayerComparison, LayerSide, RunSide
from rfav_cli.records.run import option_of
from rfav_cli.records.units import said_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.diagnosis.differences import EpochEstimates
    from rfav_cli.records import Difference, History, RunFinding, Verdict

ENTROPIES = "entropies"
BEARS_ON = {"with_bias": ENTROPIES, "fold_norm": ENTROPIES, "centering": "correlations", "output": "losses"} | {
    "weights": ENTROPIES,
    "unit": "numbers of epochs and steps",
}
"""Setting -> the figures that it makes others of."""
OF_LABELS = {"task": "losses", "loss": "losses"}
"""The same, where both runs have labels."""
ONE_TRAINING = (
    "how sure it is, is said of these two trainings on other samples of the kind; another seed moves the losses as well"
)


def compare(a: History, b: History, thresholds: Thresholds = Thresholds()) -> Comparison:  # noqa: B008 - frozen
    """Say which of two runs is better and how sure that is, and what became of each layer.

    The losses of the same samples are compared sample by sample, those of different samples as two draws.

    Args:
        a: the run before.
        b: the run after.
        thresholds: of the verdicts; `smoothing` also of the losses that are tested.
    """
    verdict_a, verdict_b = judge(a, thresholds), judge(b, thresholds)
    (best_a, last_a), (best_b, last_b) = best_and_last(a, thresholds), best_and_last(b, thresholds)
    one, other = a.run.probe, b.run.probe
    paired = is_same_probe(one, other)
    side_a, side_b = _side(a, verdict_a.run, best_a, last_a), _side(b, verdict_b.run, best_b, last_b)
    best, last = _differences(best_a, best_b, paired), _differences(last_a, last_b, paired)
    if not _is_same_task(a, b):
        best = last = None, None
    named = a.loss_words, a.figure_name if a.has_accuracy else "", " nat" if a.in_nats else ""
    words = (
        *_summary(*best, side_a.best, side_b.best, "best", named),
        *_summary(*last, side_a.last, side_b.last, "last", named),
    )
    compared = Comparison(
        a=side_a,
        b=side_b,
        same_probe=paired,
        best_loss=best[0],
        best_accuracy=best[1],
        last_loss=last[0],
        last_accuracy=last[1],
        summary=words or ("no held-out losses to compare",),
        layers=_layers(a, b, verdict_a, verdict_b),
        notes=(*_doubts(verdict_a, verdict_b), *_notes(a, b, side_a, side_b, paired, thresholds)),
        loss_words=named[0],
        figure=named[1],
    )
    return said_in(compared, a.unit) if a.unit == b.unit else compared


def _differences(
    a: EpochEstimates | None, b: EpochEstimates | None, paired: bool
) -> tuple[Difference | None, Difference | None]:
    """Of the loss and of the accuracy."""
    return loss_difference(a, b, paired), accuracy_difference(a, b, paired)


def _is_same_task(a: History, b: History) -> bool:
    """Whether two runs have the same loss; one without labels has none to compare."""
    tasks = [(run.task, run.run.settings.loss) for run in (a, b) if run.labelled]
    return len(set(tasks)) <= 1


def _doubts(a: Verdict, b: Verdict) -> Iterator[str]:
    """Why the figures of one of the runs may not be its own."""
    for name, verdict in (("A", a), ("B", b)):
        for doubt in verdict.doubts:
            yield f"{name} is in doubt: {doubt.sentence}"


def _side(history: History, finding: RunFinding, best: EpochEstimates | None, last: EpochEstimates | None) -> RunSide:
    return RunSide(history.path, finding, _epoch_figures(best), _epoch_figures(last))


def _epoch_figures(measured: EpochEstimates | None) -> EpochFigures | None:
    if measured is None:
        return None
    loss, accuracy = measured.loss, measured.accuracy
    figures = EpochFigures(measured.epoch, loss.mean, accuracy.mean if accuracy else None)
    return figures if loss.measured is None else replace(figures, loss=loss.measured, smoothed_loss=loss.mean)


def _summary(
    loss: Difference | None,
    accuracy: Difference | None,
    a: EpochFigures | None,
    b: EpochFigures | None,
    which: str,
    named: tuple[str, str, str],
) -> Iterator[str]:
    """The differences between two epochs, in words; `named` are loss, figure and the unit of the loss."""
    loss_words, figure, unit = named
    if a is None or b is None:
        return
    if loss:
        figures = f"{b.loss:.3f} against {a.loss:.3f}"
        if a.smoothed_loss is not None and b.smoothed_loss is not None:
            figures += f"; smoothed {b.smoothed_loss:.3f} against {a.smoothed_loss:.3f}"
        yield _sentence(loss, f"{which} {loss_words}", f"{{:.3g}}{unit}", figures)
    if accuracy and a.accuracy is not None and b.accuracy is not None:
        in_points = replace(accuracy, value=100 * accuracy.value)
        where = f"{figure} at its best loss" if which == "best" else f"last {figure}"
        figures = f"{b.accuracy:.1%} against {a.accuracy:.1%}"
        yield _sentence(in_points, where, "{:.1f} percentage points", figures)


def _sentence(difference: Difference, what: str, form: str, figures: str) -> str:
    if difference.value == 0 == difference.tested:
        return f"B's {what} is that of A ({figures})"
    if difference.value * difference.tested > 0:
        direction = _size(difference.value, form)
    else:
        direction = f"{_size(difference.value, form)} as measured, but smoothed {_size(difference.tested, form)}"
    if difference.p is None:
        return f"B's {what} is {direction} ({figures}; how sure that is cannot be said)"
    sure = 1 - difference.p
    degree = "over 99.9% sure" if sure > 0.999 else f"{math.floor(1000 * sure) / 1000:.1%} sure"
    if difference.better:
        return f"B's {what} is {direction} ({figures}; {degree})"
    return f"no sure difference: B's {what} is {direction} ({figures}; {degree}, {SURE:.0%} is needed)"


def _size(value: float, form: str) -> str:
    return f"{form.format(abs(value))} {'higher' if value > 0 else 'lower'}" if value else "the same"


def _layers(a: History, b: History, verdict_a: Verdict, verdict_b: Verdict) -> tuple[LayerComparison, ...]:
    sides_a, sides_b = _layer_sides(a, verdict_a), _layer_sides(b, verdict_b)
    differing = {(BEARS_ON | OF_LABELS)[name] for name, _, _ in _other_settings(a, b)}
    return tuple(
        LayerComparison(
            name, sides_a.get(name), sides_b.get(name), _change(sides_a.get(name), sides_b.get(name), differing)
        )
        for name in {**sides_a, **sides_b}
    )


def _layer_sides(history: History, verdict: Verdict) -> dict[str, LayerSide]:
    correlations = history.columns.get("correlation/abs_mean")
    sides = {}
    for index, (layer, finding) in enumerate(zip(history.run.layers, verdict.layers, strict=True)):
        entropy = finite_or_none(history.entropy[-1, index]) if len(history) and layer.channels > 1 else None
        sides[layer.name] = LayerSide(
            state=finding.state,
            entropy=entropy,
            fraction=None if entropy is None else min(entropy / layer.max_entropy, 1.0),  # rounding may exceed ln D
            correlation=finite_or_none(correlations[-1][index]) if correlations is not None and len(history) else None,
        )
    return sides


def _change(a: LayerSide | None, b: LayerSide | None, differing: set[str]) -> str:
    """What became of a layer, without the figures that cannot be compared."""
    if a is None or b is None:
        only, side = ("A", a) if b is None else ("B", b)
        return f"only in {only}" + (f": {_state(side)}" if side else "")
    parts = [f"{_state(a)} in both" if a.state == b.state else f"{_state(a)} in A, {_state(b)} in B"]
    if ENTROPIES not in differing and a.entropy is not None and b.entropy is not None:
        share = f"{a.fraction:.0%} and {b.fraction:.0%} of ln D"
        parts.append(f"entropy at the end {a.entropy:.2f} nat in A, {b.entropy:.2f} in B ({share})")
    if "correlations" not in differing and a.correlation is not None and b.correlation is not None:
        parts.append(f"mean |correlation| {a.correlation:.2f} in A, {b.correlation:.2f} in B")
    return "; ".join(parts)


def _state(side: LayerSide) -> str:
    return side.state or "not judged"


def _notes(
    a: History, b: History, side_a: RunSide, side_b: RunSide, paired: bool, thresholds: Thresholds
) -> Iterator[str]:
    """What limits the comparison."""
    if a.digest == b.digest:
        yield "A and B hold the same measurements"
    if side_a.best and side_b.best:
        yield from _notes_on_losses(a, b, paired, thresholds.fewest)
    for name, history, side in (("A", a, side_a), ("B", b, side_b)):
        yield from _missing(name, history, side)
    if not paired:
        yield f"the probes are not the same: {what_differs(a.run.probe, b.run.probe)}"
    for setting, in_a, in_b in _other_settings(a, b):
        option, _ = option_of(setting, in_a)
        values = (_value(option_of(setting, value)[1]) for value in (in_a, in_b))
        yield "{}: {} in A, {} in B, so the {} cannot be compared".format(
            option, *values, (BEARS_ON | OF_LABELS)[setting]
        )
    layers_a, layers_b = ({layer.name: layer for layer in history.run.layers} for history in (a, b))
    for name, layers, other_layers in (("A", layers_a, layers_b), ("B", layers_b, layers_a)):
        lone = [layer for layer in layers if layer not in other_layers]
        if lone:
            yield f"layers only in {name}: {', '.join(lone)}"
    for name in (name for name in layers_a if name in layers_b):
        widths = layers_a[name].channels, layers_b[name].channels
        if widths[0] != widths[1]:
            yield f"{name} has {widths[0]} filters in A and {widths[1]} in B: compare the fractions of ln D"


def _notes_on_losses(a: History, b: History, paired: bool, fewest: int) -> Iterator[str]:
    if any("probe/sample_loss" not in history.columns for history in (a, b)):
        yield "a store without the loss of each sample tells no differences from chance"
    elif min(a.run.probe.size, b.run.probe.size) < FEWEST_SAMPLES:
        yield f"fewer than {FEWEST_SAMPLES} held-out samples tell no differences from chance"
    else:
        yield ONE_TRAINING
        if min(len(a), len(b)) < fewest:
            yield f"the noise of a training is known from {fewest} epochs on; here it adds little or nothing"
    if not paired:
        yield "losses and accuracies are compared as those of two draws of the same kind"
    in_a, in_b = _classes(a), _classes(b)
    if in_a != in_b:
        yield f"the classes differ ({len(in_a)} in A, {len(in_b)} in B): losses and accuracies cannot be compared"


def _classes(history: History) -> set[int]:
    labels = history.run.probe.labels
    return set() if labels is None or not history.has_one_class else {*np.unique(labels).tolist()}


def _missing(name: str, history: History, side: RunSide) -> Iterator[str]:
    if side.best is None:
        without = "no finite held-out loss" if history.labelled else "a probe without labels"
        yield f"{name} has {without}"
    elif side.last is None:
        yield f"{name}'s held-out loss in its last epoch, {history.epochs[-1]}, is not finite"


def _other_settings(a: History, b: History) -> list[tuple[str, Any, Any]]:
    """(setting, its value in A, in B) for those that differ and make figures others."""
    in_a, in_b = ({**asdict(run.run.settings), "task": run.task} for run in (a, b))
    names = (*BEARS_ON, *(OF_LABELS if a.labelled and b.labelled else ()))
    return [(name, in_a[name], in_b[name]) for name in names if in_a[name] != in_b[name]]


def _value(setting: Any) -> str:
    return {True: "on", False: "off"}.get(setting) or str(setting) or "the first"
