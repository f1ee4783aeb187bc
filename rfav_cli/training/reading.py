"""Every sample of a source read once: what cannot be read is found before the first step, not after hours."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.data.sources.base import only
from rfav_cli.errors import SampleError
from rfav_cli.records import Ranks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from rfav_cli.data.sources.base import Samples, Source

CHUNK = 64
"""Samples that are read at once."""


@dataclass(frozen=True, eq=False)
class _Chunk:
    """What became of some samples: which could be read, those, and why the others could not."""

    rows: NDArray[np.int64]
    samples: Samples | None
    problems: Mapping[int, str]


def look_through(source: Source, workers: int) -> tuple[Samples | None, dict[int, str], str]:
    """Read every sample once.

    Args:
        source: the samples.
        workers: threads that decode.

    Returns:
        All samples, where they fit into memory and are of one type (what cannot be read is 0), else None; why samples
        cannot be read, by number; SHA-256 in hex of samples and labels.

    Raises:
        SampleError: samples differ in their shape.
    """
    unreadable: dict[int, str] = {}
    images: Samples | None = None
    first: _Chunk | None = None
    sha = hashlib.sha256()
    for chunk in _chunks(source, workers):
        unreadable |= chunk.problems
        if chunk.samples is None:
            continue
        if first is None or first.samples is None:
            first, images = chunk, _room_for(len(source), chunk.samples)
        elif first.samples.shape[1:] != chunk.samples.shape[1:]:
            source.read(np.asarray([first.rows[0], chunk.rows[0]]))  # raises an error that names both
        if images is not None and images.dtype != chunk.samples.dtype:  # bytes beside pixels of 16 bits
            images = None
        if images is not None:
            images[chunk.rows] = chunk.samples
        sha.update(np.ascontiguousarray(chunk.samples).tobytes())
    readable = np.setdiff1d(np.arange(len(source)), np.fromiter(unreadable, np.int64))
    if len(readable) and (labels := source.labels_of(readable)) is not None:
        sha.update(labels.astype("<i8").tobytes())
    return images, unreadable, sha.hexdigest()


def _chunks(source: Source, workers: int) -> Iterator[_Chunk]:
    """The samples in their order, some chunks ahead of who takes them."""
    rows = [np.arange(start, min(start + CHUNK, len(source))) for start in range(0, len(source), CHUNK)]
    if not workers:
        yield from (_read_chunk(source, numbers) for numbers in rows)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        for start in range(0, len(rows), 4 * workers):
            yield from pool.map(_read_chunk, repeat(source), rows[start : start + 4 * workers])


def _room_for(count: int, samples: Samples) -> Samples | None:
    """Zeros for so many samples like these, channels last in memory; None where they would not fit."""
    _, channels, *rest = samples.shape
    if float(np.prod(samples.shape[1:], dtype=np.float64)) * samples.itemsize * count > _budget():
        return None
    room: Samples = np.moveaxis(np.zeros((count, *rest, channels), samples.dtype), -1, 1)
    return room


def _read_chunk(source: Source, rows: NDArray[np.int64]) -> _Chunk:
    try:
        return _Chunk(rows, only(source.read(rows)), {})
    except SampleError:
        problems = {int(row): what for row in rows if (what := _problem(source, row))}
        if not problems:
            raise
    left = np.setdiff1d(rows, list(problems))
    return _Chunk(left, only(source.read(left)) if len(left) else None, problems)


def _problem(source: Source, row: int) -> str:
    try:
        source.read(np.asarray([row]))
    except SampleError as error:
        return error.what
    return ""


def _budget() -> float:
    """Bytes that the samples may take: half of the memory of the machine or of the container, for all ranks."""
    limits: list[float] = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):  # not Linux, or no limit ("max")
        limits.append(float(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(limits, default=8 * 1024**3) / 2 / Ranks.of_torchrun().local_world
