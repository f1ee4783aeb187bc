"""From a store to a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.thresholds import Thresholds

if TYPE_CHECKING:
    from rfav_cli.records import History, Recipe
    from rfav_cli.render.base import Screen


def recommend(
    path: str | Path,
    *,
    out: str | Path | None = None,
    rule: str = "even",
    format: str = "table",  # noqa: A002 - the option's name
    screen: Screen | None = None,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> str:
    """Say which penalties each layer should have in another training, and from which epoch it should start.

    Args:
        path: the store.
        out: where to write the recipe, too; another recipe there is replaced.
        rule: how lambda follows from a layer: "even", "paper" or "balanced"; see `diagnosis.recommend`.
        format: "table" or "json".
        screen: what the text is for; 80 columns of plain text for None.
        thresholds: of the verdict that this rests on.

    Raises:
        StoreError: the store can't be read.
        RecipeError: nothing can be said of the run, or the recipe can't be written.
        UsageError: there is no such rule.
    """
    from rfav_cli import recipes
    from rfav_cli.render import render_recipe

    _, recipe = prescribe(Path(path), rule, thresholds)
    text = render_recipe(recipe, format, screen=screen)
    if out is not None:
        recipes.write(recipe, Path(out))
    return text


def prescribe(path: Path, rule: str, thresholds: Thresholds) -> tuple[History, Recipe]:
    """A store, and the recipe that follows from it; one without layers where there is nothing to do.

    Raises:
        StoreError, RecipeError, UsageError: as for `recommend`.
    """
    from rfav_cli import diagnosis, store
    from rfav_cli.errors import RecipeError

    history = store.open_store(path)
    verdict = diagnosis.judge(history, thresholds)
    recipe = diagnosis.recommend(history, verdict, rule)
    if verdict.run.state == "unknown":
        raise RecipeError(f"{path}: {recipe.reason}", "`rfav show` shows what was measured.")
    return history, recipe
