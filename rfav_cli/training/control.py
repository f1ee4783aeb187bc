"""The rule `adaptive`: lambda follows how much surer a net is on validation samples than it is right."""

from __future__ import annotations

import math
import warnings

from rfav_cli.errors import UsageError
from rfav_cli.text import quoted

GAIN = 6.0
"""How fast: a net that is surer by 0.1 than it is right has its lambdas grow 1.8 times an epoch."""
LOWEST, HIGHEST = 0.01, 100.0
"""What the factor stays between, so that it is never 0 nor infinite and comes back soon from either end.

On the tuning runs of `benchmarks/remedy/adaptive` it came to rest between 4 and 100 where the penalty does any good."""
ROUNDING = 1e-6
"""What a mean of float32 probabilities can be above 1."""


def followed(factor: float, confidence: float, accuracy: float) -> float:
    """The factor of lambda after another epoch: factor * exp(6 (confidence - accuracy)), within bounds.

    A net whose confidence is its accuracy is left as it is; one that is surer gets larger penalties, one that is less
    sure smaller ones. So lambda needs to be known only roughly beforehand.

    Args:
        factor: before.
        confidence: mean of the largest probabilities, over validation samples; from 0 to 1.
        accuracy: on the same samples; from 0 to 1.

    Returns:
        From `LOWEST` to `HIGHEST`.

    >>> round(followed(1.0, 0.8, 0.7), 4)
    1.8221
    >>> followed(1.0, 0.5, 0.5)
    1.0
    """
    return min(max(factor * math.exp(GAIN * (confidence - accuracy)), LOWEST), HIGHEST)


class Control:
    """The factor that all lambdas of a recipe share.

    Args:
        factor: to begin with.
    """

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self._warned = False

    @classmethod
    def at(cls, factor: object) -> Control:
        """One that goes on from a factor that was kept.

        Raises:
            UsageError: there can be no such factor.
        """
        if not isinstance(factor, float) or not LOWEST <= factor <= HIGHEST:
            raise UsageError(
                f"a regularizer's state has no factor that there can be, but {quoted(factor)}",
                "Give what its state_dict() gave.",
            )
        return cls(factor)

    def follow(self, confidence: float, accuracy: float) -> float:
        """Take in how an epoch ended; figures that are no shares leave the factor as it is, which is said once.

        Returns:
            The factor from now on.
        """
        if 0 <= confidence <= 1 + ROUNDING and 0 <= accuracy <= 1 + ROUNDING:
            self.factor = followed(self.factor, confidence, accuracy)
        elif not self._warned:
            self._warned = True
            warnings.warn(
                f"lambda stays as it is: the validation samples give a confidence of {confidence} and an accuracy of "
                f"{accuracy}, which are no shares of 1",
                stacklevel=3,
            )
        return self.factor
