"""Notes on units; `test_probe.py` has them of whole probes."""

from __future__ import annotations

import types

import numpy as np
import pytest

from rfav_cli.data.unit_notes import notes_of_units
from rfav_cli.data.units import WORDS


def notes(highest, dtype=np.float32, mean=None, std=None, **known):
    source = types.SimpleNamespace(**({"is_image": True, "as_is": False, "scale": None} | known))
    return " ".join(notes_of_units(source, np.full((1, 1, 2, 2), highest, dtype), mean, std))


def test_floating_point_images_of_large_values_are_pointed_at():
    assert "up to 200 are taken as they are" in notes(200)
    for quiet in (notes(16), notes(200, mean=(120.0,)), notes(200, np.uint8), notes(200, as_is=True)):
        assert quiet == ""
    assert notes(200, is_image=False) == ""


@pytest.mark.parametrize(("mean", "told"), [(None, "give --std 0.0624"), ((0.5,), "give --mean 0.0312"), ((0.01,), "")])
def test_fewer_bits_than_sixteen_are_told_with_what_to_give(mean, told):
    said = notes(4095 / WORDS, scale=WORDS, mean=mean, std=None if mean is None else (0.5 if told else 0.01,))
    assert "divided by 65535" in said
    assert told in said
    assert ("give" in said) is bool(told)
