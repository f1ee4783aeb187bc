"""The elementwise functions of torch that are told by their operator, and where each of them is zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rfav_cli.records import Nonlinearity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Zeros = tuple[tuple[float, float], ...]

NEGATIVE: Zeros = ((-math.inf, 0.0),)
"""Nothing passes but what is above zero."""
AT_ZERO: Zeros = ((0.0, 0.0),)
"""Only zero gives zero."""
NEVER: Zeros = ()

_ALWAYS_THE_SAME: dict[str, Zeros] = {
    "relu": NEGATIVE,
    "relu6": NEGATIVE,
    "hardswish": ((-math.inf, -3.0), (0.0, 0.0)),
    "hardsigmoid": ((-math.inf, -3.0),),
    "gelu": AT_ZERO,
    "silu": AT_ZERO,
    "mish": AT_ZERO,
    "tanh": AT_ZERO,
    "celu": AT_ZERO,
    "sigmoid": NEVER,
    "softplus": NEVER,
    "log_sigmoid_forward": NEVER,
}


def nonlinearity_of(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Nonlinearity | None:
    """The nonlinearity that an operator applies to its first argument, in place or not.

    None for others. PReLU is one of them, since its slopes are weights, which may be zero.

    Args:
        func: an overload of torch's, as a dispatch mode sees it.
        args: its arguments.
        kwargs: those that are given by name.
    """
    name = func.overloadpacket.__name__.removesuffix("_")
    if name not in _ALWAYS_THE_SAME and name not in _BY_ARGUMENTS:
        return None
    values = _arguments(func, args, kwargs)
    if not all(value is None or isinstance(value, (int, float, str)) for value in values.values()):
        return None  # limits that are tensors
    zeros = _ALWAYS_THE_SAME[name] if name in _ALWAYS_THE_SAME else _BY_ARGUMENTS[name](**values)
    return None if zeros is None else Nonlinearity(name, zeros, tuple(values.items()))


def _arguments(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What an operator is given after its first argument, or takes by default, by name."""
    parameters = [argument.name for argument in func._schema.arguments]
    values = {argument.name: argument.default_value for argument in func._schema.arguments[1:]}
    values |= dict(zip(parameters[1:], args[1:], strict=False))
    return values | {key: value for key, value in kwargs.items() if key in values}


def _clamped(low: float | None, high: float | None) -> Zeros | None:
    """Of what is cut off below `low` and above `high`."""
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    if not low < high:
        return None  # a constant
    if not low <= 0 <= high:
        return NEVER
    return ((-math.inf if low == 0 else 0.0, math.inf if high == 0 else 0.0),)


def _hardtanh(min_val: float, max_val: float) -> Zeros | None:
    return _clamped(min_val, max_val)


def _clamp(min: float | None = None, max: float | None = None) -> Zeros | None:  # noqa: A002 - torch's names
    return _clamped(min, max)


def _threshold(threshold: float, value: float) -> Zeros:
    """Of what is replaced by `value` up to `threshold`."""
    above = AT_ZERO if threshold < 0 else NEVER
    return above if value != 0 else ((-math.inf, threshold), *above)


def _leaky_relu(negative_slope: float) -> Zeros:
    return AT_ZERO if negative_slope else NEGATIVE


def _elu(alpha: float, scale: float, input_scale: float) -> Zeros | None:
    return AT_ZERO if alpha and scale and input_scale else None


def _shrink(lambd: float) -> Zeros | None:
    return ((-lambd, lambd),) if lambd >= 0 else None


_BY_ARGUMENTS: dict[str, Callable[..., Zeros | None]] = {
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "clamp_min": _clamp,
    "threshold": _threshold,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "hardshrink": _shrink,
    "softshrink": _shrink,
}
"""Operator -> where it is zero, from its arguments after the first, by their names."""
