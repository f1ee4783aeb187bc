"""What `--transform` says: a transform by its name, or the user's own callable on a PIL image."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from rfav_cli.data.transforms import TRANSFORMS, make_transform
from rfav_cli.data.transforms.base import Transform, pixels_of_tensor
from rfav_cli.errors import RfavError, SampleError, UsageError
from rfav_cli.text import named, printable
from rfav_cli.user_code import Wanted, find, names_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rfav_cli.data.transforms.base import Request
    from rfav_cli.data.units import Samples

WANTED = Wanted("--transform", "transform", SampleError)


def find_transform(wanted: str | Callable[..., Any] | None, request: Request) -> Transform | None:
    """What `--transform` says.

    Args:
        wanted: a name of `TRANSFORMS`, with an address after a colon where it has one; code by name; or a callable.
        request: what else is known of the run.

    Raises:
        UsageError: there is no such transform.
        SampleError: it cannot be made.
    """
    if wanted is None:
        return None
    if not isinstance(wanted, str):
        return own_transform(wanted, getattr(wanted, "__qualname__", type(wanted).__name__))
    name, _, address = wanted.partition(":")
    if name in TRANSFORMS:
        return make_transform(name, replace(request, spec=wanted, address=address))
    if names_code(wanted):
        return found_transform(wanted)
    raise UsageError(
        f"--transform {printable(wanted)}: there is no such transform",
        f"Give {', '.join(TRANSFORMS)}, or your own as package.module:name or path/to/file.py:name.",
    )


def found_transform(spec: str) -> Transform:
    """The transform of a name in the user's code.

    Raises:
        SampleError: there is none of that name.
    """
    found = find(spec, WANTED)
    return own_transform(found.value, spec, found.importable)


def own_transform(
    value: Any, name: str, importable: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Transform:
    """A callable as a transform; one that takes no image makes the transform.

    Args:
        value: the callable.
        name: what messages call it.
        importable: a block in which its own modules are found.

    Raises:
        SampleError: it is none, or failed where it makes one.
    """
    where = f"--transform {printable(name)}"
    if not callable(value):
        raise SampleError(
            f"{where}: an object of type {printable(type(value).__name__)} is no transform",
            "Name a callable that takes a PIL image and returns a tensor.",
        )
    if _makes_one(value):
        try:
            with importable():
                return own_transform(value(), name, importable)
        except RfavError:
            raise
        except Exception as error:
            raise SampleError(f"{where}: making it raised {named(error, part='all')}", "Put that right.") from error

    def pixels(image: Image.Image) -> Samples:
        try:
            with importable():
                return _pixels(value(image))
        except RfavError:
            raise
        except Exception as error:
            raise SampleError(
                f"{where}: it raised {named(error, part='all')}",
                "It is called with a PIL image, and returns a tensor (C, H, W).",
            ) from error

    return Transform(name, pixels, runs_code=True)


def _makes_one(value: Any) -> bool:
    """Whether a callable takes nothing, so that it is no transform itself."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # a built-in that has no signature
        return False
    try:
        signature.bind(None)
    except TypeError:
        return True
    return isinstance(value, type) and all(
        parameter.default is not parameter.empty or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in signature.parameters.values()
    )


def _pixels(value: Any) -> Samples:
    if isinstance(value, Mapping) and "pixel_values" in value:  # an image processor's
        value = value["pixel_values"]
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, Image.Image):
        pixels = np.asarray(value.convert("L" if value.mode in ("1", "L", "LA") else "RGB"))
        return pixels.reshape(*pixels.shape[:2], -1)
    return pixels_of_tensor(value)
