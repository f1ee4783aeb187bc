"""The Python API: a function of a record of options, with those options as flat keywords."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from rfav_cli.options.field import Options, options_of
from rfav_cli.options.panels import FIRST
from rfav_cli.remote import speaking

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
O = TypeVar("O", bound=Options)  # noqa: E741 - of options
R = TypeVar("R")
S = TypeVar("S")
_SECTION = re.compile(r"^(Returns|Raises|Yields):$", re.MULTILINE)


def flat(record: Callable[P, O], run: Callable[[O], R]) -> Callable[P, R]:
    """A function that takes the options of a record one by one; type checkers and editors know each.

    Args:
        record: the class of the options.
        run: what takes them as one; the sections of its docstring are those of the function.

    >>> from rfav_cli.options import Thresholds
    >>> flat(Thresholds, lambda thresholds: thresholds.fewest)(fewest=7)
    7
    """

    @functools.wraps(run)
    def function(*args: P.args, **kwargs: P.kwargs) -> R:
        with speaking():
            return run(record(*args, **kwargs))

    described(function, record, run.__doc__ or "")
    return function


def flat_method(record: Callable[P, O]) -> Callable[[Callable[[S, O], R]], Callable[Concatenate[S, P], R]]:
    """As `flat`, for a method."""

    def give(run: Callable[[S, O], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(run)
        def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            with speaking():
                return run(self, record(*args, **kwargs))

        parameters = inspect.signature(record).parameters
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        ordered = [own, *(parameters[name] for name in _order(record))]
        method.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
        method.__doc__ = _with_arguments(inspect.cleandoc(run.__doc__ or ""), record)
        return method

    return give


def described(function: Callable[..., object], record: Callable[..., Options], text: str) -> None:
    """Give a function the name of its module, the signature of a record, and a docstring with each of its options."""
    returns = inspect.signature(function).return_annotation
    parameters = inspect.signature(record).parameters
    ordered = [parameters[name] for name in _order(record)]
    function.__signature__ = inspect.Signature(ordered, return_annotation=returns)  # type: ignore[attr-defined]
    function.__name__ = function.__qualname__ = function.__module__.rpartition(".")[2]
    function.__doc__ = _with_arguments(inspect.cleandoc(text), record)
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered} | {"return": returns}


def _order(record: Callable[..., Options]) -> list[str]:
    """Arguments, what a beginner needs, the others, and last what only callers from Python can give."""
    options = dict(options_of(record)) if isinstance(record, type) else {}

    def rank(name: str) -> int:
        option = options[name]
        return 0 if option.positional else 3 if option.keyword else 1 if option.panel == FIRST else 2

    return sorted(options, key=rank)


def _with_arguments(text: str, record: Callable[..., Options]) -> str:
    lines = ["Args:"]
    options = dict(options_of(record)) if isinstance(record, type) else {}
    for name in _order(record):
        lines += textwrap.wrap(
            f"{name}: {options[name].with_range()}", 112, initial_indent="    ", subsequent_indent=" " * 8
        )
    section = _SECTION.search(text)
    at = section.start() if section else len(text)
    return f"{text[:at].rstrip()}\n\n" + "\n".join(lines) + (f"\n\n{text[at:]}" if section else "\n")
