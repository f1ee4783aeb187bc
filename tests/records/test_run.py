"""What never changes in a run: layers with their largest entropy, and settings that a store can hold."""

from __future__ import annotations

import math
from dataclasses import asdict, fields

import pytest

from rfav_cli.records import Layer, Settings


@pytest.mark.parametrize("channels", [1, 2, 32, 4096])
def test_the_largest_entropy_is_that_of_equal_shares(channels: int) -> None:
    shares = [1 / channels] * channels
    layer = Layer("conv1", "Conv2d", channels, (channels, 3, 3, 3), (8, 8))
    assert layer.max_entropy == pytest.approx(-sum(share * math.log(share) for share in shares), abs=1e-9)


def test_one_filter_has_no_entropy() -> None:
    assert Layer("conv1", "Conv2d", 1, (1, 3, 3, 3), ()).max_entropy == 0.0


def test_each_setting_has_a_default_which_older_stores_are_read_with() -> None:
    """They are kept as attributes of the file, of the type of their default."""
    assert asdict(Settings()).keys() == {field.name for field in fields(Settings)}
    assert {type(value) for value in asdict(Settings()).values()} <= {bool, int, str}


def test_settings_are_the_same_where_their_values_are() -> None:
    assert Settings() == Settings(False, "pearson", True, "", "", 32, True)
    changed = [Settings(with_bias=True), Settings(centering="paper"), Settings(fold_norm=False), Settings(maps=0)]
    assert len({Settings(), *changed}) == 5
