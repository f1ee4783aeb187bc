"""What is done about a run: trainings from the start, and trainings that go on from one of them by a recipe.

A method is called `source` or `source+recipe`. Sources: `plain` (the net as it is), `dropout`, `norm`, `decay`.
Recipes: `even`, `paper` and `balanced` are `rfav recommend`'s rules; `all` and `random` weigh all layers, or as many as
were recommended drawn at random, by the rule that is the default.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.diagnosis import recommend
from rfav_cli.diagnosis.recipe import best_checkpoint, lambda_by_rule, penalties_on_layers
from rfav_cli.records import RULES, LayerRecipe, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.detection.configurations import Configuration
    from rfav_cli.records import History, Verdict

RULE = "even"
"""For `all` and `random`."""


def sources(run: Configuration) -> tuple[str, ...]:
    """What the run can be trained as: only what its net does not have already."""
    has = {"normnet": ("norm", "dropout"), "dropnet": ("norm", "dropout")}.get(run.net.split("-")[0], ())
    return tuple(each for each in ("plain", "dropout", "norm", "decay") if each not in has)


def source_options(run: Configuration, source: str) -> dict[str, Any]:
    """Arguments of `rfav_cli.train` for a training from the start."""
    added = [f"{source}=true"] if source in {"norm", "dropout"} else []
    return {
        "model": "benchmarks.remedy.nets:make",
        "model_arg": [f"net={run.net}", f"classes={run.classes}", *added],
        "weight_decay": 5e-4 if source == "decay" else run.decay,
    }


def recipe_options(recipe: str, history: History, verdict: Verdict, seed: int) -> dict[str, Any] | None:
    """Arguments for a training that goes on by a recipe; None where there is nothing to do.

    Variants are told after a colon: `x3` (all lambdas threefold), `fc3` (those of dense layers), `c0.3` (0.3 /
    positions), `fresh` (from fresh weights), `fold` (with the normalisation folded in), `k1` and `kall` (with
    decorrelation of the first convolution, of all).
    """
    kind, _, variants = recipe.partition(":")
    rule = kind if kind in RULES else RULE
    told, start = recommend(history, verdict, rule), best_checkpoint(history, verdict)
    layers = tuple(penalties_on_layers(history, verdict, rule, signed=True))  # of normalised nets, too
    if verdict.run.state not in {"overfitting", "sparsifying"} or not layers:
        return None
    told = replace(told, layers=layers, rewind=start and start.epoch, checkpoint=start and start.path, squared=False)
    if kind == "all":
        told = _on(told, history, (layer.name for layer in history.run.layers))
    if kind == "random":
        names = [layer.name for layer in history.run.layers]
        drawn = np.random.default_rng(seed).choice(len(names), len(told.layers), replace=False)
        told = _on(told, history, (names[index] for index in sorted(drawn)))
    options: dict[str, Any] = {"init": told.checkpoint or "fresh"}
    for variant in filter(None, variants.split(":")):
        if variant == "fresh":
            options["init"] = "fresh"
        elif variant == "fold":
            told = replace(told, fold_norm=True)
        elif variant in ("k1", "kall"):
            told = _decorrelated(told, history, first_only=variant == "k1")
        elif variant.startswith("c"):
            told = _equal(told, history, float(variant[1:]))
        else:
            told = _scaled(told, variant)
    return {"recipe": told, **options}


def _on(told: Recipe, history: History, names: Iterable[str]) -> Recipe:
    layers = {layer.name: layer for layer in history.run.layers}
    return replace(told, layers=tuple(LayerRecipe(name, "", lambda_by_rule(layers[name], RULE), 0.0) for name in names))


def _equal(told: Recipe, history: History, weight: float) -> Recipe:
    positions = {layer.name: max(math.prod(layer.positions), 1) for layer in history.run.layers}
    return replace(
        told,
        layers=tuple(
            replace(each, lambda_=weight / positions[each.name] if each.lambda_ else 0.0) for each in told.layers
        ),
    )


def _scaled(told: Recipe, variant: str) -> Recipe:
    dense = variant.startswith("fc")
    factor = float(variant.removeprefix("fc").removeprefix("x"))
    return replace(
        told,
        layers=tuple(
            replace(each, lambda_=each.lambda_ * (factor if each.name.startswith("fc") or not dense else 1.0))
            for each in told.layers
        ),
    )


def _decorrelated(told: Recipe, history: History, *, first_only: bool) -> Recipe:
    convolutions = [layer.name for layer in history.run.layers if layer.kind.startswith("Conv")]
    names = convolutions[:1] if first_only else convolutions
    known = {each.name: each for each in told.layers}
    added = {name: replace(known.get(name, LayerRecipe(name, "", 0.0, 0.0)), kappa=1.0) for name in names}
    return replace(told, layers=tuple((known | added).values()))
