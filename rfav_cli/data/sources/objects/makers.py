"""Functions and classes that give samples when they are called."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch

from rfav_cli.chance import positions
from rfav_cli.errors import RfavError, SampleError
from rfav_cli.text import named

if TYPE_CHECKING:
    from rfav_cli.data.sources.objects.rows import Given


def called(value: Any, given: Given) -> tuple[Any, bool]:
    """What a callable returns, and whether it drew random numbers; what is none is taken as it is.

    Raises:
        SampleError: it raised an error.
    """
    if not is_maker(value):
        return value, False
    before = positions()
    try:
        made = value()
    except RfavError:
        raise
    except Exception as error:
        own = "It is called without arguments: name a function that gives them, def held_out(): return …(…)."
        raise SampleError(
            f"{given}: making the samples raised {named(error, part='all')}",
            "Put that right." if _takes_nothing(value) else own,
        ) from error
    return made, positions() != before


def is_maker(value: Any) -> bool:
    """Whether it is called for the samples: a function or a class, not a data set that can be called as well."""
    if isinstance(value, torch.nn.Module):
        return False
    return callable(value) and (isinstance(value, type) or not hasattr(value, "__getitem__"))


def _takes_nothing(value: Any) -> bool:
    try:
        inspect.signature(value).bind()
    except TypeError:
        return False
    except ValueError:  # a built-in that has no signature
        return True
    return True
