"""From a store to a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import as_history
from rfav_cli.options import Recommend, flat

if TYPE_CHECKING:
    from rfav_cli.options import Thresholds
    from rfav_cli.records import History, Recipe


def run(options: Recommend) -> Recipe:
    """Say which penalties each layer should have in another training, and from which epoch it should start.

    Returns:
        The recipe, which is written as well where `out` says where; one without layers where there is nothing to do.

    Raises:
        StoreError: the store can't be read.
        RecipeError: nothing can be said of the run, or the recipe can't be written.
        UsageError: there is no such rule.
    """
    from rfav_cli import recipes

    recipe = prescribe(as_history(options.path), options.rule, options.thresholds, signed=options.signed)
    if options.out is not None:
        recipes.write(recipe, Path(options.out))
    return recipe


recommend = flat(Recommend, run)


def prescribe(history: History, rule: str, thresholds: Thresholds, *, signed: bool = False) -> Recipe:
    """The recipe that follows from a store; one without layers where there is nothing to do.

    Raises:
        RecipeError, UsageError: as for `recommend`.
    """
    from rfav_cli import diagnosis
    from rfav_cli.errors import RecipeError

    verdict = diagnosis.judge(history, thresholds)
    recipe = diagnosis.recommend(history, verdict, rule, signed=signed)
    if verdict.run.state == "unknown":
        raise RecipeError(f"{history.path}: {recipe.reason}", "`rfav show` shows what was measured.")
    return recipe
