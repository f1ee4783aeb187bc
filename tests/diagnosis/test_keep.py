"""Which checkpoint is kept: `tests/diagnosis/test_advice.py` has its words; here what there is to choose from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rfav_cli.diagnosis.best import courses
from rfav_cli.diagnosis.keep import candidates, find_kept, keep_words
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import Onset, RunFinding, Verdict
from tests.diagnosis.conftest import TOP, make_history, sample_losses

EPOCHS = np.arange(-1, 10)


def run(*, gone: int | None = None):
    """A run of ten epochs and the one before; from `gone` on its loss is NaN."""
    losses = sample_losses(np.linspace(2.3, 1.0, len(EPOCHS)))
    if gone is not None:
        losses[gone <= EPOCHS] = np.nan
    return make_history(EPOCHS, {"fc": np.full(len(EPOCHS), TOP)}, losses)


def test_candidates_are_trained_sound_and_from_before_a_break():
    healthy = Verdict(RunFinding("healthy", ""), ())
    assert EPOCHS[candidates(run(), healthy)].tolist() == list(range(10))
    assert EPOCHS[candidates(run(gone=7), healthy)].tolist() == list(range(7))
    broken = Verdict(RunFinding("broken", "", onset=Onset(4, 4, 4)), ())
    assert EPOCHS[candidates(run(), broken)].tolist() == list(range(4))


@pytest.mark.parametrize("state", ["not learning", "unknown"])
def test_where_nothing_was_learnt_nothing_is_kept(state):
    history = run()
    assert find_kept(history, Verdict(RunFinding(state, ""), ()), Thresholds(), courses(history), ()) is None


def test_a_loss_without_bounds_is_told_in_few_digits():
    history, judged = run(), Verdict(RunFinding("healthy", ""), ())
    history = replace(history, columns={**history.columns, "probe/loss": np.full(len(EPOCHS), 1e30)})
    kept = find_kept(history, judged, Thresholds(), courses(history), ())
    assert kept.checkpoint.epoch == 9
    assert "loss 1.0e+30" in keep_words(history, judged, kept)
