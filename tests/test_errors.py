"""Errors."""

from __future__ import annotations

import pickle

import pytest

from rfav_cli.errors import CheckpointError, remedy_for


def test_an_error_goes_from_process_to_process() -> None:
    error = pickle.loads(pickle.dumps(CheckpointError("a.pt: none", "Give another.")))
    assert (error.what, error.remedy, str(error)) == ("a.pt: none", "Give another.", "a.pt: none\nGive another.")


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (PermissionError(13, "Permission denied"), "Make it readable"),
        (FileNotFoundError(2, "No such file"), "Give a file that exists"),
        (MemoryError(), "Free some memory"),
        (OSError(5, "Input/output error"), "Download it anew"),
        (ValueError("no numbers"), "Download it anew"),
    ],
)
def test_a_file_is_called_damaged_only_where_nothing_else_is_known(error: Exception, remedy: str) -> None:
    assert remedy_for(error, "Download it anew.").startswith(remedy)
