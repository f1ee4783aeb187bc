from __future__ import annotations

import pytest

from rfav_cli.usual_names import USUAL, is_average, usual_place


@pytest.mark.parametrize(
    "name",
    ["ema", "state_dict_ema", "model_ema", "ema_model.module", "swa_net", "averaged_model", "shadow_params", "net_avg"],
)
def test_averages_are_told_by_their_names(name: str) -> None:
    assert is_average(name)
    assert is_average(name.upper())


@pytest.mark.parametrize("name", ["", "state_dict", "schema", "swap", "schemata.model", "navg", "teacher"])
def test_other_names_are_of_no_averages(name: str) -> None:
    assert not is_average(name)


def test_the_last_part_of_a_name_says_how_usual_it_is() -> None:
    assert usual_place("run.state_dict") < usual_place("state_dict.model") < usual_place("state_dict.student")
    assert usual_place("student") == usual_place("") == len(USUAL)
