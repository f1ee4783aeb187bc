"""Every sample looked at once before the first step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rfav_cli.data.sources import SampleOptions, open_source
from rfav_cli.training import reading
from tests.training.samples import load

if TYPE_CHECKING:
    from pathlib import Path


def test_samples_that_do_not_fit_into_memory_are_read_when_they_are_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, _, _ = load(folder)
    monkeypatch.setattr(reading, "_budget", lambda: 100.0)
    read, _, _ = load(folder)
    assert kept.images is not None
    assert read.images is None
    rows = np.array([100, 3, 64, 3])
    np.testing.assert_array_equal(read.read(rows), kept.read(rows))
    assert read.digest == kept.digest


@pytest.mark.parametrize("workers", [0, 1, 5])
def test_looking_through_gives_what_the_source_gives(arrays: Path, workers: int) -> None:
    source = open_source(str(arrays), SampleOptions())
    kept, unreadable, digest = reading.look_through(source, workers)
    assert unreadable == {}
    np.testing.assert_array_equal(kept, source.read(np.arange(200)))
    assert digest == reading.look_through(source, 0)[2]


def test_the_digest_is_of_every_value_and_label(tmp_path: Path) -> None:
    digests = set()
    for change in (None, "images", "labels"):
        content = {"images": np.ones((70, 4), np.float32), "labels": np.arange(70) % 2}
        if change:
            content[change][69] = 0
        np.savez(tmp_path / "a.npz", **content)
        digests.add(load(tmp_path / "a.npz")[0].digest)
    assert len(digests) == 3
