"""A loss of the user's own, `--loss`: a function of a net's output and the labels, or a module of torch."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rfav_cli import user_code
from rfav_cli.errors import ModelError, RfavError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WANTED = user_code.Wanted("--loss", "loss", ModelError)
_FORM = "A loss takes the net's output (n, ...) and the labels of n samples, and gives a tensor of n numbers"


@dataclass(frozen=True, eq=False)
class OwnLoss:
    """A loss by name.

    Attributes:
        name: as the user gave it, or where a callable was defined.
        function: (scores, labels) -> (n,).
        folders: importable while it is called.
    """

    name: str
    function: Callable[..., Any] = field(repr=False)
    folders: Sequence[Path] = ()

    def __call__(self, output: Tensor, labels: NDArray[Any]) -> Tensor:
        """The losses of some samples.

        Args:
            output: what the net gave, (n, ...); as it is.
            labels: (n, ...) as the samples have them; whole numbers are given as int64, others as float32.

        Returns:
            (n,) on the output's device.

        Raises:
            ModelError: it fails, or gives something else, or what is not finite for an output that is.
        """
        wanted = np.float32 if labels.dtype.kind == "f" else np.int64
        given = torch.from_numpy(np.ascontiguousarray(labels).astype(wanted)).to(output.device)
        try:
            with user_code.importable(*self.folders):
                losses = self.function(output, given, **self._keywords())
        except RfavError:
            raise
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            shapes = f"{tuple(output.shape)} and labels {tuple(given.shape)}"
            raise ModelError(
                f"{self._where}: for scores {shapes} it raised {named(error, part='last')}", f"{_FORM}."
            ) from error
        return self._checked(losses, output, len(given))

    @property
    def _where(self) -> str:
        return f"--loss {printable(self.name)}"

    def _keywords(self) -> dict[str, str]:
        """Have one of torch's functions give a loss a sample."""
        try:
            parameters = inspect.signature(self.function).parameters
        except (TypeError, ValueError):
            return {}
        return {"reduction": "none"} if "reduction" in parameters else {}

    def _checked(self, losses: Any, output: Tensor, samples: int) -> Tensor:
        if not isinstance(losses, Tensor):
            raise ModelError(f"{self._where}: it gives {printable(type(losses).__name__)}, no tensor", f"{_FORM}.")
        if losses.shape == (samples, 1):
            losses = losses[:, 0]
        if losses.shape != (samples,):
            mean = "; a mean over the samples will not do: torch's losses take reduction='none'"
            raise ModelError(
                f"{self._where}: it gives a tensor of the shape {tuple(losses.shape)} for {samples} samples",
                f"{_FORM}{'' if losses.ndim else mean}.",
            )
        if bool(output.isfinite().all()) and not bool(losses.isfinite().all()):
            raise ModelError(
                f"{self._where}: it gives {float(losses[~losses.isfinite()][0])} for scores that are finite",
                "Have it give finite numbers, as by a logarithm of no less than a small one.",
            )
        checked: Tensor = losses.detach()
        return checked


def own_loss(loss: str | Callable[..., Any] | None) -> OwnLoss | None:
    """The loss that `--loss` means; None where it is not given.

    A class is made without arguments; a module of torch that has a mean taken gives one loss a sample.

    Raises:
        ModelError: there is no such code, or it is nothing to be called.
    """
    if loss is None:
        return None
    found = user_code.find(loss, WANTED) if isinstance(loss, str) else user_code.Found(loss, ())
    name = loss if isinstance(loss, str) else f"{loss.__module__}:{getattr(loss, '__qualname__', type(loss).__name__)}"
    function = found.value
    if isinstance(function, type):
        with found.importable():
            function = _made(function, name)
    if not callable(function):
        raise ModelError(f"--loss {printable(name)}: is nothing to be called", f"{_FORM}.")
    if isinstance(function, torch.nn.Module) and getattr(function, "reduction", "none") != "none":
        function.__dict__["reduction"] = "none"  # a plain attribute of torch's losses
    return OwnLoss(name, function, found.folders)


def _made(kind: type[Any], name: str) -> Any:
    try:
        return kind()
    except Exception as error:
        raise ModelError(
            f"--loss {printable(name)}: {named(error, part='last')}",
            "Give a function, or a class that is made without arguments.",
        ) from error
