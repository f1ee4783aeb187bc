from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from tests.checkpoints.inspection.files import Calls, levels, messages, scanned

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_one_in_each_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(pickle.dumps({"a": Calls(), "b": list(range(3000))}, protocol))
    file = scanned(path, expected=False)
    assert file.format == "pickle"
    assert "danger" in levels(file)


def test_arrays_and_tensors_in_it_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"a": np.zeros((2, 3), "f4"), "b": torch.ones(3)}))
    file = scanned(path, expected=False)
    assert (file.findings, file.opens, file.why_not) == ((), False, "a pickle that torch.save did not write")
    assert {tensor.name: tensor.shape for tensor in file.tensors.first} == {"a": (2, 3), "b": (3,)}
    assert levels(scanned(path)) == {"refused"}  # where a checkpoint is to be there


def test_a_pickle_that_is_an_archive_as_well_is_never_clean(tmp_path: Path) -> None:
    archive = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, archive)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([1]) + archive.getvalue())
    file = scanned(tmp_path / "a.pkl", expected=False)
    assert "is a zip archive as well" in messages(file)
    assert "incomplete" in levels(file)


def test_pickles_that_follow_one_another_are_all_walked_through(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([1]) + pickle.dumps(Calls()))
    assert {"danger", "note"} <= levels(scanned(tmp_path / "a.pkl"))


def test_text_is_none(tmp_path: Path) -> None:
    for text in ("(see below)\n", "I am\n", "c = 1\nd = 2\n", "]\n", ".\n", "N.B.\n", "Lorem ipsum\n", "}\n" * 4000):
        (tmp_path / "a").write_text(text)
        assert scanned(tmp_path / "a", expected=False).format == "known", text
