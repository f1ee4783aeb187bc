"""What the trainings gave: one outcome a run, method and seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 8
"""Epochs without a new minimum of the probe's loss after which early stopping stops."""


@dataclass(frozen=True)
class Outcome:
    """A training in figures, all on the images that tell what it is worth.

    Attributes:
        run: name of the configuration.
        method: see `methods`, and `early stopping`.
        seed: of the training.
        best_accuracy, final_accuracy: over the epochs, and of the last one.
        best_loss, final_loss: likewise, in nats.
        layers: those that were penalised.
        mended: whether there was a recipe; a run with none to recommend stays as its source.
    """

    run: str
    method: str
    seed: int
    best_accuracy: float
    final_accuracy: float
    best_loss: float
    final_loss: float
    layers: tuple[str, ...] = ()
    mended: bool = True

    @property
    def rise(self) -> float:
        """How far the last loss is above the lowest, in nats."""
        return self.final_loss - self.best_loss


def read(folder: Path, runs: list[str]) -> list[Outcome]:
    """Outcomes of the result files under a folder, `<run>/<method>.<seed>.json`."""
    outcomes = []
    for run in runs:
        for path in sorted((folder / run).glob("*.json")):
            outcomes += _of_file(run, path)
    return outcomes


def _of_file(run: str, path: Path) -> Iterator[Outcome]:
    method, seed = path.name.removesuffix(".json").rsplit(".", 1)
    document = json.loads(path.read_text(encoding="utf-8"))
    source = method.split("+")[0]
    begun = json.loads(path.with_name(f"{source}.{seed}.json").read_text(encoding="utf-8"))
    if document["rows"] is None:
        yield _outcome(run, method, int(seed), begun["rows"], mended=False)
        return
    layers = tuple(document.get("layers", ()))
    # A training that goes on from an epoch has that one's past.
    past = begun["rows"][: document["first"] + 1] if document.get("first") else []
    yield _outcome(run, method, int(seed), past + document["rows"], layers=layers)
    if method == "plain":
        stopped = document["rows"][: stop_early(document["probe_loss"]) + 1]
        yield _outcome(run, "early stopping", int(seed), stopped)


def stop_early(losses: list[float]) -> int:
    """Index of the checkpoint that early stopping keeps: the best before the patience ended."""
    best = 0
    for index, loss in enumerate(losses):
        if loss < losses[best]:
            best = index
        elif index - best >= PATIENCE:
            break
    return best


def _outcome(run: str, method: str, seed: int, rows: list[dict[str, Any]], **more: Any) -> Outcome:
    # A log has null where a loss is not finite; such an epoch is never the best.
    losses, accuracies = (
        np.array([row.get(f"validation_{name}") for row in rows], np.float64) for name in ("loss", "accuracy")
    )
    best = float(np.nanmax(accuracies)), float(accuracies[-1]), float(np.nanmin(losses)), float(losses[-1])
    return Outcome(run, method, seed, *best, **more)
