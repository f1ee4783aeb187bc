"""Where a function is said to be zero, torch makes zero of it, and nowhere else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from rfav_cli.activations.nonlinearities import _ALWAYS_THE_SAME, _BY_ARGUMENTS, nonlinearity_of
from rfav_cli.statistics.base import applied

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rfav_cli.records import Nonlinearity

GRID = torch.cat([torch.linspace(-4, 4, 65, dtype=torch.float64), torch.tensor([-1e-3, 1e-3], dtype=torch.float64)])
"""Holds each end of an interval below, and what is just beside zero; nothing of it is rounded to zero."""

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "relu in place": lambda x: functional.relu(x.clone(), inplace=True),
    "relu6": functional.relu6,
    "hardswish": functional.hardswish,
    "hardsigmoid": functional.hardsigmoid,
    "gelu": functional.gelu,
    "gelu by tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "mish": functional.mish,
    "tanh": torch.tanh,
    "celu": functional.celu,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "logsigmoid": functional.logsigmoid,
    "hardtanh": functional.hardtanh,
    "hardtanh from 0": lambda x: functional.hardtanh(x, 0.0, 2.0),
    "hardtanh to 0": lambda x: functional.hardtanh(x, -2.0, 0.0),
    "hardtanh above 0": lambda x: functional.hardtanh(x, 1.0, 2.0),
    "clamp from below": lambda x: x.clamp(min=0),
    "clamp from above": lambda x: x.clamp(max=0),
    "clamp around": lambda x: torch.clamp(x, -1, 1),
    "clamp_min": lambda x: torch.clamp_min(x, 0),
    "threshold": lambda x: functional.threshold(x, 1.0, 0.0),
    "threshold below 0": lambda x: functional.threshold(x, -1.0, 0.0),
    "threshold to a number": lambda x: functional.threshold(x, -1.0, 5.0),
    "threshold above 0 to a number": lambda x: functional.threshold(x, 1.0, 5.0),
    "leaky_relu": functional.leaky_relu,
    "leaky_relu without a slope": lambda x: functional.leaky_relu(x, 0.0),
    "elu": functional.elu,
    "selu": functional.selu,
    "hardshrink": functional.hardshrink,
    "softshrink": lambda x: functional.softshrink(x, 2.0),
}


def seen(function: Callable[[Tensor], Any]) -> list[tuple[str, Nonlinearity | None]]:
    """Each operator of a function, and what nonlinearity it is told to be."""
    operators: list[tuple[str, Nonlinearity | None]] = []

    class See(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            operators.append((func.overloadpacket.__name__, nonlinearity_of(func, args, kwargs or {})))
            return func(*args, **(kwargs or {}))

    with See():
        function(GRID)
    return operators


def known(function: Callable[[Tensor], Any]) -> list[Nonlinearity]:
    return [nonlinearity for _, nonlinearity in seen(function) if nonlinearity is not None]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_zeros_are_those_that_torch_makes(name: str) -> None:
    (nonlinearity,) = known(FUNCTIONS[name])
    inside = [any(low <= x <= high for low, high in nonlinearity.zeros) for x in GRID.tolist()]
    assert inside == (FUNCTIONS[name](GRID) == 0).tolist()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_record_is_enough_to_apply_the_function_again(name: str) -> None:
    (nonlinearity,) = known(FUNCTIONS[name])
    torch.testing.assert_close(applied(nonlinearity, GRID), FUNCTIONS[name](GRID), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (functional.leaky_relu, lambda x: functional.leaky_relu(x, 0.2)),
        (functional.gelu, lambda x: functional.gelu(x, approximate="tanh")),
        (functional.softplus, lambda x: functional.softplus(x, beta=2)),
    ],
)
def test_functions_that_differ_in_an_argument_are_told_apart(
    one: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor]
) -> None:
    assert known(one) != known(other)
    assert known(one) == known(one)


def test_every_function_of_the_table_is_among_them() -> None:
    names = {nonlinearity.name for function in FUNCTIONS.values() for nonlinearity in known(function)}
    assert names | {"relu6"} == {*_ALWAYS_THE_SAME, *_BY_ARGUMENTS}  # which torch may run as hardtanh


@pytest.mark.parametrize(
    "function",
    [
        torch.exp,
        lambda x: x + 1,
        lambda x: functional.prelu(x, torch.zeros(1, dtype=x.dtype)),
        lambda x: x.clamp(torch.tensor(0.0), torch.tensor(1.0)),
        lambda x: x.clamp(2, 1),  # a constant
        lambda x: functional.elu(x, 0.0),
        lambda x: functional.softmax(x, 0),
    ],
)
def test_what_is_not_known_for_sure_is_none(function: Callable[[Tensor], Tensor]) -> None:
    operators = seen(function)
    assert operators
    assert [nonlinearity for _, nonlinearity in operators if nonlinearity is not None] == []


def test_intervals_ascend_and_do_not_meet() -> None:
    for function in FUNCTIONS.values():
        for nonlinearity in known(function):
            ends = [end for interval in nonlinearity.zeros for end in interval]
            assert ends == sorted(ends)
            assert not any(math.isnan(end) for end in ends)
