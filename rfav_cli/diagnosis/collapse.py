"""What became of a layer: by its scale and shape, or by its entropy where a store has no others."""

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

SAME = (0.95, 1.05)
"""Growth that is called none."""

NOISE = 0.02
"""Share of ln D from which on what a fall would seem to be for noise alone is told."""


@dataclass(frozen=True)
class LayerCourse:
    """What a layer is judged by, along the epochs.

    It is the entropy of its activations at unit scale less the logarithm of their scale, in nats: at unit scale, an
    entropy falls by about a nat where activations grow e-fold. Rescaling a layer, or a neuron of a homogeneous
    nonlinearity, in all checkpoints alike moves all of it by a constant: what it lost is a property of the function. A
    store of an earlier version has no scales: its layers are judged by the entropy as it is, which rescaling changes.

    Attributes:
        epochs: (E,) those with finite figures, ascending.
        values: (E,) in nats.
        smoothed: (E,) in nats, what the layer is judged by.
        unit: ln D, of which losses are shares; where `shapes` is None they are of the highest entropy.
        entropies: (E,) mean entropies as measured, in nats.
        scales: (E,) sizes of the activations, or None.
        shapes: (E,) entropies at unit scale, in nats, or None.
        noise: standard deviation of the noise of the training before the smoothing, in nats.
        smoothing: what `smoothed` was smoothed with.
    """

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    unit: float
    entropies: NDArray[np.float64]
    scales: NDArray[np.float64] | None
    shapes: NDArray[np.float64] | None
    noise: float
    smoothing: Smoothing

    @classmethod
    def of(
        cls,
        epochs: NDArray[np.int64],
        entropies: NDArray[np.float64],
        maximum: float,
        sigma: float,
        scales: NDArray[np.float64] | None = None,
        shapes: NDArray[np.float64] | None = None,
        *,
        shape_alone: bool = False,
    ) -> LayerCourse:
        """Smooth the finite ones of (E,) figures; at least one epoch has all of them.

        Args:
            epochs: (E,), ascending.
            entropies: (E,) in nats.
            maximum: ln D.
            sigma: of the smoothing, in epochs.
            scales: (E,) sizes of the activations, above 0, where they were measured.
            shapes: (E,) entropies at unit scale, in nats, where they were measured.
            shape_alone: growth counts for nothing.
        """
        values = entropies
        if scales is not None and shapes is not None:
            with np.errstate(invalid="ignore", divide="ignore"):
                values = shapes if shape_alone else shapes - np.log(scales)
        finite = np.isfinite(values)
        smoothing, kept = Smoothing.over(epochs[finite], sigma), values[finite]
        return cls(
            epochs[finite],
            kept,
            smoothing.matrix @ kept,
            maximum,
            entropies[finite],
            None if scales is None else scales[finite],
            None if shapes is None else shapes[finite],
            smoothing.noise(kept),
            smoothing,
        )

    def begin(self, since: int | None) -> int:
        """Index of the first epoch that counts."""
        return 0 if since is None else min(int(np.searchsorted(self.epochs, since)), len(self.epochs) - 1)

    def seeming_fall(self, begin: int) -> tuple[float, float]:
        """How far it would seem to fall for noise alone, in nats: mean and standard deviation."""
        return self.smoothing.seeming_rise(-self.smoothed, self.noise, begin=begin)

    def parts(self, highest: int) -> tuple[float, float] | None:
        """How much of the smoothed fall since an index is growth, and how much is loss of shape, in nats."""
        if self.scales is None or self.shapes is None:
            return None
        with np.errstate(invalid="ignore", divide="ignore"):
            scale, shape = (self.smoothing.matrix @ each for each in (np.log(self.scales), self.shapes))
        return float(scale[-1] - scale[highest]), float(shape[highest] - shape[-1])

    def words(self, begin: int, highest: int) -> str:
        """Growth and shape since the epoch that the fall begins at, as measured; entropies where scales are missing."""
        if self.scales is None or self.shapes is None:
            return self._entropy_words(begin, highest)
        growth, lost = self.scales[-1] / self.scales[highest], self.shapes[highest] - self.shapes[-1]
        grew = f"grew {growth:.2g} times" if growth >= 1 else f"shrank to {growth:.0%}"
        if SAME[0] <= growth <= SAME[1]:
            grew = "kept their size"
        shape = "the share of filters that take part is unchanged"
        if abs(lost) >= LEAST * self.unit:
            fewer = "fewer" if lost > 0 else "more"
            shape = f"{fewer} filters take part (shape {self.shapes[highest]:.2f} to {self.shapes[-1]:.2f} nat)"
        return f"activations {grew} since epoch {self.epochs[highest]}; {shape}"

    def _entropy_words(self, begin: int, highest: int) -> str:
        """The highest and the last of the measured entropies from an index on, and those of the smoothed ones."""
        peak = begin + int(np.argmax(self.values[begin:]))
        since = " since the onset of overfitting" if begin else ""
        words = (
            f"{self.values[peak]:.2f} nat at epoch {self.epochs[peak]}, its highest{since}, to "
            f"{self.values[-1]:.2f} at epoch {self.epochs[-1]}"
        )
        if np.array_equal(self.smoothed, self.values):
            return words
        top, last = self.smoothed[highest], self.smoothed[-1]
        return f"{words} (smoothed {top:.2f} at epoch {self.epochs[highest]} to {last:.2f})"

    def onset(self, highest: int) -> Onset:
        """When a tenth of the fall from the highest value to the last was lost, between a twentieth and a quarter."""
        top, last = self.smoothed[highest], self.smoothed[-1]
        low, epoch, high = (
            int(self.epochs[highest + np.flatnonzero(self.smoothed[highest:] >= top - share * (top - last))[-1]])
            for share in (EARLIEST, ONSET, LATEST)
        )
        return Onset(epoch, low, high, at_or_before=epoch == int(self.epochs[0]))


def follow_layer(name: str, course: LayerCourse, since: int | None, limit: float, fall: float) -> LayerFinding:
    """Judge a layer by what it has lost.

    Where the run is known to overfit, what it has lost since then is what counts: all layers lose some while they
    learn. Where it is not, only a loss of a large part of the shape is more than that.

    Args:
        name: of the layer.
        course: of it, with at least one epoch.
        since: the onset of overfitting; None where there is none, or none is known.
        limit: share whose loss is a collapse.
        fall: share whose loss since the onset of overfitting is a fall.
    """
    begin = course.begin(since)
    highest = begin + int(np.argmax(course.smoothed[begin:]))
    top, last = float(course.smoothed[highest]), float(course.smoothed[-1])
    unit = top if course.shapes is None else course.unit
    seeming, spread = course.seeming_fall(begin)
    lost, error = ((top - last - seeming) / unit, spread / unit) if unit > 0 else (0.0, 0.0)
    slight = top - last < LEAST * course.unit
    collapsed = 0.0 if slight else above_zero(lost - limit, error)
    falling = 0.0 if slight or since is None else above_zero(lost - fall, error)
    state: LayerState = "collapsed" if collapsed >= 0.5 else "falling" if falling >= 0.5 else "stable"
    confidence = {"collapsed": collapsed, "falling": min(falling, 1 - collapsed), "stable": 1 - max(falling, collapsed)}
    parts = course.parts(highest)
    of = "" if course.shapes is None else " of ln D"
    noise = f" beside {seeming / unit:.0%} of noise" if unit > 0 and seeming / unit >= NOISE else ""
    little = f", less than {LEAST:.0%} of ln D" if slight and lost > fall else ""
    share = f"{max(lost, 0):.0%}{of} lost{little}{noise}"
    return LayerFinding(
        name=name,
        state=state,
        onset=None if state == "stable" else course.onset(highest),
        fall=top - last,
        fall_fraction=(top - last) / course.unit,
        scale=parts and parts[0],
        shape=parts and parts[1],
        confidence=confidence[state],
        evidence=f"{course.words(begin, highest)}: {share}; {limit:.0%} is a collapse",
    )
