"""Batches of an epoch: their order and augmentation follow from seed and epoch alone, whoever prepares them."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from rfav_cli.data.probe import to_input
from rfav_cli.errors import UsageError
from rfav_cli.records import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from rfav_cli.data.sources.base import Samples
    from rfav_cli.records import Ranks
    from rfav_cli.training.data import Part

    Prepare = Callable[[slice], tuple[Samples, NDArray[np.int64]]]
    Batch = tuple[Tensor, Tensor]

AUGMENTATIONS = ("flip", "crop")
"""Left and right swapped in half of the images; shifted by up to an eighth of the side, with black at the edges."""


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of a part; where several ranks train, this one's share of each.

    Attributes:
        part: the samples.
        size: samples a batch; a last one that would be alone joins the batch before, since batch normalisation cannot
            normalise one.
        seed: of the order and the augmentation.
        augment: names out of `AUGMENTATIONS`.
        workers: threads that prepare batches while others are used; 0 for none.
        ranks: the ranks that share each batch.
        channels_last: the net takes images in that memory format.
    """

    part: Part
    size: int
    seed: int = 0
    augment: tuple[str, ...] = ()
    workers: int = 0
    ranks: Ranks = ALONE
    channels_last: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be done.

        Raises:
            UsageError: an augmentation is unknown, or the samples are no images.
        """
        unknown = [name for name in self.augment if name not in AUGMENTATIONS]
        if unknown:
            raise UsageError(f"--augment: there is no {unknown[0]!r:.60}", f"Give {' or '.join(AUGMENTATIONS)}.")
        if self.augment and not self.part.source.is_image:
            raise UsageError(f"--augment {self.augment[0]}: is for images", "Leave --augment out.")
        if self.size < self.ranks.world:
            raise UsageError(
                f"--batch-size {self.size}: is shared by {self.ranks.world} ranks",
                "Give each a sample at least: it is the size of the whole batch.",
            )

    def __len__(self) -> int:
        return len(self._bounds)

    def samples(self, number: int) -> int:
        """Samples in a batch of an epoch, all shares together."""
        return len(range(len(self.part))[self._bounds[number]])

    def weight(self, number: int) -> float:
        """Which part of the batch of a number this rank has."""
        return _share(self._bounds[number], self.ranks)[1]

    def shuffled(self, epoch: int, start: int, device: torch.device) -> Iterator[Batch]:
        """The batches of an epoch from number `start` on: samples as they enter the net, and labels (n,) int64.

        The same seed and epoch give the same batches, whoever shares them.
        """
        rng = np.random.Generator(np.random.PCG64([self.seed, epoch + 1]))
        order = rng.permutation(len(self.part))
        flips = rng.random(len(order)) < 0.5
        shifts = rng.random((len(order), 2))

        def prepare(bounds: slice) -> tuple[Samples, NDArray[np.int64]]:
            rows = order[bounds]
            images = self.part.read(rows)
            if self.augment:
                images = augmented(
                    images,
                    flips[bounds] if "flip" in self.augment else None,
                    shifts[bounds] if "crop" in self.augment else None,
                )
            return images, self.part.labels[rows]

        own = [_share(bounds, self.ranks)[0] for bounds in self._bounds[start:]]
        yield from self._prepared(prepare, own, device)

    def in_order(self, device: torch.device) -> Iterator[Batch]:
        """The samples in their order, without augmentation; of several ranks each has whole batches."""

        def prepare(bounds: slice) -> tuple[Samples, NDArray[np.int64]]:
            return self.part.read(np.arange(bounds.start, bounds.stop)), self.part.labels[bounds]

        yield from self._prepared(prepare, self._bounds[self.ranks.rank :: self.ranks.world], device)

    @cached_property  # asked for several times a step
    def _bounds(self) -> Sequence[slice]:
        starts = list(range(0, len(self.part), self.size))
        if self.size > 1 and len(starts) > 1 and len(self.part) - starts[-1] == 1:
            starts.pop()
        return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(self.part)], strict=True)]

    def _prepared(self, prepare: Prepare, bounds: Sequence[slice], device: torch.device) -> Iterator[Batch]:
        if not self.workers:
            for batch in bounds:
                yield self._input(prepare(batch), device)
            return
        with ThreadPoolExecutor(self.workers, thread_name_prefix="batches") as pool:
            waiting = deque(pool.submit(prepare, batch) for batch in bounds[: 2 * self.workers])
            try:
                for number in range(len(bounds)):
                    prepared = waiting.popleft().result()
                    if number + 2 * self.workers < len(bounds):
                        waiting.append(pool.submit(prepare, bounds[number + 2 * self.workers]))
                    yield self._input(prepared, device)
            finally:
                for future in waiting:
                    future.cancel()

    def _input(self, prepared: tuple[Samples, NDArray[np.int64]], device: torch.device) -> Batch:
        images, labels = prepared
        samples = torch.from_numpy(images).to(device)
        inputs = to_input(samples, self.part.mean, self.part.std, channels_last=self.channels_last)
        return inputs, torch.from_numpy(labels).to(device)


def _share(bounds: slice, ranks: Ranks) -> tuple[slice, float]:
    """A rank's samples of a batch, and which part of it they are.

    Batch normalisation cannot normalise one sample, so nobody has one alone; whoever has none for that reason takes
    part with samples of others, which count nothing.
    """
    size = bounds.stop - bounds.start
    sharing = max(1, min(ranks.world, size // 2))
    if ranks.rank >= sharing:
        return slice(bounds.start, min(bounds.start + 2, bounds.stop)), 0.0
    first, last = (size * number // sharing for number in (ranks.rank, ranks.rank + 1))
    return slice(bounds.start + first, bounds.start + last), (last - first) / size


def augmented(images: Samples, flips: NDArray[np.bool_] | None, shifts: NDArray[np.float64] | None) -> Samples:
    """Images flipped and shifted, each by its own draw.

    Args:
        images: (n, C, H, W).
        flips: (n,), which are flipped from left to right; None for none.
        shifts: (n, 2) within [0, 1): where within `side // 8` pixels up, down, left and right an image is moved to;
            None for no shift. Pixels from outside are 0.

    Returns:
        (n, C, H, W), channels last in memory.
    """
    count, channels, height, width = images.shape
    rows = np.tile(np.arange(height), (count, 1))
    columns = np.tile(np.arange(width), (count, 1))
    pixels: Samples = np.moveaxis(images, 1, -1)
    if shifts is not None:
        pad = height // 8, width // 8
        padded: Samples = np.zeros((count, height + 2 * pad[0], width + 2 * pad[1], channels), images.dtype)
        padded[:, pad[0] : pad[0] + height, pad[1] : pad[1] + width] = pixels
        pixels = padded
        rows += np.floor(shifts[:, :1] * (2 * pad[0] + 1)).astype(np.int64)
        columns += np.floor(shifts[:, 1:] * (2 * pad[1] + 1)).astype(np.int64)
    if flips is not None:
        columns = np.where(flips[:, None], columns[:, ::-1], columns)
    result: Samples = pixels[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return np.moveaxis(result, -1, 1)
