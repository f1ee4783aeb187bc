"""What a training starts from: a recipe, or a store that says what was wrong with a run; none of it needs torch."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli.commands.open_store import open_store
from rfav_cli.commands.recommend import prescribe
from rfav_cli.errors import CheckpointError, ModelError, UsageError
from rfav_cli.records import Settings
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.options import Train
    from rfav_cli.records import Recipe

FRESH = "fresh"
_ARGUMENTS = re.compile(r"(?s)(.+?)\((.*)\)")


@dataclass(frozen=True)
class Start:
    """Where a training starts and what it aims at.

    Attributes:
        model: what makes the net: a specification or a callable.
        model_arg: "key=value" arguments for it.
        recipe: the penalties; None for none.
        checkpoint: the first weights; None for fresh ones.
        sha256: what that file must be, in hex; empty where nobody knows.
        settings: how activations are measured and filters centred, for the penalties and the probe alike.
        notes: what the user should be told.
        done: why there is nothing to train; empty where there is.
    """

    model: Any
    model_arg: Sequence[str]
    recipe: Recipe | None
    checkpoint: Path | None
    sha256: str
    settings: Settings
    notes: tuple[str, ...] = ()
    done: str = ""


def find_start(options: Train) -> Start:
    """Put together what the options, the recipe and the store say.

    Raises:
        UsageError: both a recipe and a store are given.
        StoreError, RecipeError: one cannot be read, or nothing can be said of the run.
        ModelError: there is nothing that makes the net.
        CheckpointError: the checkpoint to start from is not there.
    """
    from_store, recipe, init = options.from_store, options.recipe, options.init
    settings = Settings(options.with_bias, options.centering, options.fold_norm, "", options.output or "")
    if from_store is not None and recipe is not None:
        raise UsageError("--from-store and --recipe: a recipe is made of the store", "Give one of the two.")
    start = Start(options.model, tuple(options.model_arg), None, None, "", settings)
    if from_store is not None:
        start = _from_store(start, Path(from_store), options)
    elif recipe is not None:
        start = _from_recipe(start, recipe)
    if start.done:
        return start
    if init is not None:
        start = replace(start, checkpoint=None if str(init) == FRESH else Path(init), sha256="")
    elif start.recipe is not None:
        start = replace(start, notes=(*start.notes, _origin(start)))
    if start.model is None and start.checkpoint is None:
        raise ModelError(
            "a training needs --model, the code that makes the net, or --init with TorchScript, which brings its own",
            "Give --model package.module:factory.",
        )
    if start.checkpoint is not None and not start.checkpoint.is_file():
        raise CheckpointError(
            f"{start.checkpoint}: no such file to start from",
            "Run where `rfav analyze` was run, or give --init CHECKPOINT, or --init fresh.",
        )
    return start


def _from_recipe(start: Start, recipe: str | Path | Recipe) -> Start:
    from rfav_cli import recipes

    known = recipes.find(recipe)
    settings = replace(
        start.settings,
        with_bias=start.settings.with_bias or known.with_bias,
        fold_norm=start.settings.fold_norm or known.fold_norm,
        centering=known.centering if start.settings.centering == "pearson" else start.settings.centering,
    )
    checkpoint = Path(known.checkpoint) if known.checkpoint else None
    return replace(start, recipe=known, checkpoint=checkpoint, settings=settings)


def _from_store(start: Start, path: Path, options: Train) -> Start:
    """Judge the run, and take from its store what the options leave open."""
    history = open_store(path)
    recipe = prescribe(history, options.rule, options.thresholds)
    if not recipe.layers:
        return replace(start, done=f"{path}: {recipe.reason}")
    model, arguments = (start.model, start.model_arg) if start.model else _model_of(history.run.settings.model, path)
    start = replace(
        start,
        model=model,
        model_arg=arguments,
        recipe=recipe,
        settings=replace(history.run.settings, model="", output=start.settings.output or history.run.settings.output),
        notes=(f"{path}: {recipe.reason}", _targets(recipe)),
    )
    before = next((each for each in history.checkpoints if each.epoch == recipe.rewind), None)
    if before is None:
        return start
    place = Path(before.path)
    place = place if place.is_file() or place.is_absolute() else path.parent / place
    return replace(start, checkpoint=place, sha256=before.sha256)


def _model_of(name: str, path: Path) -> tuple[str | None, tuple[str, ...]]:
    """What makes the net that a store names: a net of the zoo. Anything else is code, which a file must not choose.

    Raises:
        ModelError: the store names code.
    """
    model, arguments = model_of(name)
    if model is not None and not model.startswith("zoo:"):
        options = shlex.join(["--model", model, *(part for each in arguments for part in ("--model-arg", each))])
        raise ModelError(
            f"{path}: its net is made by code, and what a store names is not run",
            f"If that code is yours, give {printable(options)}",
        )
    return model, arguments


def model_of(name: str) -> tuple[str | None, tuple[str, ...]]:
    """The specification of a net and its arguments, from what a store calls the net.

    >>> model_of("zoo:lenet(classes=10, image_size=32)")
    ('zoo:lenet', ('classes=10', 'image_size=32'))
    """
    found = _ARGUMENTS.fullmatch(name)
    if found is None:
        return name or None, ()
    return found[1], tuple(re.split(r", (?=[^\W\d]\w*=)", found[2]))


def check_sha256(path: Path, expected: str, actual: str) -> None:
    """Refuse a checkpoint that is not the one that was measured.

    Raises:
        CheckpointError: it is another.
    """
    if expected and expected != actual:
        raise CheckpointError(
            f"{path}: another file than the store was measured on, or changed since "
            f"(SHA-256 {actual[:8]}…, the store has {printable(expected)[:8]}…)",
            "Put the file back, measure the run anew, or give --init.",
        )


def _origin(start: Start) -> str:
    """What the first weights are, where the recipe or the store decides that."""
    if start.checkpoint is None:
        return "starts from fresh weights (--init gives others)"
    epoch = "" if start.recipe is None or start.recipe.rewind is None else f"epoch {start.recipe.rewind}, "
    return f"starts from {epoch}{start.checkpoint} (--init gives others)"


def _targets(recipe: Recipe) -> str:
    parts = []
    for layer in recipe.layers:
        weights = [f"{name} {value:g}" for name, value in (("lambda", layer.lambda_), ("kappa", layer.kappa)) if value]
        parts.append(f"{layer.name} ({', '.join(weights)})")
    return f"penalties on {', '.join(parts)}"
