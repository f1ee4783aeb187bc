"""The benchmark of a watched training, short: it is the test that readers meet no error and no part of an epoch."""

from __future__ import annotations

import sys

import pytest

from benchmarks.watching import run


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open cannot be replaced")
def test_readers_meet_no_error_and_no_part_of_an_epoch() -> None:
    found = run(epochs=24, readers=2)
    assert found["epochs"] == 24
    assert found["problems"] == []
    assert min(found["reads"]) > 0
