"""The record of a doubt."""

import dataclasses

import pytest

from rfav_cli.records import DOUBT_KINDS, Doubt


def test_a_doubt_is_a_value() -> None:
    one = Doubt("chance", "fc1", "two forwards of the same samples differ", "Give training=self.training.", 1.0)
    assert one == dataclasses.replace(one)
    assert one != dataclasses.replace(one, where="fc2")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.kind = "batch"  # type: ignore[misc]


def test_no_kind_is_there_twice() -> None:
    assert len(DOUBT_KINDS) == len(set(DOUBT_KINDS))
