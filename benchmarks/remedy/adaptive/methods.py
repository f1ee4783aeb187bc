"""What is done about a run: trainings from the start, and trainings that go on from the best checkpoint of one.

From the start: `plain`, `decay` (weight decay 5e-4), `dropout` (p = 0.25 after each pooling), `norm` (batch
normalisation after each convolution) and `augment` (flips and shifts). From the checkpoint of the plain run's lowest
validation loss: `even` (constant lambdas) and `adaptive` on the layers that the verdict names, `adaptive all` and
`adaptive random` (as many, drawn), `adaptive scale` and `adaptive shape` (one part of the gradient), `adaptive scores`
and `even scores` (the classifier's entropy). In a net with normalisation it is folded in.

What differs stands after a colon: `s1` (lambda starts at 1 of even's, not 0.3), `g3` (gain 3, not 6), `h10` (the
factor is 10 at most), `fresh` (from fresh weights).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.remedy.adaptive.parts import PartRegularizer
from rfav_cli.records import LayerRecipe, Recipe
from rfav_cli.training import control
from rfav_cli.training.penalties import TargetedRegularizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from benchmarks.remedy.adaptive.fit import Regularizer
    from benchmarks.remedy.adaptive.runs import SmallRun

SOURCES = ("plain", "decay", "dropout", "norm", "augment")
EVEN, START = 0.3, 0.3
"""What `even` weighs a nat of mean entropy with, and the share of it that `adaptive` starts from."""


def source_options(run: SmallRun, source: str) -> tuple[dict[str, bool], dict[str, float | bool]] | None:
    """Arguments of `nets.make` and of `fit`; None where the net has it already."""
    has_norm, has_dropout = run.normalised, run.net.startswith("drop")
    if (source == "norm" and has_norm) or (source == "dropout" and has_dropout):
        return None
    fitted: dict[str, float | bool] = {"decay": {"decay": 5e-4}, "augment": {"augment": True}}.get(source, {})  # type: ignore[assignment]
    return {"norm": source == "norm", "dropout": source == "dropout"}, fitted


@dataclass(frozen=True)
class Method:
    """A training that goes on from the plain one.

    Attributes:
        kind: "even" or "adaptive".
        what: of which layers or of what: "", "all", "random", "scale", "shape", "scores"; "and scores" and "all and
            scores" are both.
        start: the share of even's lambda that it starts from.
        gain, highest: of the control: how fast, and the factor's upper bound.
        fresh: it starts from fresh weights.
    """

    kind: str
    what: str
    start: float
    gain: float
    highest: float
    fresh: bool

    @classmethod
    def of(cls, name: str) -> Method:
        """From its name."""
        told, *variants = name.split(":")
        kind, _, what = told.partition(" ")
        numbers = {variant[0]: float(variant[1:]) for variant in variants if variant != "fresh"}
        start = numbers.get("s", START if kind == "adaptive" else 1.0)
        gain, highest = numbers.get("g", control.GAIN), numbers.get("h", control.HIGHEST)
        return cls(kind, what, start, gain, highest, "fresh" in variants)

    def layers(self, positions: Mapping[str, int], flagged: list[str], seed: int) -> list[str]:
        """The layers that are penalised, of those that the net has: name -> positions.

        As `rfav recommend` has it, "and scores" aims at all where the verdict names none.
        """
        if "all" in self.what.split():
            return [*positions]
        if self.what == "random":
            drawn = np.random.default_rng(seed).choice(len(positions), len(flagged), replace=False)
            return [[*positions][index] for index in sorted(drawn)]
        return flagged or ([*positions] if self.what == "and scores" else [])

    def regularizer(
        self, run: SmallRun, net: nn.Module, positions: Mapping[str, int], names: list[str]
    ) -> Regularizer | None:
        """The penalties on some layers; None where there is none."""
        what = self.what.split()
        weights = {name: self.start * EVEN / positions[name] for name in names if what != ["scores"]}
        layers = [LayerRecipe(name, "", weight, 0.0) for name, weight in weights.items()]
        if "scores" in what:
            classifier = next(name for name, _ in reversed([*net.named_modules()]))
            layers.append(LayerRecipe(classifier, "", self.start * EVEN, 0.0, target="scores"))
        if not layers:
            return None
        if self.what in ("scale", "shape"):
            return PartRegularizer(net, weights, self.what)
        rule = "adaptive" if self.kind == "adaptive" else "even"
        recipe = Recipe(rule, "", "", None, None, None, tuple(layers), fold_norm=run.normalised)
        return TargetedRegularizer(net, recipe)
