"""Groups of options that commands share."""

from __future__ import annotations

from dataclasses import fields

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options import Hyperparameters, Measured, Net, Samples
from rfav_cli.options.groups import Device, ProbeSize, Recording


@pytest.mark.parametrize(("size", "samples"), [("auto", None), (64, 64)])
def test_a_batch_that_suits_has_no_size(size: int | str, samples: int | None) -> None:
    assert Recording(batch_size=size).samples_a_forward == samples


def test_what_is_measured_holds_the_groups_that_it_is_made_of() -> None:
    names = {field.name for field in fields(Measured)}
    for group in (Samples, ProbeSize, Device, Recording):
        assert {field.name for field in fields(group)} <= names
    assert "i_trust_this_pickle" in {field.name for field in fields(Net)} - names


def test_a_record_takes_what_it_shares_with_another_and_what_is_changed() -> None:
    measured = Measured(resize=32, layers=["a"], maps=5)
    samples = Samples.of(measured, gray=True)
    assert (samples.resize, samples.gray, samples.mean) == (32, True, None)


@pytest.mark.parametrize(("group", "name"), [(ProbeSize, "probe_size"), (Hyperparameters, "epochs")])
def test_a_number_below_its_range_is_refused_by_name(group: type, name: str) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} 0: out of range"):
        group(**{name: 0})
