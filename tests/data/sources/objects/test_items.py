"""Items taken apart."""

from __future__ import annotations

from collections import UserDict, namedtuple

import numpy as np
import pytest
import torch
from PIL import Image

from rfav_cli.data.sources.objects.items import Unclear, as_array, take_apart

X = torch.zeros(2, 3)
Pair = namedtuple("Pair", "x y")


@pytest.mark.parametrize(
    ("item", "inputs", "label"),
    [
        (X, ["0"], None),
        ((X,), ["0"], None),
        ((X, 1), ["0"], 1),
        ([X, 1], ["0"], 1),
        (Pair(X, 1), ["0"], 1),
        (((X, X), 1), ["0", "1"], 1),
        (({"a": X, "b": X}, 1), ["a", "b"], 1),
        ((X, X[0].long(), 1), ["0", "1"], 1),
        ({"x": X, "y": 1}, ["0"], 1),
        (UserDict(input_ids=[1, 2, 3], attention_mask=[1, 1, 1], Labels=1), ["input_ids", "attention_mask"], 1),
        ({"image": X, "target": 1, "path": "a.png", "idx": 5, "none": None}, ["0"], 1),
        ([1, 2, 3], ["0"], None),
        (7.5, ["0"], None),
    ],
)
def test_forms(item, inputs, label):
    apart = take_apart(item)
    assert (list(apart.inputs), apart.label) == (inputs, label)


def test_what_does_not_enter_is_named():
    assert take_apart({"image": X, "label": 1, "path": "a", "index": 5}).left == ("path", "index")


@pytest.mark.parametrize(
    ("item", "what"),
    [
        ((X, 1, 5), "3 parts"),
        ((X, 0.5, 0.5), "3 parts"),
        ({"x": X, "label": 1, "target": 1}, "which of 'label', 'target'"),
        ({"label": 1}, "no input among 'label'"),
        ({}, "no input among nothing"),
    ],
)
def test_what_is_unclear(item, what):
    with pytest.raises(Unclear, match=what) as caught:
        take_apart(item)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (torch.zeros(2, dtype=torch.bfloat16), np.float32),
        (torch.zeros(2, dtype=torch.float64, requires_grad=True), np.float32),
        (np.zeros(2, np.float16), np.float32),
        (torch.zeros(2, dtype=torch.int32), np.int64),
        (torch.zeros(2, dtype=torch.bool), np.int64),
        (torch.zeros(2, dtype=torch.uint8), np.uint8),
        ([1, 2], np.int64),
        (3, np.int64),
        (0.5, np.float32),
    ],
)
def test_types(value, dtype):
    assert as_array(value).dtype == dtype


@pytest.mark.parametrize("value", ["a", [[1], [1, 2]], object(), torch.zeros(2).to_sparse(), torch.zeros(2) * 1j])
def test_what_is_no_numbers(value):
    with pytest.raises(Unclear):
        as_array(value)


def test_a_picture_is_no_array():
    with pytest.raises(TypeError):
        as_array(Image.new("L", (2, 2)))
