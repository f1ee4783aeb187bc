"""Tensors and arrays in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rfav_cli.data.sources import SampleOptions
from rfav_cli.data.sources.arrays import ArraySource
from rfav_cli.data.sources.base import Location
from rfav_cli.data.sources.objects.arrays import in_memory, is_array
from rfav_cli.data.sources.objects.source import ObjectSource
from rfav_cli.errors import SampleError

LOCATION = Location("mine", Path())


def opened(value, **options):
    return in_memory(value, LOCATION, SampleOptions(**options))


def test_arrays_of_numpy_are_read_as_a_file_of_them():
    images = np.zeros((4, 6, 5, 3), np.float32)
    source = opened((images, np.arange(4)))
    assert isinstance(source, ArraySource)
    assert source.read(np.arange(2)).shape == (2, 3, 6, 5)
    with pytest.raises(SampleError, match=r"mine: .*--layout|mine.*axes cannot be told"):
        opened(np.zeros((4, 6, 5), np.float32))
    assert opened(np.zeros((4, 6, 5), np.float32), layout="nct").read(np.arange(1)).shape == (1, 6, 5)


def test_tensors_are_taken_as_they_are():
    source = opened((torch.zeros(4, 6, 5, 3), torch.arange(4)))
    assert isinstance(source, ObjectSource)
    assert source.read(np.arange(2)).shape == (2, 6, 5, 3)


def test_whole_numbers_stay_so():
    for ids in (torch.arange(12).reshape(4, 3), np.arange(12).reshape(4, 3)):
        assert opened(ids).read(np.array([1])).tolist() == [[3, 4, 5]]
        assert opened(ids).read(np.array([1])).dtype == np.int64


def test_what_is_in_memory_and_what_is_not():
    assert is_array(torch.zeros(1))
    assert not is_array(torch.zeros(()))
    for value in ([torch.zeros(2)] * 3, [], (1, 2), {"a": 1}, "text", None, [(torch.zeros(2), 1)] * 2):
        assert opened(value) is None
