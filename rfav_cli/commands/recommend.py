"""From a store to advice, and to a recipe where one is advised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.commands.open_store import as_history
from rfav_cli.options import Recommend, flat

if TYPE_CHECKING:
    from rfav_cli.options import Thresholds
    from rfav_cli.options.stores import RuleOfLambda
    from rfav_cli.records import History, Recipe


def run(options: Recommend) -> Recipe:
    """Say what to do about a run, and where that is to train again by which penalties, from which epoch on.

    Returns:
        The recipe with the advice that it is part of. It has layers where penalties are advised, or asked for `anyway`;
        it is written as well then, where `out` says where.

    Raises:
        StoreError: the store can't be read.
        RecipeError: nothing can be said of the run.
        OutputError: the recipe can't be written there.
        UsageError: there is no such rule.
    """
    from rfav_cli import recipes
    from rfav_cli.files.outputs import Output, check_outputs, write_outputs

    outputs = [
        Output(Path(out), "rfav recommend", "choose another --out", recipes.is_ours, [options.path])
        for out in ([] if options.out is None else [options.out])
    ]
    check_outputs(outputs, force=options.force)
    recipe = prescribe(as_history(options.path), options, options.thresholds)
    if recipe.layers:
        contents = {output: [recipes.dump(recipe).encode()] for output in outputs}
        write_outputs(contents, force=options.force)
    return recipe


recommend = flat(Recommend, run)


def prescribe(history: History, penalties: RuleOfLambda, thresholds: Thresholds) -> Recipe:
    """The recipe that follows from a store; one without layers where there is nothing to do, or no penalty is advised.

    Args:
        history: what the store holds.
        penalties: how lambda follows from a layer (None for the rule that is advised, and `adaptive` where none is),
            and whether that is asked for where it is not advised, too.
        thresholds: of the verdict.

    Raises:
        RecipeError, UsageError: as for `recommend`.
    """
    from rfav_cli import diagnosis
    from rfav_cli.errors import RecipeError
    from rfav_cli.records.units import said_in

    verdict = diagnosis.judge(history, thresholds)
    advice = verdict.advice or diagnosis.advise(history, verdict, thresholds)
    rule = penalties.rule or diagnosis.rule_by_advice(advice)
    if penalties.rule:
        advice = diagnosis.advise(history, verdict, thresholds, rule)
    recipe = diagnosis.recommend(history, verdict, rule, signed=penalties.signed, anyway=penalties.anyway)
    recipe = said_in(replace(recipe, advice=advice), history.unit)
    if verdict.run.state == "unknown":
        raise RecipeError(f"{history.path}: {recipe.reason}", "`rfav show` shows what was measured.")
    if not recipe.layers or diagnosis.penalties_are_advised(advice):
        return recipe
    warning = diagnosis.warning_on_penalties(verdict, history, rule)
    if penalties.anyway:
        return replace(recipe, warning=warning)
    return replace(recipe, layers=(), reason=f"{verdict.run.reason}; penalties are not advised: {warning}")
