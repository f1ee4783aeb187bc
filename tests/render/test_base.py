from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rfav_cli.errors import RfavError
from rfav_cli.render import FORMATS, Screen
from rfav_cli.render.base import shorten, sparkline
from rfav_cli.text import whole
from tests.render.conftest import make_history, shown


def test_every_format_is_found() -> None:
    for name in FORMATS:
        assert shown(make_history(), name).endswith("\n")


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(RfavError, match="no 'yaml'") as error:
        shown(make_history(), "yaml")
    assert "table, json, csv" in error.value.remedy


@given(st.text(max_size=60), st.integers(2, 40), st.sampled_from(["utf-8", "ascii", "cp1252"]))
def test_shortened_text_fits_and_keeps_its_end(text: str, width: int, encoding: str) -> None:
    short = shorten(text, width, Screen(encoding=encoding))
    assert cell_len(short) <= width
    long = Screen(encoding=encoding).encodable(whole(text))
    assert short == long or long.endswith(short[1:])


def test_shortening_a_name_of_megabytes_is_quick() -> None:
    assert shorten("a" * 5_000_000, 5, Screen()) == "…aaaa"


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=1, max_size=200), st.integers(1, 50))
def test_a_sparkline_has_a_mark_an_epoch_until_they_do_not_fit(values: list[float], width: int) -> None:
    for encoding in ("utf-8", "ascii"):
        line = sparkline(np.array(values), 0.0, 1.0, width, Screen(encoding=encoding))
        assert len(line) == min(len(values), width)
        if len(values) <= width:
            assert [mark == " " for mark in line] == [value != value for value in values]


def test_a_sparkline_spans_its_scale() -> None:
    assert sparkline(np.linspace(0, 1, 8), 0.0, 1.0, 8, Screen()) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.array([3.0, 3.0]), 3.0, 3.0, 8, Screen()) == "▁▁"
    assert sparkline(np.array([0.0, 1.0, np.nan, 1.0]), 0.0, 1.0, 2, Screen()) == "▅█"
