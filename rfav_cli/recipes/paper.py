"""The recipes of the paper's section 4.2, for its baseline nets (`nets.vanilla_net` and its kin), by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.errors import RecipeError
from rfav_cli.records import LayerRecipe, Recipe
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

LAMBDA, KAPPA = 0.001, 1.0
"""Section 4: each weight is 0 or this."""

NAMED: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "paper:sr1": ("SparsityReg on all layers but the classifier", ("conv1", "conv2", "conv3", "conv4", "fc1"), ()),
    "paper:sr2": ("SparsityReg on the layers that collapse", ("conv3", "conv4", "fc1"), ()),
    "paper:sr3": ("sr2 and DecorrReg on the first layer", ("conv3", "conv4", "fc1"), ("conv1",)),
}
"""Name -> what it is, the layers with a lambda, those with a kappa."""


def named(name: str) -> Recipe:
    """A recipe of the paper: "paper:sr1", "paper:sr2" or "paper:sr3"; Eq. 7 is the signed sum, as it is printed.

    Raises:
        RecipeError: there is no recipe of that name.
    """
    if name not in NAMED:
        raise RecipeError(f"there is no recipe {printable(name, 80)!r}", f"There are: {', '.join(NAMED)}.")
    reason, sparse, decorrelated = NAMED[name]
    layers = [LayerRecipe(layer, "", 0.0, KAPPA) for layer in decorrelated]
    layers += [LayerRecipe(layer, "", LAMBDA, 0.0) for layer in sparse]
    why = f"{name}: {reason} (arXiv 2002.09237, section 4.2)"
    return Recipe("paper", "", "", None, None, None, tuple(layers), why, squared=False)
