"""Of which make a net is, as its store tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rfav_cli.diagnosis.make_of_net import make_of_net
from tests.diagnosis.runs import EPOCHS, make_run


def test_the_first_batch_normalisation_tells() -> None:
    plain = make_run()
    assert make_of_net(plain) == "not known"  # a program names no model, and may have one
    eager = replace(plain, run=replace(plain.run, settings=replace(plain.run.settings, model="nets:make")))
    assert make_of_net(eager) == "plain"
    normalised = replace(eager, columns={**eager.columns, "probe/norm_shift": np.full(len(EPOCHS), np.nan)})
    assert make_of_net(normalised) == "normalised"
