"""Who judges a run, and how: rfav with all that it has, with less, and what people use instead.

A judge looks at a case and gives a `Call`. Those with a limit have it chosen on the tuning runs, for the best F1 there;
the thresholds of rfav are the defaults that it ships with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
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
OUTPUTS = ("probe/confidence", "probe/sample_prediction", "probe/sample_confidence")
TAUGHT = ("train/loss", "train/accuracy", "train/sample_loss")
"""What labels gave of the training samples, where a run has some."""
SURE = ("train/confidence", "train/sample_confidence")
"""What is known of them without labels."""
MOVED = ("moved/disagreement", "moved/uncertainty", "moved/sample_disagreement", "moved/sample_uncertainty")
"""What images that are moved gave, of which rfav makes use without labels."""
PATIENCES = range(1, 11)
LATEST = 3
"""Checkpoints that are compared with all before them."""


@dataclass(frozen=True)
class Call:
    """What a judge says of a run.

    Attributes:
        flag: it overfits.
        onset: since when; None where there is no flag.
        probability: how sure the judge is that it overfits; None where it does not say.
        silent: it says neither that the run overfits nor that it does not.
        layers: those that it names.
        state: of the run, in the judge's own words.
        kind: of overfitting, where the judge tells kinds apart.
    """

    flag: bool
    onset: int | None = None
    probability: float | None = None
    silent: bool = False
    layers: tuple[str, ...] = ()
    state: str = ""
    kind: str | None = None

    @property
    def passes(self) -> bool:
        """It says that nothing is wrong."""
        return not self.flag and not self.silent


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
    """The verdict on the store of a labelled probe."""
    return _by_verdict(without(case.history, TAUGHT + SURE, labels=True))


def rfav_without_labels(case: Case) -> Call:
    """The verdict on the store that a probe without labels gives."""
    return _by_verdict(without(case.history, LOSSES + TAUGHT + SURE))


def rfav_with_training_samples(case: Case) -> Call:
    """The same where samples that the net was trained on are measured, too; the first trainings have none."""
    return _by_verdict(without(case.history, LOSSES + TAUGHT))


def rfav_by_entropy(case: Case) -> Call:
    """The verdict where nothing but the entropies is known: any collapse is a flag."""
    return _by_verdict(
        without(case.history, LOSSES + OUTPUTS + TAUGHT + SURE + MOVED), flagged=("overfitting", "sparsifying")
    )


RFAV = (
    Named("rfav, with labels", rfav_with_labels),
    Named("rfav, without labels", rfav_without_labels),
    Named("rfav, entropy alone", rfav_by_entropy),
)
"""The judges whose thresholds are the defaults that rfav ships with."""
WITH_TRAINING = Named("rfav, without labels, with training samples", rfav_with_training_samples)
"""The same of the later kinds, of which training samples were measured."""


def without(history: History, names: Iterable[str], *, labels: bool = False) -> History:
    """A history without some columns, and of a probe without labels unless they are kept."""
    columns = {name: column for name, column in history.columns.items() if name not in names}
    probe = history.run.probe if labels else replace(history.run.probe, labels=None)
    return replace(history, run=replace(history.run, probe=probe), columns=columns)


def _by_verdict(history: History, flagged: tuple[str, ...] = ("overfitting",)) -> Call:
    verdict = judge(history)
    run = verdict.run
    flag = run.state in flagged
    # Layers may collapse in a run that does not overfit: the probability tells whether the verdict says so.
    silent = run.state != "healthy" and not (run.state == "sparsifying" and run.probability is not None)
    return Call(
        flag=flag,
        onset=run.onset.epoch if flag and run.onset else None,
        probability=run.probability,
        silent=silent and not flag,
        layers=tuple(layer.name for layer in verdict.in_state("collapsed")),
        state=run.state,
        kind=run.kind,
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


@cache
def lowest_entropy(case: Case) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of each epoch, the lowest of all layers' mean entropies as shares of ln D."""
    return case.history.epochs, shares(case.history).min(1)


def shares(history: History) -> NDArray[np.float64]:
    """(E, L) mean entropies as shares of ln D."""
    return np.asarray(history.entropy / np.array([layer.max_entropy for layer in history.run.layers]))


@cache
def most_changed(case: Case) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of each trained epoch, how many predictions changed since an earlier one, as a ratio to what both leave open.

    Two checkpoints that differ on a sample cannot both be right, so that as many differ, at most, as the sum of what
    they are unsure of, if both are calibrated. The mean over the last `LATEST` epochs so far, of the earlier epoch
    where it is highest.
    """
    columns, trained = case.history.columns, case.history.epochs >= 0
    predictions = np.asarray(columns["probe/sample_prediction"][:])[trained]
    unsure = 1 - np.asarray(columns["probe/sample_confidence"][:], np.float64)[trained].mean(1)
    differ = (predictions[:, None] != predictions[None]).mean(2)
    ratios = differ / np.maximum(unsure[:, None] + unsure[None], 1e-9)
    values = np.zeros(len(predictions))
    for end in range(1, len(predictions)):
        latest = range(max(0, end + 1 - LATEST), end + 1)
        values[end] = max(np.mean([ratios[row, late] for late in latest if late > row]) for row in range(end))
    return case.history.epochs[trained], values


def figures(kind: str, reduce: Callable[[NDArray[Any]], Any]) -> Curve:
    """A curve of the other tools' figures: `reduce` of a checkpoint's layers, those left out that have none."""

    def curve(case: Case) -> tuple[NDArray[Any], NDArray[Any]]:
        columns = np.array(list(case.baselines[kind].values()), np.float64).T
        return np.array(case.baselines["epochs"]), np.array([reduce(row[np.isfinite(row)]) for row in columns])

    return curve


LIMITED: Mapping[str, Curve] = {
    "pairs of checkpoints: change {} of what is unsure": most_changed,
    "a layer's entropy {} of ln D": lowest_entropy,
}
"""Name of a judge with a limit, which needs nothing but the store -> the curve that it limits."""


def judges(tuning: Sequence[Case], f1: Callable[[Judge], float]) -> list[Named]:
    """All judges, their limits chosen on the first tuning runs.

    Args:
        tuning: the cases to choose on, which have the figures of other tools.
        f1: how good a judge is on them.
    """
    alpha_low, alpha_mean = figures("alpha", np.min), figures("alpha", np.mean)
    patience = max(PATIENCES, key=lambda each: f1(early_stopping(each)))
    found = [
        *RFAV,
        Named(f"early stopping on the probe's loss, patience {patience}", early_stopping(patience)),
        Named("WeightWatcher: an alpha below 2, as documented", below(alpha_low, 2.0), history_only=False),
    ]
    limited: Mapping[str, Curve] = {
        **LIMITED,
        "WeightWatcher: lowest alpha {}": alpha_low,
        "WeightWatcher: mean alpha {}": alpha_mean,
        "delve: lowest saturation {}": figures("saturation", np.min),
        "delve: mean saturation {}": figures("saturation", np.mean),
    }
    for name, curve in limited.items():
        limit, sign = best_limit(curve, tuning, f1)
        words = f"{'below' if sign > 0 else 'above'} {limit:.2f}"
        found.append(Named(name.format(words), below(curve, limit, sign), name in LIMITED))
    return found


def best_limit(curve: Curve, cases: Sequence[Case], f1: Callable[[Judge], float]) -> tuple[float, int]:
    """The limit, and the side of it, that judge these cases best: of all that lie half-way between two last figures."""
    lasts = np.unique([curve(case)[1][-1] for case in cases if case.truth.learns])
    choices = [(float(limit), sign) for sign in (1, -1) for limit in (lasts[1:] + lasts[:-1]) / 2]
    return max(choices, key=lambda choice: f1(below(curve, *choice)))
