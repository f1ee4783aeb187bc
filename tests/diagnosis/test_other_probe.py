"""What two probes differ in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rfav_cli.diagnosis.other_probe import is_same_probe, look_alike, what_differs
from rfav_cli.records import ProbeRecord

LABELS, SEEN = np.arange(6) % 3, np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
PROBE = ProbeRecord("ab", 6, LABELS, SEEN, "probe.npz")
LIKE = "the samples that are kept to look at are the same"
NOT_KNOWN = "whether the samples are the same is not known"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"labels": None}, f"A has labels, B has none; {LIKE}"),
        (
            {"labels": None, "thumbnails": None},
            f"A has labels, B has none; {NOT_KNOWN}",
        ),
        ({"labels": None, "thumbnails": SEEN + 1}, "A has labels, B has none; other samples"),
        ({"labels": None, "size": 1}, "A has labels, B has none; 6 samples in A, 1 in B"),
        ({"labels": 2 - LABELS}, f"the labels are others; {LIKE}"),
        ({"size": 2000}, "6 samples in A, 2,000 in B"),
        ({"thumbnails": SEEN + 1}, "other samples"),
        ({}, "the samples look the same, so they are normalised otherwise, or some that are not kept differ"),
    ],
)
def test_what_differs_is_said(changed: dict[str, Any], words: str) -> None:
    other = replace(PROBE, sha256="cd", **changed)
    assert not is_same_probe(PROBE, other)
    assert what_differs(PROBE, other) == words
    backwards = what_differs(other, PROBE)
    if "labels" in changed and changed["labels"] is None:
        assert backwards.startswith("B has labels, A has none")


def test_the_same_digest_of_as_many_samples_is_the_same_probe() -> None:
    assert is_same_probe(PROBE, replace(PROBE, source="elsewhere"))
    assert not is_same_probe(PROBE, replace(PROBE, size=5))
    assert look_alike(PROBE, replace(PROBE, sha256="cd"))
    assert not look_alike(PROBE, replace(PROBE, thumbnails=SEEN[:0]))
