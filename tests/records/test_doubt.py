"""The record of a doubt."""

import dataclasses

import pytest

from rfav_cli.records import DOUBT_KINDS, Derived, Doubt


def test_a_doubt_is_a_value() -> None:
    one = Doubt("chance", "fc1", "two forwards of the same samples differ", "Give training=self.training.", 1.0)
    assert one == dataclasses.replace(one)
    assert one != dataclasses.replace(one, where="fc2")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.kind = "batch"  # type: ignore[misc]


def test_no_kind_is_there_twice() -> None:
    assert len(DOUBT_KINDS) == len(set(DOUBT_KINDS))


def test_a_doubt_is_told_on_one_line_with_where_and_what_to_do() -> None:
    doubt = Doubt("run", "epoch 3", "it is of another run", "Leave it out.", 1.0)
    assert doubt.sentence == "epoch 3: it is of another run. Leave it out."
    assert dataclasses.replace(doubt, where="").sentence == "it is of another run. Leave it out."


def test_nothing_is_derived_from_nothing() -> None:
    assert Derived() == Derived((), {})
