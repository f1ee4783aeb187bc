"""What torch.save was given as samples; hostile files are in `sources/test_hostile.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.data.torch_files import as_array, tensors
from rfav_cli.errors import SampleError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("held", "names"),
    [
        (torch.zeros(3), ["images"]),
        ((torch.zeros(3), torch.ones(3)), ["images", "labels"]),
        ({1: torch.ones(2)}, ["1"]),
    ],
)
def test_what_a_file_holds_by_its_name(held: object, names: list[str], tmp_path: Path) -> None:
    torch.save(held, tmp_path / "x.pt")
    assert list(tensors(tmp_path / "x.pt")) == names


def test_anything_else_is_said(tmp_path: Path) -> None:
    torch.save("text", tmp_path / "x.pt")
    with pytest.raises(SampleError, match=r"x\.pt: holds a str"):
        tensors(tmp_path / "x.pt")


def test_numbers_that_are_repeated_without_end_are_no_array(tmp_path: Path) -> None:
    assert as_array(tmp_path, "x", torch.ones(2, dtype=torch.bfloat16)).tolist() == [1, 1]
    with pytest.raises(SampleError, match="'x': refused, its 4 bytes stand for"):
        as_array(tmp_path, "x", torch.ones(1).expand(10**9))
