"""Whether a store holds all of a run, so that a gate is not opened by what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.divergence import find_divergence
from rfav_cli.records import Checked
from rfav_cli.records.strides import stride_of
from rfav_cli.text import count, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rfav_cli.records import History, Policy

_LISTED = 5


def look_for_gaps(history: History, policy: Policy) -> Iterator[Checked]:
    """Epochs that are missing or lack figures, and files that could not be used."""
    path = history.path
    for file in history.bad:
        yield Checked("RFAV105", path, "", "missing", f"{file.path}: {file.reason}", "")
    looked_for = [("", _nothing_measured(history)), ("last-epoch", _unreached(history, policy))]
    if not policy.final and not policy.allow_gaps and len(history):
        looked_for += [("", problem) for problem in (_gap(history.epochs), *_without_figures(history))]
    problems = [(key, problem) for key, problem in looked_for if problem]
    for key, problem in problems:
        yield Checked("RFAV102", path, "", "missing", problem, key)
    if not problems:
        epochs = history.epochs
        yield Checked("RFAV102", path, "", "passed", f"{count(len(epochs), 'epoch')} ({span(epochs.tolist())})", "")


def _nothing_measured(history: History) -> str:
    if not len(history):
        return "the store has no epochs"
    return "" if history.run.layers else "the store has no layers"


def _unreached(history: History, policy: Policy) -> str:
    if policy.last_epoch is None or not len(history) or history.epochs[-1] >= policy.last_epoch:
        return ""
    return f"the last epoch is {history.epochs[-1]}, and {policy.last_epoch} is needed"


def _gap(epochs: NDArray[np.int64]) -> str:
    """Trained epochs follow one another in steps of one size.

    The first step and the last may be shorter: 0, 4, 9, 14 is every fifth epoch, and a last one may be saved besides.
    """
    trained = epochs[epochs >= 0]
    steps = np.diff(trained)
    if not steps.size:
        return ""
    usual = stride_of(trained.tolist())
    wide = np.flatnonzero(steps > usual)
    narrow = [i for i in np.flatnonzero(steps < usual) if 0 < i < len(steps) - 1]
    if wide.size:
        missing = [epoch for i in wide for epoch in range(int(trained[i]) + usual, int(trained[i + 1]), usual)]
        verb = "is" if len(missing) == 1 else "are"
        return f"{_listed(missing)} {verb} missing, where every {_stride_words(usual)} is there"
    if narrow:
        return f"the epochs after {trained[narrow[0]]} do not follow in steps of {usual}"
    return ""


def _without_figures(history: History) -> Iterator[str]:
    """Epochs before the last that lack a loss or an entropy; of the last the verdict and the limits speak.

    Of those after a divergence the verdict speaks, too.
    """
    divergence = find_divergence(history)
    end = int(np.searchsorted(history.epochs, divergence.onset.epoch)) if divergence else len(history) - 1
    epochs, labelled = history.epochs[:end], history.labelled
    loss = np.isfinite(history.loss[:end])
    if labelled and np.isfinite(history.loss).any() and not loss.all():
        yield f"{_listed(epochs[~loss].tolist())} without a finite {history.loss_words}"
    for i, layer in enumerate(history.run.layers):
        finite = np.isfinite(history.entropy[:end, i])
        if layer.channels > 1 and not finite.all():
            yield f"{_listed(epochs[~finite].tolist())} without a finite entropy in {layer.name}"


def _listed(epochs: list[int]) -> str:
    ending = f" and {len(epochs) - _LISTED} more" if len(epochs) > _LISTED else ""
    shown = ", ".join(str(int(epoch)) for epoch in epochs[:_LISTED])
    return f"{'epoch' if len(epochs) == 1 else 'epochs'} {shown}{ending}"


def _stride_words(step: int) -> str:
    return "epoch" if step == 1 else f"{step} epochs one"
