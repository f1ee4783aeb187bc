"""What a training starts from: its options, and a recipe or what a store holds of the run before. It reads no store."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli import remote
from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.records import Settings
from rfav_cli.records.tasks import CROSS_ENTROPY
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rfav_cli.options import Train
    from rfav_cli.records import History, Recipe

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

    @classmethod
    def of(cls, options: Train) -> Start:
        """What the options alone say: fresh weights, no penalties."""
        settings = Settings(
            options.with_bias,
            options.centering,
            not options.no_fold_norm,
            output=options.output or "",
            weights=options.weights or "",
        )
        return cls(options.model, tuple(options.model_arg), None, None, "", settings)

    def with_recipe(self, recipe: Recipe) -> Start:
        """With the penalties of a recipe, measured as it says, from the checkpoint that it rewinds to."""
        settings = replace(
            self.settings,
            with_bias=self.settings.with_bias or recipe.with_bias,
            fold_norm=self.settings.fold_norm and recipe.fold_norm,
            centering=recipe.centering if self.settings.centering == "pearson" else self.settings.centering,
        )
        checkpoint = Path(recipe.checkpoint) if recipe.checkpoint else None
        return replace(self, recipe=recipe, checkpoint=checkpoint, settings=settings)

    def after_run(self, history: History, recipe: Recipe) -> Start:
        """With what a run before says of what the options leave open, and the penalties that follow from it.

        Raises:
            ModelError: the store names code that makes the net, and the options do not.
        """
        path = Path(history.path)
        if not recipe.layers:
            return replace(self, done=f"{path}: {recipe.reason}")
        stored = history.run.settings
        model, arguments = (self.model, self.model_arg) if self.model else _zoo_model(stored.model, path)
        start = replace(
            self,
            model=model,
            model_arg=arguments,
            recipe=recipe,
            settings=replace(
                stored,
                model="",
                output=self.settings.output or stored.output,
                weights=self.settings.weights or stored.weights,
                unit="epoch",
                task="",
                loss=CROSS_ENTROPY,
            ),
            notes=(f"{path}: {recipe.reason}", *_doubtful(recipe), _targets(recipe)),
        )
        rewound = next((checkpoint for checkpoint in history.checkpoints if checkpoint.epoch == recipe.rewind), None)
        if rewound is None:
            return start
        file = Path(rewound.path)
        file = file if file.exists() or file.is_absolute() else path.parent / file
        return replace(start, checkpoint=file, sha256=rewound.sha256)

    def from_weights(self, init: str | Path | None) -> Start:
        """From the weights that the user wants, if any; refused where there is nothing to start from.

        Args:
            init: a checkpoint or "fresh"; None for what the recipe or the run before says.

        Raises:
            ModelError: there is nothing that makes the net.
            CheckpointError: the checkpoint to start from is not there.
        """
        start = self
        if start.done:
            return start
        if init is not None:
            start = replace(start, checkpoint=None if str(init) == FRESH else remote.keep(init), sha256="")
        elif start.recipe is not None:
            start = replace(start, notes=(*start.notes, _origin(start)))
        if start.model is None and start.checkpoint is None:
            raise ModelError(
                "a training needs --model, the code that makes the net, or --init with TorchScript, which brings its "
                "own",
                "Give --model package.module:factory.",
            )
        if start.checkpoint is not None and not start.checkpoint.exists():
            raise CheckpointError(
                f"{start.checkpoint}: no such checkpoint to start from",
                "Run where `rfav analyze` was run, or give --init CHECKPOINT, or --init fresh.",
            )
        return start

    def check_sha256(self, actual: str) -> None:
        """Refuse a checkpoint that is not the one that was measured.

        Args:
            actual: the digest of the file, in hex.

        Raises:
            CheckpointError: it is another.
        """
        if self.sha256 and self.sha256 != actual:
            raise CheckpointError(
                f"{self.checkpoint}: another file than the store was measured on, or changed since "
                f"(SHA-256 {actual[:8]}…, the store has {printable(self.sha256)[:8]}…)",
                "Put the file back, measure the run anew, or give --init.",
            )


def model_of(name: str) -> tuple[str | None, tuple[str, ...]]:
    """The specification of a net and its arguments, from what a store calls the net.

    >>> model_of("zoo:lenet(classes=10, image_size=32)")
    ('zoo:lenet', ('classes=10', 'image_size=32'))
    """
    match = _ARGUMENTS.fullmatch(name)
    if match is None:
        return name or None, ()
    return match[1], tuple(re.split(r", (?=[^\W\d]\w*=)", match[2]))


def _zoo_model(name: str, path: Path) -> tuple[str | None, tuple[str, ...]]:
    """What makes the net that a store names: a net of the zoo. Anything else is code, which a file must not choose.

    Raises:
        ModelError: the store names code.
    """
    model, arguments = model_of(name)
    if model is not None and not model.startswith("zoo:"):
        words = ["--model", model, *(word for argument in arguments for word in ("--model-arg", argument))]
        raise ModelError(
            f"{path}: its net is made by code, and what a store names is not run",
            f"If that code is yours, give {printable(shlex.join(words))}",
        )
    return model, arguments


def _doubtful(recipe: Recipe) -> Iterator[str]:
    """Why the verdict may be unsafe, and the penalties are not advised."""
    yield from (f"in doubt: {doubt}" for doubt in recipe.doubts)
    if recipe.warning:
        yield f"not advised: {recipe.warning}"


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
