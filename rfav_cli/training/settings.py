"""How a net is trained, and what else decides its weights: a run is not continued under other settings."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from rfav_cli.errors import TrainingError, UsageError
from rfav_cli.options import Hyperparameters
from rfav_cli.text import printable
from rfav_cli.training.batches import AUGMENTATIONS
from rfav_cli.training.learning_rate import RATES, SCHEDULES, rate_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rfav_cli.training.data import Part
    from rfav_cli.training.start import Start

LARGEST = 1e30
"""Of a learning rate or weight decay; torch refuses what is more than a float32 in the middle of a step."""


H = TypeVar("H", bound=Hyperparameters)


def check(how: H) -> H:
    """Refuse what no training can be done with; Python's own numbers are in the place of numpy's.

    Raises:
        UsageError: a name is unknown, or a number out of its range.
    """
    how = _with_plain_numbers(how)
    for option, name, names in (
        ("--optimizer", how.optimizer, [*RATES]),
        ("--schedule", how.schedule, [*SCHEDULES]),
    ):
        if name not in names:
            raise UsageError(f"{option}: there is no {name!r:.60}", f"Give one of: {', '.join(names)}.")
    rate = rate_of(how)
    if not 0 < rate <= LARGEST:
        raise UsageError(f"--learning-rate {rate}: out of range", f"Give a number above 0, to {LARGEST:g}.")
    if not 0 <= how.weight_decay <= LARGEST:
        raise UsageError(f"--weight-decay {how.weight_decay}: out of range", f"Give one from 0 to {LARGEST:g}.")
    if not 0 <= how.momentum < 1:
        raise UsageError(f"--momentum {how.momentum}: out of range", "Give a number from 0 to below 1.")
    if how.momentum and how.optimizer != "sgd":
        raise UsageError(f"--momentum: {how.optimizer} has its own", "Leave it out, or use --optimizer sgd.")
    return how


def _with_plain_numbers(how: H) -> H:
    """What a state that is read as data can hold: no numbers of numpy's."""
    whole: dict[str, Any] = {name: int(getattr(how, name)) for name in ("epochs", "batch_size", "seed")}
    names = ("learning_rate", "momentum", "weight_decay")
    real: dict[str, Any] = {name: float(value) for name in names if (value := getattr(how, name)) is not None}
    return replace(how, **whole, **real)


def record_of(how: Hyperparameters) -> dict[str, Any]:
    """How a net is trained, as it is kept with a run."""
    augment = ", ".join(name for name in AUGMENTATIONS if name in how.augment)
    values = {field.name: getattr(how, field.name) for field in fields(Hyperparameters)}
    return {**values, "learning_rate": rate_of(how), "augment": augment}


def settings_of_data(training: Part, validation: Part | None) -> dict[str, str]:
    """What of the samples decides the weights, as it is kept with a run."""
    return {
        "data": training.digest,
        "validation": "none" if validation is None else validation.digest,
        "samples": f"{len(training)} and {0 if validation is None else len(validation)}",
        "normalisation": f"{training.mean} {training.std}",
    }


def settings_of_penalties(start: Start) -> dict[str, str]:
    """What of the penalties decides the weights, as it is kept with a run."""
    if start.recipe is None or not start.recipe.layers:
        return {"penalties": "none"}
    recipe, measured = start.recipe, start.settings
    layers = [[layer.name, layer.target, layer.lambda_, layer.kappa] for layer in recipe.layers]
    how = [measured.with_bias, measured.fold_norm, measured.centering, recipe.squared, recipe.rule == "adaptive"]
    return {"penalties": json.dumps([*layers, how])}


def check_same(stored: Mapping[str, Any], now: Mapping[str, Any], where: Path) -> None:
    """Refuse to go on with a run of other settings.

    At a constant learning rate the number of epochs decides nothing about those that are done.

    Raises:
        TrainingError: something differs; the message says what.
    """
    free = {"epochs"} if now["schedule"] == "constant" else set()
    if changes := _differences(stored, {name: value for name, value in now.items() if name not in free}):
        raise TrainingError(
            f"{where}: the run there was started with other settings (then / now): {changes}",
            "Give what it was started with, or another --out without --resume.",
        )


def check_alike(records: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to have ranks train one net with settings or data of their own; `records` has those of each.

    Raises:
        TrainingError: something differs; the message says what.
    """
    for rank, record in enumerate(records):
        if differences := _differences(records[0], record):
            raise TrainingError(
                f"rank {rank} differs from rank 0 (rank 0 / it): {differences}",
                "Start all with the same command, the same data and the same code.",
            )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name.replace('_', ' ')}: {_shown(before.get(name))} / {_shown(value)}"
        for name, value in now.items()
        if before.get(name) != value
    )


def _shown(value: object) -> str:
    text = printable(value)
    is_digest = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return text[:8] if is_digest else text or "none"
