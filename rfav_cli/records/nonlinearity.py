"""What a statistic gets to know of the function that follows a layer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Nonlinearity:
    """A function that a net applies to each number of a layer's activation.

    Attributes:
        name: torch's operator: "relu", "hardtanh" (ReLU6 as well), "gelu", ...
        zeros: closed intervals (low, high) of what it maps to zero, as the function is defined, whatever rounding makes
            of small results: (-inf, 0) of ReLU, (0, 0) of GELU, none of a sigmoid.
        arguments: what the operator is given besides the activation, by the names that torch has for it:
            ("negative_slope", 0.01) of leaky ReLU.
    """

    name: str
    zeros: tuple[tuple[float, float], ...]
    arguments: tuple[tuple[str, float | str | None], ...] = ()
