"""What is said of weights that do not go into the net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from rfav_cli.errors import CheckpointError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rfav_cli.activations.matching import Reading, StateDict
    from rfav_cli.activations.putting import Outcome


class ForeignWeightsError(CheckpointError):
    """A checkpoint does not go into the net.

    Attributes:
        outputs: how many outputs the last layer has in the file, where nothing else differs; else None.
    """

    outputs: int | None = None


LISTED = 4
"""Names that a message has in full."""


def misfit(path: Path, outcome: Outcome, reading: Reading, weights: StateDict, expected: StateDict) -> CheckpointError:
    """The error for a checkpoint that does not go into the net.

    Args:
        path: the file.
        outcome: what came of putting the nearest of its state_dicts into the net.
        reading: how its names were read.
        weights: what it holds.
        expected: the net's own state_dict.
    """
    if outcome.error:
        return CheckpointError(f"{path}: {outcome.error}", "Give the checkpoints of this net.")
    if outcome.mistyped and not (outcome.missing or outcome.unexpected or outcome.misshapen):
        first, *more = outcome.mistyped
        return CheckpointError(
            f"{path}: weights of another type: {first}" + (f" ({len(more)} more are alike)" if more else ""),
            "Save the weights as the net has them: dense floating-point numbers.",
        )
    kinds = (
        ("missing", outcome.missing),
        ("unexpected", outcome.unexpected),
        ("of another shape", outcome.misshapen.values()),
        ("of another type", [words.partition(" is ")[0] for words in outcome.mistyped]),
    )
    what = f"{path}: not a checkpoint of this net: " + "; ".join(
        f"{len(found)} {kind}: {first_names(found)}" for kind, found in kinds if found
    )
    if other := _other_outputs(outcome, reading, weights, expected):
        layer, there, here = other
        error = ForeignWeightsError(
            f"{what}; all else fits: the last layer, {printable(layer, 120)!r}, has {there} outputs in the file "
            f"and {here} in the net",
            f"Make the net with {there} outputs, such as by --model-arg, or leave the file out.",
        )
        error.outputs = there
        return error
    return ForeignWeightsError(what, "Give the --model that these weights were saved from, or leave the file out.")


def first_names(names: Iterable[str]) -> str:
    """A few of some names, and whether there are more; fit for a message."""
    some = list(names)
    return ", ".join(printable(name) for name in some[:LISTED]) + (", …" if len(some) > LISTED else "")


def _other_outputs(
    outcome: Outcome, reading: Reading, weights: StateDict, expected: StateDict
) -> tuple[str, int, int] | None:
    """Where nothing differs but the outputs of the last layer: its name, their number in the file and in the net."""
    if outcome.missing or outcome.unexpected or outcome.mistyped or not outcome.misshapen:
        return None
    matrices = [name for name, value in expected.items() if isinstance(value, Tensor) and value.dim() > 1]
    layer = matrices[-1].rpartition(".")[0] if matrices else ""
    of_layer = {name for name, own in expected.items() if name.rpartition(".")[0] == layer and isinstance(own, Tensor)}
    stored = {name: weights.get(reading.names.get(name, "")) for name in of_layer}
    if of_layer != set(outcome.misshapen) or not all(isinstance(value, Tensor) for value in stored.values()):
        return None
    shapes = [(value.shape, expected[name].shape) for name, value in stored.items() if value is not None]
    outputs = {(there[:1], here[:1]) for there, here in shapes}
    if len(outputs) > 1 or any(there[1:] != here[1:] for there, here in shapes):
        return None
    (there, here), *_ = outputs
    return (layer, there[0], here[0]) if there and here else None
