"""Why a net does not run on samples, and what was found to help: nothing is advised that was not tried or measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from rfav_cli.errors import SampleError
from rfav_cli.inputs import copied, described, tensors
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rfav_cli.inputs import Inputs

SIDES = (28, 32, 48, 64, 96, 128, 224)
"""Sides of images that a net is tried on: those that are common."""


@dataclass(frozen=True)
class Entered:
    """The layer in which a forward ended.

    Attributes:
        name: of the layer.
        kind: "Conv2d", "Linear", ...
        weight: the shape of its weight.
        given: the shape of what it was given.
        takes: how many channels or features it takes.
        reach: how many elements of each axis its kernel covers, less what is padded; () of a linear layer.
        first: no layer was used before it.
    """

    name: str
    kind: str
    weight: tuple[int, ...]
    given: tuple[int, ...]
    takes: int
    reach: tuple[int, ...] = ()
    first: bool = False

    def misfit(self) -> str:
        """What does not fit, in words; empty where that is not known."""
        name = printable(self.name, 80)
        if self.kind == "Linear":
            has = self.given[-1] if self.given else self.takes
            return "" if has == self.takes else f"{name} takes {self.takes} features, it was given {has}"
        axes = len(self.weight) - 2
        batched = len(self.given) == axes + 2
        if not batched:
            return f"{name} takes samples of {axes + 1} axes, it was given {len(self.given) - 1}"
        if self.given[1] != self.takes:
            return f"{name} takes {self.takes} channels, it was given {self.given[1]}"
        if any(size < reach for size, reach in zip(self.given[2:], self.reach, strict=False)):
            return f"the samples are too small: {name} is given {_times(self.given[2:])}, fewer than its kernel covers"
        return ""

    def colours(self, channels: int) -> str:
        """The option that gives images the channels that the net's first layer takes; empty where there is none."""
        if not self.first or self.kind != "Conv2d" or len(self.given) != 4 or self.given[1] != channels:
            return ""
        return {(3, 1): "--gray", (1, 3): "--rgb"}.get((channels, self.takes), "")


def unfit(
    inputs: Inputs,
    error: Exception,
    entered: Entered | None,
    run: Callable[[Inputs], object],
    *,
    net: str = "the net",
) -> SampleError:
    """What to say of a net that does not run on samples.

    Args:
        inputs: (n, ...), what it was given.
        error: what it raised.
        entered: the layer that raised it, where one did.
        run: runs the net, and raises where it does not run either.
        net: what the message calls it.
    """
    what = f"{net} does not run on samples of {described(inputs)}: {named(error, part='last')}"
    if _runs(inputs, run):
        return SampleError(what, "It runs on them where its layers are not watched: please report this, with the net.")
    misfit, option = "", ""
    if entered is not None:
        what += f" (in {printable(entered.name, 80)}, weight {_times(entered.weight)})"
        misfit, option = entered.misfit(), entered.colours(_channels(inputs))
    found = f"Give {option}." if option else _found(inputs, run)
    told = f"{misfit[:1].upper() if misfit.startswith('the ') else misfit[:1]}{misfit[1:]}. " if misfit else ""
    return SampleError(what, f"{told}{found or ('' if misfit else 'Run it on such samples to see why.')}".strip())


def _found(inputs: Inputs, run: Callable[[Inputs], object]) -> str:
    """The first other size of image on which the net runs, as advice; empty where none was found."""
    for shape in _tried(inputs):
        try:
            run(torch.zeros(shape, device=tensors(inputs)[0].device))
        except torch.OutOfMemoryError:
            break
        except Exception:  # noqa: S112 - what a net raises can be anything
            continue
        return f"It runs on images of {_times(shape[1:])}: --resize {shape[-1]}."
    return ""


def _runs(inputs: Inputs, run: Callable[[Inputs], object]) -> bool:
    try:
        run(copied(inputs))
    except torch.OutOfMemoryError:
        raise
    except Exception:  # what a net raises can be anything
        return False
    return True


def _channels(inputs: Inputs) -> int:
    """Of the images among the inputs; 0 where there are none."""
    return next((tensor.shape[1] for tensor in tensors(inputs) if tensor.ndim == 4), 0)


def _tried(inputs: Inputs) -> Iterator[tuple[int, ...]]:
    if isinstance(inputs, torch.Tensor) and inputs.ndim == 4:
        for side in SIDES:
            if inputs.shape[2:] != (side, side):
                yield (*inputs.shape[:2], side, side)


def _times(shape: tuple[int, ...] | torch.Size) -> str:
    return "x".join(map(str, shape)) or "one number"
