"""What a few small forwards show of a net: whether chance, the batch or the memory format changes what it gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from rfav_cli.activations.layer_kinds import NOT_FIRST, PARTIAL, UNUSED
from rfav_cli.activations.recording import OUTPUT, Recording, differences, record
from rfav_cli.errors import ModelError, RfavError
from rfav_cli.inputs import changed, count, joined, taken
from rfav_cli.records import Doubt, SkippedLayer
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from torch import Tensor

    from rfav_cli.activations.network import Network, Trace
    from rfav_cli.inputs import Inputs

SAMPLES = 8
"""How many samples are run, where there are as many and their activations are not too large."""

MOST_VALUES = 2**25
"""How many numbers the activations of these may have in all: 128 MiB."""

MOST_REPEATS = 48
"""How many forwards of the same samples show that numbers that a net draws do not matter: what chance changes in
one forward of ten escapes them in one net of a hundred."""

ROUNDING_OF_FORMATS = 1e-4
"""The most by which a layer's values may differ between two memory formats, as `differences` tells it: root mean square
of the difference, relative."""

ROUNDING_OF_REPEATS = 1e-5
"""The same between two forwards that are alike in all; on a CPU they do not differ at all."""

ROUNDING_OF_BATCHES = 3e-3
"""The same between batches of other samples, or of another number of them, for which GPUs have other algorithms."""


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        trace: of the net, with the layers that only some samples reach among the skipped.
        chance: layer, or `OUTPUT` -> by how much two forwards of the same samples differ.
        batch: layer, or `OUTPUT` -> by how much what a sample gives differs with what else is in its batch.
        statistics: modules that normalise by the statistics of their batch.
    """

    trace: Trace
    chance: Mapping[str, float]
    batch: Mapping[str, float]
    statistics: tuple[str, ...]

    def doubts(self, measured: Collection[str], *, output: bool) -> tuple[Doubt, ...]:
        """What makes the figures doubtful.

        Args:
            measured: the layers whose activations are measured.
            output: the net's output is measured, too.
        """
        names = [layer.name for layer in self.trace.layers if layer.name in measured] + [OUTPUT] * output
        by_chance = [name for name in names if self.chance.get(name, 0.0) > ROUNDING_OF_REPEATS]
        by_batch = [name for name in names if self.batch.get(name, 0.0) > ROUNDING_OF_BATCHES]
        coupled = [name for name in by_batch if name not in by_chance]
        doubts = [self._chance(by_chance[0])] if by_chance else []
        return (*doubts, *([self._coupling(coupled[0])] if coupled else []))

    def _chance(self, first: str) -> Doubt:
        where = f"from {printable(first, 80)} on" if first else f"in what follows {self._last()}"
        amount = _percent(self.chance[first])
        return Doubt(
            "chance",
            first,
            f"two forwards of the same samples differ {where}, {amount}: the figures are not reproducible",
            "Look for what the net draws at random in evaluation mode as well: F.dropout needs training=self.training, "
            "noise and stochastic depth belong under `if self.training`.",
            1.0,
        )

    def _coupling(self, first: str) -> Doubt:
        what = f"what {printable(first, 80)} gives" if first else f"the output, in what follows {self._last()},"
        known = ", ".join(printable(name, 80) for name in self.statistics[:3])
        why = f" ({known}: batch normalisation with track_running_stats=False)" if known else ""
        return Doubt(
            "batch",
            first,
            f"{what} for a sample depends on the other samples of its batch, {_percent(self.batch[first])}{why}",
            "Have the net treat each sample alone in evaluation, as batch normalisation with running statistics does.",
            1.0,
        )

    def _last(self) -> str:
        return printable(self.trace.layers[-1].name, 80) if self.trace.layers else "its layers"


def few(trace: Trace, network: Network, probe: int) -> int:
    """How many samples to examine a net with: an even number, where there is more than one.

    Args:
        trace: says how large a sample's activations are.
        network: may take a few samples only.
        probe: how many there are.
    """
    values = sum(trace.uses[layer.name] * layer.channels * math.prod(layer.positions) for layer in trace.layers)
    most = min(SAMPLES, network.most_samples or SAMPLES, max(2, MOST_VALUES // max(values, 1)), probe)
    return most - most % 2 if most > 1 else most


def examine(network: Network, inputs: Inputs, trace: Trace) -> Examination:
    """Run samples twice, then halves of them in other company and alone; and settle the memory format.

    Args:
        network: the net, traced, in the default memory format where that is not settled yet.
        inputs: (n, ...) on the net's device, n even or 1; see `few`. They stay as they are.
        trace: what it showed.

    Raises:
        ModelError: the net does not run on so many samples, or not again.
    """
    half = count(inputs) // 2
    first = _recorded(network, inputs)
    again = _recorded(network, inputs, seed=1)
    recordings, apart = [first, again], []
    by_chance = _differences_by_chance(network, inputs, first, again)
    if half:
        # Of as many samples as before, so that nothing is rounded otherwise: at another place, or beside one alone.
        doubled = _recorded(network, joined([taken(inputs, slice(half))] * 2))
        # One alone stands between them, so that no two keep their company where a net takes its batch in pieces.
        beside_one = _recorded(network, changed(taken(inputs, slice(half, None)), _beside_the_last))
        recordings += [doubled, beside_one]
        apart = [differences(first.rows(slice(half)), doubled.rows(slice(start, start + half))) for start in (0, half)]
        apart.append(differences(first.rows(slice(half, None)), beside_one.rows(slice(0, None, 2))))
    if half > 1:
        alone = _recorded(network, taken(inputs, slice(half)))
        recordings.append(alone)
        apart.append(differences(first.rows(slice(half)), alone))
    found = _without_partial(trace, recordings)
    settle_format(network, inputs, first)
    return Examination(found, by_chance, _largest(apart), network.batch_statistics())


def _beside_the_last(samples: Tensor) -> Tensor:
    """(n, ...) as (2 n, ...): each with the last one after it."""
    return torch.stack([samples, samples[-1:].expand_as(samples)], 1).flatten(0, 1)


def _differences_by_chance(network: Network, inputs: Inputs, first: Recording, again: Recording) -> dict[str, float]:
    """By how much forwards of the same samples differ; of a net that draws numbers more than two, until some differ."""
    found = differences(first, again)
    for seed in range(2, MOST_REPEATS if first.drew else 0):
        if max(found.values()) > ROUNDING_OF_REPEATS:
            break
        found = differences(first, _recorded(network, inputs, seed))
    return found


def settle_format(network: Network, inputs: Inputs, before: Recording | None = None) -> None:
    """Have a net take its images channels last where it gives the same on these; once.

    Args:
        network: the net, with weights in it.
        inputs: (n, ...) on the net's device, which stay as they are.
        before: what they gave in the default format, where that is known.
    """
    if network.settled:
        return
    if isinstance(inputs, torch.Tensor) and inputs.ndim == 4 and network.has_planes:
        network.use_channels_last(_gives_the_same(network, inputs, before))
    network.settled = True


def _recorded(network: Network, inputs: Inputs, seed: int = 0) -> Recording:
    try:
        return record(network, inputs, seed)
    except (RfavError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # what a net raises can be anything
        raise ModelError(
            f"the net does not run on a batch of {count(inputs)} samples: {named(error, part='last')}",
            "Give a net that takes batches of any size, again and again.",
        ) from error


def _gives_the_same(network: Network, inputs: Inputs, before: Recording | None) -> bool:
    """Whether a net gives the same in both memory formats, to rounding; not where it does not run."""
    try:
        before = before or record(network, inputs)
        network.use_channels_last(True)
        after = record(network, inputs)
    except torch.OutOfMemoryError:
        raise
    except Exception:  # what a net raises can be anything; its owner's format is the one that it runs in
        return False
    if list(after.uses) != list(before.uses) or not before.says_something():
        return False
    return max(differences(before, after).values()) <= ROUNDING_OF_FORMATS


def _largest(several: Iterable[Mapping[str, float]]) -> dict[str, float]:
    largest: dict[str, float] = {}
    for found in several:
        for name, value in found.items():
            largest[name] = max(value, largest.get(name, 0.0))
    return largest


def _without_partial(trace: Trace, recordings: Sequence[Recording]) -> Trace:
    """The trace, with the layers that only some samples reach among the skipped."""
    measured = {
        layer.name: all(found.reached_by_all(layer.name, trace.uses[layer.name]) for found in recordings)
        for layer in trace.layers
    }
    skipped = [SkippedLayer(name, PARTIAL) for name, reached in measured.items() if not reached]
    for layer in trace.skipped:
        shares = {found.share(layer.name) for found in recordings}
        by_some = NOT_FIRST in layer.reason and not _is_as_long(layer.name, recordings)
        partial = by_some or (layer.reason == UNUSED and shares != {0})
        skipped.append(replace(layer, reason=PARTIAL) if partial else layer)
    layers = tuple(layer for layer in trace.layers if measured[layer.name])
    return replace(trace, layers=layers, skipped=tuple(skipped))


def _is_as_long(layer: str, recordings: Sequence[Recording]) -> bool:
    """Whether a layer's first axis is of tokens or windows, not of some samples: as long in all batches or for each."""
    shares = {found.share(layer) for found in recordings}
    lengths = {found.share(layer) * found.samples for found in recordings}
    of_several = len({found.samples for found in recordings}) > 1
    return shares != {0} and (len(shares) == 1 or (of_several and len(lengths) == 1))


def _percent(share: float) -> str:
    """A share in words; of what has another shape there is none."""
    if not math.isfinite(share):
        return "in shape or in what is finite"
    percent = f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"
    return f"by {percent} % of the size of its values"
