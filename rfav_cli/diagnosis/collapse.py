"""What became of a layer's entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.diagnosis.curves import Smoothing, above_zero
from rfav_cli.records import LayerFinding, Onset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rfav_cli.records.verdict import LayerState

ONSET, EARLIEST, LATEST = 0.1, 0.05, 0.25
"""Shares of a fall that are lost at its onset, and at the ends of the interval that is given for it."""

LEAST = 0.01
"""Share of ln D that a fall must have: a layer that starts with next to no entropy has none to lose."""


@dataclass(frozen=True)
class EntropyCourse:
    """A layer's mean entropy along the epochs.

    Attributes:
        epochs: (E,) those with a finite entropy, ascending.
        measured: (E,) in nats.
        smoothed: (E,) in nats, what the layer is judged by.
        maximum: ln D.
        noise: standard deviation of the noise of the training before the smoothing, in nats.
        smoothing: what `smoothed` was smoothed with.
    """

    epochs: NDArray[np.int64]
    measured: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    maximum: float
    noise: float
    smoothing: Smoothing

    @classmethod
    def of(
        cls, epochs: NDArray[np.int64], entropies: NDArray[np.float64], maximum: float, sigma: float
    ) -> EntropyCourse:
        """Smooth the finite ones of (E,) entropies; at least one is."""
        finite = np.isfinite(entropies)
        smoothing, values = Smoothing.over(epochs[finite], sigma), entropies[finite]
        return cls(epochs[finite], values, smoothing.matrix @ values, maximum, smoothing.noise(values), smoothing)

    def begin(self, since: int | None) -> int:
        """Index of the first epoch that counts."""
        return 0 if since is None else min(int(np.searchsorted(self.epochs, since)), len(self.epochs) - 1)

    def seeming_fall(self, begin: int) -> tuple[float, float]:
        """How far it would seem to fall for noise alone, in nats: mean and standard deviation."""
        return self.smoothing.seeming_rise(-self.smoothed, self.noise, begin=begin)

    def words(self, begin: int, highest: int) -> str:
        """The highest and the last of the measured entropies from an index on, and those of the smoothed ones."""
        peak = begin + int(np.argmax(self.measured[begin:]))
        since = " since the onset of overfitting" if begin else ""
        words = (
            f"{self.measured[peak]:.2f} nat at epoch {self.epochs[peak]}, its highest{since}, to "
            f"{self.measured[-1]:.2f} at epoch {self.epochs[-1]}"
        )
        if np.array_equal(self.smoothed, self.measured):
            return words
        top, last = self.smoothed[highest], self.smoothed[-1]
        return f"{words} (smoothed {top:.2f} at epoch {self.epochs[highest]} to {last:.2f})"

    def onset(self, highest: int) -> Onset:
        """When a tenth of the fall from the highest entropy to the last was lost, between a twentieth and a quarter."""
        top, last = self.smoothed[highest], self.smoothed[-1]
        low, epoch, high = (
            int(self.epochs[highest + np.flatnonzero(self.smoothed[highest:] >= top - share * (top - last))[-1]])
            for share in (EARLIEST, ONSET, LATEST)
        )
        return Onset(epoch, low, high)


def follow_layer(name: str, course: EntropyCourse, since: int | None, limit: float, fall: float) -> LayerFinding:
    """Judge a layer by how much of its entropy it has lost.

    Where the run is known to overfit, what it has lost since then is what counts: all layers lose some while they
    learn. Where it is not, only a loss of most of the entropy is more than that.

    Args:
        name: of the layer.
        course: its entropies, at least one.
        since: the onset of overfitting; None where there is none, or none is known.
        limit: share of the entropy whose loss is a collapse.
        fall: share whose loss since the onset of overfitting is a fall.
    """
    begin = course.begin(since)
    highest = begin + int(np.argmax(course.smoothed[begin:]))
    top, last = float(course.smoothed[highest]), float(course.smoothed[-1])
    seeming, spread = course.seeming_fall(begin)
    lost, error = ((top - last - seeming) / top, spread / top) if top > 0 else (0.0, 0.0)
    slight = top - last < LEAST * course.maximum
    collapsed = 0.0 if slight else above_zero(lost - limit, error)
    falling = 0.0 if slight or since is None else above_zero(lost - fall, error)
    state: LayerState = "collapsed" if collapsed >= 0.5 else "falling" if falling >= 0.5 else "stable"
    confidence = {"collapsed": collapsed, "falling": min(falling, 1 - collapsed), "stable": 1 - max(falling, collapsed)}
    noise = f" beside {seeming / top:.0%} of noise" if top > 0 and seeming / top >= 0.005 else ""
    little = f", less than {LEAST:.0%} of ln D" if slight and lost > fall else ""
    return LayerFinding(
        name=name,
        state=state,
        onset=None if state == "stable" else course.onset(highest),
        fall=top - last,
        fall_fraction=(top - last) / course.maximum,
        confidence=confidence[state],
        evidence=f"{course.words(begin, highest)}: {max(lost, 0):.0%} lost{little}{noise}; {limit:.0%} is a collapse",
    )
