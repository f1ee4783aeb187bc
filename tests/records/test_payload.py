"""What was read of a checkpoint file names a kind of network that takes it."""

from __future__ import annotations

import re
from pathlib import Path

from rfav_cli.activations import networks
from rfav_cli.records import Candidate, Payload


def test_the_kinds_that_are_described_are_those_that_there_are() -> None:
    (described,) = re.findall(r"kind: [^\n]*", Payload.__doc__ or "")
    assert set(re.findall(r'"(\w+)"', described)) == set(networks.KINDS)


def test_a_file_that_says_nothing_more_has_no_epoch_and_no_notes() -> None:
    payload = Payload("eager", Path("epoch_3.pt"), [Candidate("model", {})])
    assert (payload.epoch, payload.notes) == (None, ())
    assert payload == Payload("eager", Path("epoch_3.pt"), [Candidate("model", {})])
