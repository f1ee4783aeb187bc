"""A recipe: which penalties another training of the net should have, and where it should start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from rfav_cli.records.notebooks import InNotebooks

if TYPE_CHECKING:
    from rfav_cli.records.advice import Advice

Rule = Literal["adaptive", "even", "paper", "balanced"]

RULES: tuple[Rule, ...] = get_args(Rule)
"""How lambda follows from a layer: as `even`, from less on, and then from how much surer the net is on validation
samples than it is right; so that the mean entropy of each weighs the same; the same for all; or more where a layer has
few positions."""

Penalised = Literal["activation", "scores"]

PENALISED: tuple[Penalised, ...] = get_args(Penalised)
"""Whose entropy a lambda weighs: that of a layer's activation (Eq. 1), or that of the net's predictions, which are the
softmax of what its classifier gives, bias included."""


@dataclass(frozen=True)
class LayerRecipe:
    """The penalties of a layer.

    Attributes:
        name: of the layer; of the classifier, where its scores are the target.
        finding: what is wrong with it, in a word or two: "collapsed", "correlated", "collapsed, correlating", ...
        lambda_: weight of the sparsity penalty (Eq. 5), 0 for none.
        kappa: weight of the decorrelation penalty (Eq. 7), 0 for none.
        sparsity: the size that Eq. 5 has by the last figures, in nats (0 or less); None where nothing is known.
        decorrelation: the size that Eq. 7 has by the last figures; None where nothing is known.
        why: what the penalties rest on, in words.
        target: what the sparsity penalty is of, a name in `PENALISED`.
    """

    name: str
    finding: str
    lambda_: float
    kappa: float
    sparsity: float | None = None
    decorrelation: float | None = None
    why: str = ""
    target: str = "activation"


@dataclass(frozen=True)
class Recipe(InNotebooks):
    """What to do about a run. A file holds no findings, sizes, reasons and loss but in its comments.

    Attributes:
        rule: a name in `RULES`; empty in a file that says none.
        store: path of the store that it was made from, as given.
        digest: `History.digest` of that store.
        rewind: the epoch whose checkpoint the training should start from; None to start anew.
        checkpoint: path of that checkpoint, as in the store.
        rewind_by: what that epoch goes by, in words; empty where there is none, and in a file.
        loss: held-out loss in the last epoch, to compare the sizes of the penalties with; None without labels.
        layers: in forward order; empty where there is nothing to do, or nothing that can be recommended.
        reason: in words, why there is something to do or nothing.
        with_bias, fold_norm, centering: how the activations and filters that it rests on were measured, which is how
            they are penalised; see `Settings`.
        doubts: why the verdict that it rests on may be unsafe, a sentence each.
        advice: what to do about the run, of which training again may be a part; None where nothing was asked.
        warning: why its penalties are not advised, where they were asked for anyway; empty where they are.
        squared: kappa weighs the sum of the squares of the correlations, and not their signed sum, as Eq. 7 is printed.
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
    advice: Advice | None = None
    warning: str = ""
    squared: bool = True
    rewind_by: str = ""
