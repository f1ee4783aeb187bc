"""What a net draws is the same each time, and nobody else's."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rfav_cli.chance import drawn_from, positions

if TYPE_CHECKING:
    from collections.abc import Callable

CPU = torch.device("cpu")


def drawn() -> tuple[float, float, float]:
    return torch.rand(1).item(), float(np.random.rand()), random.random()


def test_a_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    numbers = []
    for seed in (0, 0, 1):
        with drawn_from(seed, CPU):
            numbers.append(drawn())
    assert numbers[0] == numbers[1]
    assert all(one != other for one, other in zip(numbers[0], numbers[2], strict=True))


def test_the_users_own_numbers_go_on_as_if_nothing_had_been_drawn() -> None:
    def draw_twice(within: bool) -> list[tuple[float, float, float]]:
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)
        first = drawn()
        if within:
            with suppress(ValueError), drawn_from(0, CPU):
                drawn()
                raise ValueError
        return [first, drawn()]

    assert draw_twice(within=True) == draw_twice(within=False)


@pytest.mark.parametrize("draw", [lambda: torch.rand(1), np.random.normal, random.random, lambda: torch.randperm(3)])
def test_the_generators_stand_elsewhere_after_a_number_was_drawn(draw: Callable[[], object]) -> None:
    before = positions(CPU)
    assert positions(CPU) == before
    draw()
    assert positions(CPU) != before
