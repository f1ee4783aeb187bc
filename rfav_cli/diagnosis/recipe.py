"""What to do about a run: which penalties each layer should have in another training, and where that should start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import finite_or_none
from rfav_cli.diagnosis.divergence import is_sound
from rfav_cli.diagnosis.make_of_net import make_of_net
from rfav_cli.errors import UsageError
from rfav_cli.records import RULES, LayerRecipe, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfav_cli.records import Checkpoint, FilterFinding, History, Layer, LayerFinding, Verdict

EVEN = 0.3
"""What a nat of a layer's mean entropy weighs by the rule `even`, whatever its positions.

On the tuning runs of `benchmarks/remedy` 1 gave a lower last loss and 0.3 the better accuracy; on the sample run,
whose layers are narrow, 0.5 holds the net back."""
START = 0.3
"""The share of `even` that `adaptive` starts from; from there on lambda follows the validation samples."""
SCORES = START * EVEN
"""What a nat of the predictions' entropy weighs at first, by the rule `adaptive`: as that of a dense layer."""
LAMBDA, KAPPA = 0.001, 1.0
"""The paper's: the sum of Eq. 5 is weighed with 0.001, that of Eq. 7 is switched on or off."""
POSITIONS = 100
"""Positions a layer that `balanced` weighs with `LAMBDA`; with fewer, lambda grows as 0.1 / positions.

A dense layer then has 0.1 and the paper's convolutions keep 0.001, which on CIFAR-10 gave a lower held-out loss and the
same accuracy or a better one."""
_SCORES = "the entropy of the predictions, without which lambda can grow for long before the net is less sure"
_NOTHING_GAINED = (
    "penalties on activations cost such nets accuracy where that was measured, and one on the predictions gained no "
    "more than a temperature, which needs no training"
)
FLAGGED = ("overfitting", "sparsifying")
"""States of runs that penalties are recommended for."""
ASKED_FOR = (*FLAGGED, "healthy", "unclear")
"""The same where that is asked for: a net that has learnt nothing or broke has nothing that a penalty could hold."""
CORRELATED = ("correlated", "correlating")
BY_WEIGHTS = ("paper", "balanced")
"""Rules that penalise correlated filters.

Correlations are of the weights: the same function in other weights has others, and in `benchmarks/remedy` penalties on
them gained nothing. So the rules that are advised do without."""


def recommend(
    history: History, verdict: Verdict, rule: str = "adaptive", *, signed: bool = False, anyway: bool = False
) -> Recipe:
    """Turn a verdict into a recipe.

    `adaptive` aims at the layers that collapse, or at all where none does, and at the predictions. For a net with batch
    normalisation and for one without convolutions nothing is recommended: there penalties on activations cost accuracy
    where that was measured, and one on the predictions gained no more than a temperature.

    Args:
        history: what was judged.
        verdict: of that history.
        rule: "adaptive" (lambda starts at 0.09 / positions and follows the validation samples), "even" (0.3 /
            positions), "paper" (0.001 for every layer) or "balanced" (that, and more for layers of fewer than 100
            positions).
        signed: kappa weighs the signed sum of Eq. 7, as it is printed, and not the sum of the squares.
        anyway: recommend penalties for nets that gained nothing by them, too (`adaptive` then aims at the
            predictions), and for runs that are not known to overfit.

    Returns:
        One without layers where the run is healthy, has broken or diverged, nothing can be said of it, or no layer can
        be blamed; its `reason` says which. Of a run that diverged it names the last checkpoint before it did.

    Raises:
        UsageError: there is no such rule.
    """
    if rule not in RULES:
        raise UsageError(f"--rule: there is no {rule!r:.60}", f"Give one of: {', '.join(RULES)}.")
    flagged = verdict.run.state in (ASKED_FOR if anyway else FLAGGED)
    layers = _layer_recipes(history, verdict, rule, signed=signed, anyway=anyway) if flagged else ()
    rewinds = bool(layers) or verdict.run.state == "diverged"
    start = best_checkpoint(history, verdict) if rewinds else None
    return Recipe(
        rule=rule,
        store=history.path,
        digest=history.digest,
        rewind=start.epoch if start else None,
        rewind_by=_rewound_by(history, verdict) if start else "",
        checkpoint=start.path if start else None,
        loss=finite_or_none(history.loss[-1]) if len(history) else None,
        layers=layers,
        reason=_reason(history, verdict, layers, anyway=anyway),
        with_bias=history.run.settings.with_bias,
        fold_norm=history.run.settings.fold_norm,
        centering=history.run.settings.centering,
        doubts=tuple(doubt.sentence for doubt in verdict.doubts),
        squared=not signed,
    )


def _layer_recipes(
    history: History, verdict: Verdict, rule: str, *, signed: bool, anyway: bool
) -> tuple[LayerRecipe, ...]:
    run = history.run
    gains = run.convolutional and not _is_normalised(history)
    if not gains and not anyway:
        return ()
    layers = tuple(penalties_on_layers(history, verdict, rule, signed=signed))
    if rule != "adaptive":
        return layers
    if not gains:
        layers = ()
    elif not layers:
        layers = tuple(_held(history, index) for index, layer in enumerate(run.layers) if layer.takes_penalties)
    if not run.classifier:
        return layers
    return (*layers, LayerRecipe(run.classifier, "classifier", SCORES, 0.0, why=_SCORES, target="scores"))


def _is_normalised(history: History) -> bool:
    return make_of_net(history) == "normalised"


def _held(history: History, index: int) -> LayerRecipe:
    """The penalty by `adaptive` of a layer of a net in which none collapses."""
    layer = history.run.layers[index]
    lambda_ = lambda_by_rule(layer, "adaptive")
    sparsity = _sparsity(history, index, lambda_)
    return LayerRecipe(layer.name, "", lambda_, 0.0, sparsity=sparsity, why="no layer collapses, so all are held")


def penalties_on_layers(history: History, verdict: Verdict, rule: str, *, signed: bool) -> Iterator[LayerRecipe]:
    """Penalties on the layers that collapse or have correlated filters, whatever the net is made of."""
    for index, (layer, finding) in enumerate(zip(history.run.layers, verdict.layers, strict=True)):
        correlated = _correlated_filters(finding)
        collapsed = finding.state == "collapsed"
        if not layer.takes_penalties or (not collapsed and not correlated):
            continue
        lambda_ = lambda_by_rule(layer, rule) if collapsed else 0.0
        kappa = KAPPA if correlated and rule in BY_WEIGHTS else 0.0
        if not collapsed and not kappa:
            continue
        yield LayerRecipe(
            name=layer.name,
            finding=", ".join([*(["collapsed"] if collapsed else []), *(filters.problem for filters in correlated)]),
            lambda_=lambda_,
            kappa=kappa,
            sparsity=_sparsity(history, index, lambda_) if lambda_ else None,
            decorrelation=_decorrelation(history, index, kappa, signed=signed) if kappa else None,
            why=_why(finding, correlated),
        )


def lambda_by_rule(layer: Layer, rule: str) -> float:
    """Weight of the sparsity penalty for a layer.

    Eq. 5 sums over the positions, so that one lambda for all weighs a layer by how many it has, and a net by the size
    of its images. `balanced` makes up for that where they are few, `even` everywhere.
    """
    positions = max(math.prod(layer.positions), 1)
    if rule in ("adaptive", "even"):
        return (START if rule == "adaptive" else 1.0) * EVEN / positions
    return LAMBDA if rule == "paper" else LAMBDA * max(1.0, POSITIONS / positions)


def _correlated_filters(finding: LayerFinding) -> tuple[FilterFinding, ...]:
    return tuple(filters for filters in finding.filters if filters.problem in CORRELATED)


def _why(finding: LayerFinding, correlated: tuple[FilterFinding, ...]) -> str:
    words = []
    if finding.state == "collapsed":
        since = f" since epoch {finding.onset.epoch}" if finding.onset else ""
        words.append(f"collapsed{since}" + (f": {finding.evidence}" if finding.evidence else ""))
    words += [
        f"filters {filters.problem}" + (f": {filters.evidence}" if filters.evidence else "") for filters in correlated
    ]
    return "; ".join(words)


def _sparsity(history: History, index: int, lambda_: float) -> float | None:
    """Eq. 5 by the layer's last finite mean entropy."""
    values = history.entropy[:, index]
    values = values[np.isfinite(values)]
    return -lambda_ * math.prod(history.run.layers[index].positions) * float(values[-1]) if values.size else None


def _decorrelation(history: History, index: int, kappa: float, *, signed: bool) -> float | None:
    """Eq. 7 by the last finite mean correlation, or by the histogram of that epoch; its pairs know groups."""
    if "correlation/mean" not in history.columns:
        return None
    means = np.asarray(history.columns["correlation/mean"][:, index], np.float64)
    epochs = np.flatnonzero(np.isfinite(means))
    if not epochs.size:
        return None
    channels = history.run.layers[index].channels
    pairs = channels * (channels - 1) / 2
    if "correlation/histogram" in history.columns:
        counts = np.asarray(history.columns["correlation/histogram"][epochs[-1]][index], np.float64)
        if not signed:
            return kappa * float(counts @ np.linspace(-1, 1, len(counts)) ** 2)
        pairs = float(counts.sum())
    return kappa * float(means[epochs[-1]]) * pairs if signed else None


def best_checkpoint(history: History, verdict: Verdict) -> Checkpoint | None:
    """Where another training should start.

    Returns:
        The checkpoint of the lowest held-out loss; without labels that of the onset, or the last one before; of a run
        that diverged the last one before it did. Its figures are finite. None where there is none or no onset is known.
    """
    sound = is_sound(history)
    losses = np.where(sound & np.isfinite(history.loss), history.loss, np.inf)
    diverged = verdict.run.state == "diverged"
    if not diverged and np.isfinite(losses).any():
        return history.checkpoints[int(losses.argmin())]
    onsets = [layer.onset.epoch for layer in verdict.in_state("collapsed") if layer.onset]
    since = verdict.run.onset.epoch if verdict.run.onset else min(onsets, default=None)
    if since is None:
        return None
    last = since - 1 if diverged else since
    earlier = [each for each, usable in zip(history.checkpoints, sound, strict=True) if usable and each.epoch <= last]
    return max(earlier, key=lambda checkpoint: checkpoint.epoch, default=None)


def _rewound_by(history: History, verdict: Verdict) -> str:
    """What the checkpoint of `best_checkpoint` goes by."""
    if verdict.run.state == "diverged":
        return "the last with finite figures"
    return "the lowest held-out loss" if np.isfinite(history.loss).any() else "the onset"


def _reason(history: History, verdict: Verdict, layers: tuple[LayerRecipe, ...], *, anyway: bool) -> str:
    """Why there is something to do or nothing."""
    run = verdict.run
    if run.state == "unknown":
        return f"nothing can be recommended: {run.reason}"
    if run.state == "healthy" and not anyway:
        names = ", ".join(layer.name for layer in verdict.layers if _correlated_filters(layer))
        but = f"; correlated filters alone ({names}) are no reason to train otherwise" if names else ""
        return f"healthy, so there is nothing to do: {run.reason}{but}"
    if layers:
        return run.reason
    start = best_checkpoint(history, verdict)
    if run.state == "diverged":
        return f"{run.reason}; {_way_back(start)}"
    if anyway and run.state in ASKED_FOR:
        return f"{run.reason}; no layer collapses that this rule could aim at, `--rule adaptive` aims at all"
    if run.state not in FLAGGED:
        return f"{run.reason}; penalties were measured on runs that overfit alone"
    best = f"; epoch {start.epoch} is the best checkpoint" if start else ""
    normalised = _is_normalised(history)
    if normalised or not history.run.convolutional:
        made = "has batch normalisation" if normalised else "is without convolutions"
        return f"{run.state}, but the net {made}, and {_NOTHING_GAINED}: {run.reason}{best}"
    return f"{run.state}, but no layer collapses that a penalty could aim at: {run.reason}{best}"


def _way_back(start: Checkpoint | None) -> str:
    """What can be done about a run that diverged: no penalty mends it."""
    if start is None:
        return "no checkpoint before that has finite figures, so there is none to go on from"
    return (
        f"no penalty mends that: epoch {start.epoch} ({start.path}) is the last checkpoint with finite figures, from "
        "which a training can go on with something changed, such as a lower learning rate"
    )
