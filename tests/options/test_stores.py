"""Options of what reads stores."""

from __future__ import annotations

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options import Compare, Plot, Recommend, Report, Show, options_of
from rfav_cli.records import RULES
from rfav_cli.render.figures import FIGURES


def test_the_usual_store_is_read_where_none_is_named() -> None:
    assert (Show().path, Recommend().path) == ("rfav.h5", "rfav.h5")
    assert tuple(map(str, Report().paths)) == tuple(map(str, Plot().stores)) == ("rfav.h5",)


def test_a_comparison_needs_both_stores() -> None:
    with pytest.raises(TypeError, match="path_b"):
        Compare("a.h5")  # type: ignore[call-arg]


def test_figures_and_rules_are_those_of_their_tables() -> None:
    assert dict(options_of(Plot))["figure"].names_of_choices() == FIGURES
    assert dict(options_of(Recommend))["rule"].names_of_choices() == RULES


@pytest.mark.parametrize(("name", "value"), [("width", 0.5), ("width", 51), ("dpi", 9), ("dpi", 2401)])
def test_a_figure_has_a_size_that_can_be_drawn(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"--{name} {value}: out of range"):
        Plot(**{name: value})
