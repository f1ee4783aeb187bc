"""Which of a net's outputs holds the class scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from rfav_cli.activations.output_names import AUXILIARY, NEUTRAL, rank_of
from rfav_cli.errors import ModelError
from rfav_cli.inputs import Inputs, count
from rfav_cli.text import printable, quoted

_SAME = 1e-3
"""Logarithms of probabilities that differ by no more are the same scores."""
TWO = 2
"""Classes that one score can tell apart."""
_LEAST = -60.0
"""Logarithm below which a probability in float32 says nothing."""


@dataclass(frozen=True)
class ChosenOutput:
    """The output that is taken as a net's scores.

    Attributes:
        path: its indices and keys from the outside in, with dots between; empty where the net returns one tensor.
        choice: what `select_output` takes to give it: as the user gave it; else empty for the first tensor.
        tensor: the output itself.
        returned: all that the net returns, in words.
        reason: why it was taken, in words; empty where there was nothing to choose or the user chose.
        guessed: other outputs fit as well, and nothing tells which of them is right. This is the first that does not
            look like features after a ReLU.
    """

    path: str
    choice: str
    tensor: Tensor
    returned: str
    reason: str = ""
    guessed: bool = False

    @property
    def note(self) -> str:
        """What was taken, where there was a choice and the user made none; else nothing."""
        if not self.reason:
            return ""
        taken = f"the class scores are taken of {printable(self.path)}, {self.reason}"
        return f"the net returns {self.returned}; {taken} (--output chooses another)"


def select_output(output: Any, choice: str = "") -> Tensor:
    """Take the tensor of scores out of what a net returned.

    Args:
        output: a tensor, or a tuple, list, mapping or dataclass of them, nested, or an object that has them.
        choice: an index or a key, or several with dots between; empty for the first tensor, which is also the one that
            is taken of several within a choice.

    Raises:
        ModelError: there is no such output, or it is no tensor.
    """
    chosen = _part(output, choice) if choice else output
    if choice and chosen is None:
        raise ModelError(
            f"--output {quoted(choice)}: the net returns no such output", f"It returns {described(output)}."
        )
    tensor = next((tensor for _, tensor in tensors(chosen)), None)
    if tensor is None:
        raise ModelError(
            f"the net returns no tensor but {printable(type(chosen).__name__)}",
            "Give a net that returns its class scores.",
        )
    return tensor


def choose_output(output: Any, samples: Inputs, classes: int = 0, choice: str = "") -> ChosenOutput:
    """Find the output that holds the class scores: by the user's choice, by name, by width, by its rows.

    An output with a name such as `logits` goes before one whose name says nothing, and one with a name such as
    `features` is never taken. Among those of equal names it is the one as wide as there are classes. Outputs that are
    the same scores, such as logits and their softmax, are one. A net that returns its samples again is an autoencoder,
    and what it returns beside them is no row of class scores.

    Args:
        output: what the net returned.
        samples: (n, ...) that it was given.
        classes: of the probe, 1 where its labels are one number each; 0 where that has no labels, or others.
        choice: the user's, or empty.

    Raises:
        ModelError: there is no such output, or no tensor; or several fit, and the labels would be held against a guess.
    """
    returned = described(output)
    if choice:
        return ChosenOutput(choice, choice, select_output(output, choice), returned)
    leaves = dict(tensors(output))
    if not leaves:
        select_output(output)  # which says so
    (path, tensor), *more = leaves.items()
    if not more and rank_of(path) > AUXILIARY:
        return ChosenOutput(path, "", tensor, returned)
    rows, reason = _best(leaves, samples, classes)
    guessed = len(rows) > 1
    if guessed and classes:
        raise ModelError(
            f"the net returns {returned}: {_listed(rows)} fit as the class scores, {reason}",
            "Name the one that holds them with --output.",
        )
    first = next((path for path in rows if not _is_rectified(leaves[path])), rows[0])
    choice = "" if leaves[first] is next(iter(leaves.values())) else first
    return ChosenOutput(
        first, choice, leaves[first], returned, "the first of those that fit" if guessed else reason, guessed
    )


def is_row(output: Tensor, samples: int) -> bool:
    """Whether an output is a row of numbers for each sample: (samples, at least 2), floating point."""
    return output.ndim == 2 and len(output) == samples and output.shape[1] >= 2 and output.is_floating_point()


def _is_one_number(output: Tensor, samples: int) -> bool:
    """Whether an output is one number for each sample, as a score of two classes is: (samples,) or (samples, 1)."""
    return output.shape in ((samples,), (samples, 1)) and output.is_floating_point()


def repeats_samples(output: Tensor, samples: Inputs, classes: int = 0) -> bool:
    """Whether an output has the shape of the samples, as that of an autoencoder: as many numbers, or as many channels.

    Of several inputs that of images or sequences counts; token ids are repeated by nothing.

    Args:
        output: of the net.
        samples: (n, ...) that it was given.
        classes: of the probe; an output that is as wide holds scores.
    """
    if not isinstance(samples, Tensor):
        return any(repeats_samples(output, each, classes) for each in samples.values() if each.ndim > 2)
    if output.ndim < 2 or output.shape[:1] != samples.shape[:1] or (classes and output.shape[1] == classes):
        return False
    if not samples.is_floating_point():
        return False
    planes = output.ndim == samples.ndim >= 3 and output.shape[1] == samples.shape[1]
    return planes or output[0].numel() == samples[0].numel()


def described(output: Any) -> str:
    """The outputs with their shapes, in words."""
    if isinstance(output, Tensor):
        return "one tensor"
    return ", ".join(f"{printable(path)}: {shape}" for path, shape in _shapes(output, "")) or "no tensor"


def tensors(output: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors in what a net returned with their paths, in its order; maps of one position (n, C, 1, 1) as rows."""
    if isinstance(output, Tensor):
        single = output.ndim > 3 and output.shape[1] > 1 and set(output.shape[2:]) == {1}
        yield path, output.flatten(1) if single else output
        return
    for name, part in _parts(output).items():
        yield from tensors(part, f"{path}.{name}" if path else name)


def _best(leaves: Mapping[str, Tensor], samples: Inputs, classes: int) -> tuple[list[str], str]:
    """The paths that fit best and what speaks for them; they are several where nothing tells which is right."""
    ranks = {path: rank_of(path) for path in leaves}
    offered = [path for path in leaves if ranks[path] > AUXILIARY]
    if not offered:
        raise ModelError(
            f"the net returns {', '.join(map(printable, leaves))}: by their names none holds class scores",
            "Name the one that does with --output.",
        )
    again = [path for path in offered if repeats_samples(leaves[path], samples, classes)]
    single = [path for path in offered if 0 < classes <= TWO and _is_one_number(leaves[path], count(samples))]
    rows = [path for path in offered if is_row(leaves[path], count(samples)) and path not in again]
    rows = [*single, *([path for path in rows if leaves[path].shape[1] >= classes] or rows)]
    exact = [path for path in rows if path in single or leaves[path].shape[1] == classes]
    best = max((ranks[path] for path in rows), default=NEUTRAL)
    if again and not exact and best == NEUTRAL:
        return again[:1], "which has the shape of the samples"
    if not rows:
        per_sample = [path for path in offered if leaves[path].ndim and len(leaves[path]) == count(samples)] or offered
        return [max(per_sample, key=ranks.__getitem__)], "as there is no row of scores"
    named = [path for path in rows if ranks[path] == best]
    fitting = [path for path in named if path in exact]
    if exact and not fitting:
        return [*named, *exact], "by the name of one and the width of another"
    distinct = _distinct({path: leaves[path] for path in fitting or named})
    if len(distinct) > 1:
        return distinct, "equally well"
    if len(named) < len(rows):
        return distinct, "by its name"
    width = "one number a sample" if set(fitting) & set(single) else f"{classes} wide"
    return distinct, f"as it is {width}" if len(fitting or named) < len(named) else "the only row of scores"


def _is_rectified(row: Tensor) -> bool:
    """Whether a row (n, C) has no number below zero though it is no row of probabilities, as features after a ReLU."""
    return bool((row >= 0).all()) and not _are_probabilities(row)


def _are_probabilities(row: Tensor) -> bool:
    if row[0].numel() == 1:
        return bool(((row >= 0) & (row <= 1)).all())
    return bool((row >= 0).all()) and bool(((row.sum(1) - 1).abs() <= _SAME).all())


def _distinct(rows: Mapping[str, Tensor]) -> list[str]:
    """The paths of rows without those that are other rows' scores again; of these, not the probabilities."""
    distinct: dict[str, Tensor] = {}
    for path, row in sorted(rows.items(), key=lambda entry: bool((entry[1] >= 0).all())):
        scores = _logarithms(row)
        if not any(
            scores.shape == other.shape and bool(((scores - other).abs() <= _SAME).all()) for other in distinct.values()
        ):
            distinct[path] = scores
    return [path for path in rows if path in distinct]


def _logarithms(row: Tensor) -> Tensor:
    """Scores or probabilities (n, C) as logarithms of probabilities, float64."""
    values = row.detach().cpu().double()
    if values[0].numel() == 1:  # a score of the second of two classes
        second = values.reshape(-1)
        first = 1 - second if _are_probabilities(values) else torch.zeros_like(second)
        values = torch.stack([first, second], 1)
    if _are_probabilities(values):
        return values.log().clamp(min=_LEAST)
    return values.log_softmax(1).clamp(min=_LEAST)


def _part(output: Any, choice: str) -> Any:
    """The part of an output under a choice, None where there is none; fields of named tuples have their index, too."""
    parts = _parts(output)
    if isinstance(output, tuple):
        parts = {**{str(index): part for index, part in enumerate(output)}, **parts}
    if choice in parts:
        return parts[choice]
    inner = (_part(part, choice[len(name) + 1 :]) for name, part in parts.items() if choice.startswith(f"{name}."))
    return next((part for part in inner if part is not None), None)


def _parts(output: Any) -> dict[str, Any]:
    if isinstance(output, Mapping):
        return {str(key): value for key, value in output.items()}
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return dict(zip(output._fields, output, strict=True))
    if isinstance(output, Sequence) and not isinstance(output, (str, bytes)):
        return {str(index): value for index, value in enumerate(output)}
    if is_dataclass(output) and not isinstance(output, type):
        return {field.name: getattr(output, field.name, None) for field in fields(output)}
    # Of other objects the tensors alone: whatever else they hold may lead back to them.
    held = {} if isinstance(output, type) else getattr(output, "__dict__", {})
    return {name: part for name, part in held.items() if isinstance(part, Tensor)}


def _shapes(output: Any, path: str) -> Iterator[tuple[str, str]]:
    """The paths of all that a net returned, and what there is: a shape, or a type that holds no tensor."""
    for name, part in _parts(output).items():
        inner = f"{path}.{name}" if path else name
        if isinstance(part, Tensor):
            yield inner, "x".join(map(str, part.shape)) or "a number"
        elif _parts(part):
            yield from _shapes(part, inner)
        else:
            yield inner, type(part).__name__


def _listed(paths: Sequence[str], word: str = "and") -> str:
    *first, last = map(printable, paths)
    return f"{', '.join(first)} {word} {last}" if first else last
