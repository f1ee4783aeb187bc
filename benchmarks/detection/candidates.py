"""Single figures that might tell overfitting from learning, each alone, on the tuning runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.judges import figures, shares
from rfav_cli.diagnosis.curves import SmoothingMatrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks.detection.cases import Case

SIGMA = 2.0
WORST, LAST = "any layer", "last layer"


@dataclass(frozen=True)
class Candidate:
    """How well a figure alone tells the overfitting runs from the healthy ones.

    Attributes:
        name: of the figure.
        expected: "high" or "low", which of the two should mean overfitting.
        runs: how many have the figure.
        auc: share of the pairs of an overfitting and a healthy run that it puts in the expected order; 0.5 is chance.
        f1: the best that any limit reaches on these runs; what flagging all of them reaches is the floor.
    """

    name: str
    expected: str
    runs: int
    auc: float
    f1: float


def candidates(cases: Sequence[Case]) -> list[Candidate]:
    """Judge each figure by the cases that have it."""
    return [_judged(name, expected, figure, cases) for name, (expected, figure) in FIGURES.items()]


def _judged(name: str, expected: str, figure: Callable[[Case], float], cases: Sequence[Case]) -> Candidate:
    values = np.array([figure(case) for case in cases])
    known = np.isfinite(values)
    values = values[known] if expected == "high" else -values[known]
    truth = np.array([case.truth.overfits for case in cases])[known]
    return Candidate(name, expected, int(known.sum()), auc(values, truth), best_f1(values, truth))


def auc(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, by pairs; a tie is half a pair."""
    differences = values[truth][:, None] - values[~truth][None, :]
    return float(((differences > 0) + 0.5 * (differences == 0)).mean()) if differences.size else float("nan")


def best_f1(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """The highest F1 of all limits, a run being flagged when its value is at the limit or above."""
    scores = []
    for limit in np.unique(values):
        flagged = values >= limit
        scores.append(2 * float((flagged & truth).sum()) / float(flagged.sum() + truth.sum()))
    return max(scores, default=float("nan"))


def _smooth(case: Case, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return SmoothingMatrix(case.history.epochs, SIGMA) @ values


def _curve(case: Case, name: str) -> NDArray[np.float64]:
    """(E, L) smoothed; NaN where the run has no such curve."""
    if name not in case.curves:
        return np.full(case.history.entropy.shape, np.nan)
    return _smooth(case, np.array(case.curves[name], np.float64))


def _folded(case: Case) -> NDArray[np.float64]:
    """(E, L) smoothed entropies with the normalisation folded in, where there is one."""
    return _curve(case, "folded") if "folded" in case.curves else _smooth(case, case.history.entropy)


def _loss_since_highest(entropies: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L,) the share of its highest smoothed entropy that each layer has lost by the end."""
    return np.asarray(1 - entropies[-1] / entropies.max(0))


def _late(entropies: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L,) what each layer loses in the second half of the epochs, as a share of what it had."""
    half = len(entropies) // 2
    return np.asarray(1 - entropies[-1] / entropies[half])


def _slope(case: Case) -> NDArray[np.float64]:
    """(L,) fall of the entropy an epoch over the last third, as a share of ln D."""
    values, epochs = _smooth(case, shares(case.history)), case.history.epochs
    start = 2 * len(epochs) // 3
    return np.asarray((values[start] - values[-1]) / max(1, int(epochs[-1] - epochs[start])))


def _late_share(case: Case) -> NDArray[np.float64]:
    """(L,) how much of the fall since the highest lies in the second half of the epochs."""
    values = _smooth(case, case.history.entropy)
    fall = values.max(0) - values[-1]
    return np.asarray((values[len(values) // 2] - values[-1]) / np.maximum(fall, 1e-3))


def _changes(case: Case) -> NDArray[np.float64]:
    """(E - 2,) smoothed changes of the net's predictions between trained checkpoints, as a ratio to its uncertainty."""
    columns, trained = case.history.columns, case.history.epochs >= 0
    predictions = np.asarray(columns["probe/sample_prediction"][:])[trained]
    doubt = 1 - np.asarray(columns["probe/sample_confidence"][:], np.float64)[trained].mean(1)
    matrix = SmoothingMatrix(case.history.epochs[trained][1:], SIGMA)
    changed = matrix @ (predictions[1:] != predictions[:-1]).mean(1)
    return np.asarray(changed / np.maximum(matrix @ (doubt[1:] + doubt[:-1]) / 2, 1e-9))


def _confidence(case: Case) -> float:
    return float(np.asarray(case.history.columns["probe/sample_confidence"][-1], np.float64).mean())


def _correlation(case: Case, *, growth: bool) -> NDArray[np.float64]:
    """(L,) mean |correlation| of the filters at the end, or how far it grew since the first trained epoch."""
    sizes = np.asarray(case.history.columns["correlation/abs_mean"], np.float64)
    first = sizes[np.argmax(case.history.epochs >= 0)] if growth else 0.0
    return np.asarray(sizes[-1] - first)


def _gap(case: Case) -> NDArray[np.float64]:
    """(L,) entropy of the probe less that of training images at the end, in nats."""
    return np.asarray(_smooth(case, case.history.entropy)[-1] - _curve(case, "training")[-1])


def _near_zero(case: Case, *, growth: bool) -> NDArray[np.float64]:
    """(L,) share of positions almost without entropy at the end, or how far it grew since its lowest."""
    values = _curve(case, "near_zero")
    return np.asarray(values[-1] - (values.min(0) if growth else 0.0))


def _spread(case: Case) -> NDArray[np.float64]:
    """(L,) standard deviation of the images' entropies at the end, as a share of the mean entropy."""
    return np.asarray(_curve(case, "spread")[-1] / np.maximum(_smooth(case, case.history.entropy)[-1], 1e-6))


def _other(kind: str, reduce: Callable[[NDArray[Any]], Any]) -> Callable[[Case], float]:
    """The last of another tool's figures."""
    curve = figures(kind, reduce)
    return lambda case: float(curve(case)[1][-1])


def _rise(case: Case) -> float:
    smoothed = _smooth(case, case.history.loss)
    return float(smoothed[-1] / smoothed.min() - 1)


FIGURES: dict[str, tuple[str, Callable[[Case], float]]] = {
    "epochs (a control: knows nothing of the net)": ("high", lambda case: float(len(case.history))),
    "entropy at the end, lowest layer": ("low", lambda case: shares(case.history)[-1].min()),
    "entropy at the end, last layer": ("low", lambda case: shares(case.history)[-1, -1]),
    "entropy at the end, mean of layers": ("low", lambda case: shares(case.history)[-1].mean()),
    f"entropy lost since its highest, {WORST}": (
        "high",
        lambda case: _loss_since_highest(_smooth(case, case.history.entropy)).max(),
    ),
    f"entropy lost since its highest, {LAST}": (
        "high",
        lambda case: _loss_since_highest(_smooth(case, case.history.entropy))[-1],
    ),
    "the same folded where normalised, any layer": ("high", lambda case: _loss_since_highest(_folded(case)).max()),
    f"entropy lost in the second half, {WORST}": (
        "high",
        lambda case: _late(_smooth(case, case.history.entropy)).max(),
    ),
    f"entropy lost in the second half, {LAST}": ("high", lambda case: _late(_smooth(case, case.history.entropy))[-1]),
    "the same folded where normalised, last layer": ("high", lambda case: _late(_folded(case))[-1]),
    f"slope over the last third, {WORST}": ("high", lambda case: _slope(case).max()),
    f"slope over the last third, {LAST}": ("high", lambda case: _slope(case)[-1]),
    f"share of the fall in the second half, {WORST}": ("high", lambda case: _late_share(case).max()),
    "spread between images, any layer": ("high", lambda case: _spread(case).max()),
    "spread between images, last layer": ("high", lambda case: _spread(case)[-1]),
    "positions near zero entropy, any layer": ("high", lambda case: _near_zero(case, growth=False).max()),
    "positions near zero entropy, growth, any layer": ("high", lambda case: _near_zero(case, growth=True).max()),
    "entropy of probe less training images, lowest layer": ("low", lambda case: _gap(case).min()),
    "entropy of probe less training images, highest layer": ("high", lambda case: _gap(case).max()),
    "mean |correlation| of filters, any layer": ("high", lambda case: _correlation(case, growth=False).max()),
    "mean |correlation| of filters, growth, any layer": ("high", lambda case: _correlation(case, growth=True).max()),
    "entropy of the predictions at the end": ("low", _other("output_entropy", np.min)),
    "confidence of the predictions at the end": ("high", _confidence),
    "changed predictions to uncertainty, at the end": ("high", lambda case: _changes(case)[-1]),
    "changed predictions to uncertainty, highest of the second half": (
        "high",
        lambda case: _changes(case)[len(case.history) // 2 :].max(),
    ),
    "WeightWatcher: lowest alpha": ("low", _other("alpha", np.min)),
    "WeightWatcher: mean alpha": ("low", _other("alpha", np.mean)),
    "delve: lowest saturation": ("low", _other("saturation", np.min)),
    "delve: mean saturation": ("low", _other("saturation", np.mean)),
    "with labels: confidence less accuracy": ("high", lambda case: _confidence(case) - case.history.accuracy[-1]),
    "with labels: rise of the smoothed loss": ("high", _rise),
}
"""Name -> which end of it should mean overfitting, and the figure; NaN where a run has none."""
