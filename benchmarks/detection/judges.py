"""Who judges a run, and how: rfav with all that it has, with less, and what people use instead.

A judge looks at a case and gives a `Call`. Those with a limit have it chosen on the tuning runs, for the best F1 there;
the thresholds of rfav are the defaults that it ships with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.diagnosis import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from benchmarks.detection.cases import Case
    from rfav_cli.records import History

    Judge = Callable[[Case], "Call"]
    Curve = Callable[[Case], tuple[NDArray[Any], NDArray[Any]]]

LOSSES = (
    "probe/loss",
    "probe/accuracy",
    "probe/sample_loss",
    "probe/temperature",
    "probe/calibrated_loss",
    "probe/calibration_error",
    "probe/calibrated_error",
    "probe/sample_calibrated_loss",
)
OUTPUTS = ("probe/sample_prediction", "probe/sample_confidence", "probe/confidence")
PATIENCES = range(1, 11)


@dataclass(frozen=True)
class Call:
    """What a judge says of a run.

    Attributes:
        flag: it overfits.
        onset: since when; None where there is no flag.
        probability: how sure the judge is that it overfits; None where it does not say.
        silent: it says that it cannot say.
        layers: those that it names.
    """

    flag: bool
    onset: int | None = None
    probability: float | None = None
    silent: bool = False
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """A judge with a name.

    Attributes:
        name: in the tables.
        judge: who judges.
        history_only: it needs nothing but the store, and so can judge a part of a run.
    """

    name: str
    judge: Judge
    history_only: bool = True


def rfav_with_labels(case: Case) -> Call:
    """The verdict on the store as it is."""
    return _by_verdict(case.history)


def rfav_without_labels(case: Case) -> Call:
    """The verdict on the store that a probe without labels gives."""
    return _by_verdict(without(case.history, LOSSES))


def rfav_by_entropy(case: Case) -> Call:
    """The verdict where nothing but the entropies is known."""
    return _by_verdict(without(case.history, LOSSES + OUTPUTS))


def without(history: History, names: Iterable[str]) -> History:
    """A history of a probe without labels and without some columns."""
    columns = {name: column for name, column in history.columns.items() if name not in names}
    run = replace(history.run, probe=replace(history.run.probe, labels=None))
    return replace(history, run=run, columns=columns)


def _by_verdict(history: History) -> Call:
    verdict = judge(history)
    flag = verdict.run.state == "overfitting"
    return Call(
        flag=flag,
        onset=verdict.run.onset.epoch if flag and verdict.run.onset else None,
        probability=verdict.run.probability,
        silent=verdict.run.state in {"diverged", "unknown"},
        layers=tuple(layer.name for layer in verdict.in_state("collapsed")),
    )


def early_stopping(patience: int) -> Judge:
    """The usual rule: stop when the probe's loss has had no new minimum for some epochs; the best one is the onset."""

    def look(case: Case) -> Call:
        best, lowest = None, np.inf
        for epoch, loss in zip(case.history.epochs.tolist(), case.history.loss, strict=True):
            if loss < lowest:
                best, lowest = epoch, loss
            elif best is not None and epoch - best >= patience:
                return Call(True, best)
        return Call(False)

    return look


def below(curve: Curve, limit: float, sign: int = 1) -> Judge:
    """Flags a run whose last figure is below a limit, or above it for sign -1, since the first epoch where it is."""

    def look(case: Case) -> Call:
        epochs, values = curve(case)
        trained = epochs >= 0
        past = sign * values[trained] < sign * limit
        if not len(past) or not past[-1]:
            return Call(False)
        return Call(True, int(epochs[trained][int(np.argmax(past))]))

    return look


def lowest_entropy(case: Case) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of each epoch, the lowest of all layers' mean entropies as shares of ln D."""
    return case.history.epochs, shares(case.history).min(1)


def shares(history: History) -> NDArray[np.float64]:
    """(E, L) mean entropies as shares of ln D."""
    return np.asarray(history.entropy / np.array([layer.max_entropy for layer in history.run.layers]))


def figures(kind: str, reduce: Callable[[NDArray[Any]], Any]) -> Curve:
    """A curve of the other tools' figures: `reduce` of a checkpoint's layers, those left out that have none."""

    def curve(case: Case) -> tuple[NDArray[Any], NDArray[Any]]:
        columns = np.array(list(case.baselines[kind].values()), np.float64).T
        return np.array(case.baselines["epochs"]), np.array([reduce(row[np.isfinite(row)]) for row in columns])

    return curve


def judges(tuning: Sequence[Case], f1: Callable[[Judge], float]) -> list[Named]:
    """All judges, their limits chosen on the tuning runs.

    Args:
        tuning: the cases to choose on.
        f1: how good a judge is on them.
    """
    alpha_low, alpha_mean = figures("alpha", np.min), figures("alpha", np.mean)
    patience = max(PATIENCES, key=lambda each: f1(early_stopping(each)))
    found = [
        Named("rfav, with labels", rfav_with_labels),
        Named("rfav, without labels", rfav_without_labels),
        Named("rfav, entropy alone", rfav_by_entropy),
        Named(f"early stopping on the probe's loss, patience {patience}", early_stopping(patience)),
        Named("WeightWatcher: an alpha below 2, as documented", below(alpha_low, 2.0), history_only=False),
    ]
    limited: Mapping[str, Curve] = {
        "a layer's entropy {} of ln D": lowest_entropy,
        "WeightWatcher: lowest alpha {}": alpha_low,
        "WeightWatcher: mean alpha {}": alpha_mean,
        "delve: lowest saturation {}": figures("saturation", np.min),
        "delve: mean saturation {}": figures("saturation", np.mean),
    }
    for name, curve in limited.items():
        limit, sign = _tuned(curve, tuning, f1)
        words = f"{'below' if sign > 0 else 'above'} {limit:.2f}"
        found.append(Named(name.format(words), below(curve, limit, sign), curve is lowest_entropy))
    return found


def _tuned(curve: Curve, cases: Sequence[Case], f1: Callable[[Judge], float]) -> tuple[float, int]:
    """The limit, and the side of it, that judge these cases best: of all that lie half-way between two last figures."""
    lasts = np.unique([curve(case)[1][-1] for case in cases])
    choices = [(float(limit), sign) for sign in (1, -1) for limit in (lasts[1:] + lasts[:-1]) / 2]
    return max(choices, key=lambda choice: f1(below(curve, *choice)))
