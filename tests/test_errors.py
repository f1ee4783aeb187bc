"""Errors."""

from __future__ import annotations

import pickle

from rfav_cli.errors import CheckpointError


def test_an_error_goes_from_process_to_process() -> None:
    error = pickle.loads(pickle.dumps(CheckpointError("a.pt: none", "Give another.")))
    assert (error.what, error.remedy, str(error)) == ("a.pt: none", "Give another.", "a.pt: none\nGive another.")
