from __future__ import annotations

import inspect
from importlib import import_module

import pytest
import torch

from rfav_cli.checkpoints.formats import FOLDERS, FORMATS
from rfav_cli.checkpoints.formats.base import FolderFormat, Format, ReadOptions


def test_nothing_is_trusted_unless_the_user_says_so() -> None:
    assert ReadOptions() == ReadOptions(trust_pickle=False, device=torch.device("cpu"))


FUNCTIONS = [(name, Format, function) for name in FORMATS for function in ("recognises", "read", "stored_epoch")]


@pytest.mark.parametrize(
    ("name", "form", "function"), [*FUNCTIONS, *((name, FolderFormat, "weight_files") for name in FOLDERS)]
)
def test_each_format_has_the_functions_of_one(name: str, form: type, function: str) -> None:
    module = import_module(f"rfav_cli.checkpoints.formats.{name}")
    expected = inspect.signature(getattr(form, function)).parameters
    assert len(inspect.signature(getattr(module, function)).parameters) == len(expected) - 1  # self
