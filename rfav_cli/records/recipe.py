"""A recipe: which penalties another training of the net should have, and where it should start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from rfav_cli.records.notebooks import InNotebooks

Rule = Literal["even", "paper", "balanced"]

RULES: tuple[Rule, ...] = get_args(Rule)
"""How lambda follows from a layer: so that the mean entropy of each weighs the same, the same for all, or more where a
layer has few positions."""


@dataclass(frozen=True)
class LayerRecipe:
    """The penalties of a layer.

    Attributes:
        name: of the layer.
        finding: what is wrong with it, in a word or two: "collapsed", "correlated", "collapsed, correlating", ...
        lambda_: weight of the sparsity penalty (Eq. 5), 0 for none.
        kappa: weight of the decorrelation penalty (Eq. 7), 0 for none.
        sparsity: the size that Eq. 5 has by the last figures, in nats (0 or less); None where nothing is known.
        decorrelation: the size that Eq. 7 has by the last figures; None where nothing is known.
        why: what the penalties rest on, in words.
    """

    name: str
    finding: str
    lambda_: float
    kappa: float
    sparsity: float | None = None
    decorrelation: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Recipe(InNotebooks):
    """What to do about a run. A file holds no findings, sizes, reasons and loss but in its comments.

    Attributes:
        rule: a name in `RULES`; empty in a file that says none.
        store: path of the store that it was made from, as given.
        digest: `History.digest` of that store.
        rewind: the epoch whose checkpoint the training should start from; None to start anew.
        checkpoint: path of that checkpoint, as in the store.
        loss: held-out loss in the last epoch, to compare the sizes of the penalties with; None without labels.
        layers: in forward order; empty where there is nothing to do, or nothing that can be recommended.
        reason: in words, why there is something to do or nothing.
        with_bias, fold_norm, centering: how the activations and filters that it rests on were measured, which is how
            they are penalised; see `Settings`.
        doubts: why the verdict that it rests on may be unsafe, a sentence each.
    """

    rule: str
    store: str
    digest: str
    rewind: int | None
    checkpoint: str | None
    loss: float | None
    layers: tuple[LayerRecipe, ...]
    reason: str = ""
    with_bias: bool = False
    fold_norm: bool = True
    centering: str = "pearson"
    doubts: tuple[str, ...] = ()
