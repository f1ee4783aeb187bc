"""What two probes differ in, as far as their records tell: a digest says that they do, and not in what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.text import count

if TYPE_CHECKING:
    from rfav_cli.records import ProbeRecord


def is_same_probe(a: ProbeRecord, b: ProbeRecord) -> bool:
    """Whether two runs were measured on the same samples with the same labels."""
    return (a.sha256, a.size) == (b.sha256, b.size)


def look_alike(a: ProbeRecord, b: ProbeRecord) -> bool:
    """Whether two probes have as many samples, and those that are kept to look at are the same."""
    one, other = a.thumbnails, b.thumbnails
    return a.size == b.size and one is not None and other is not None and len(one) > 0 and np.array_equal(one, other)


def what_differs(a: ProbeRecord, b: ProbeRecord) -> str:
    """What two probes that are not the same differ in: labels, number, samples or how those enter the net."""
    alike = look_alike(a, b)
    if (a.labels is None) != (b.labels is None):
        labelled = f"{'B' if a.labels is None else 'A'} has labels, {'A' if a.labels is None else 'B'} has none"
        if alike:
            return f"{labelled}; the samples that are kept to look at are the same"
        if a.size == b.size and (a.thumbnails is None or b.thumbnails is None):
            return f"{labelled}; whether the samples are the same is not known"
        return f"{labelled}; {_samples(a, b)}"
    if a.size == b.size and a.labels is not None and b.labels is not None and not np.array_equal(a.labels, b.labels):
        return "the labels are others" + ("; the samples that are kept to look at are the same" if alike else "")
    if alike:
        return "the samples look the same, so they are normalised otherwise, or some that are not kept differ"
    return _samples(a, b)


def _samples(a: ProbeRecord, b: ProbeRecord) -> str:
    return f"{count(a.size, 'sample')} in A, {b.size:,} in B" if a.size != b.size else "other samples"
