"""Settings that are added to a `pyproject.toml`."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.errors import UsageError
from rfav_cli.project.settings import changed, table, with_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SETTINGS = {"model": "nets.py:make", "probe": 'a "b" \\ c', "model-arg": ["classes=10", "width=4"]}


@given(
    st.dictionaries(st.from_regex(r"[a-z-]{1,8}", fullmatch=True), st.text(st.characters(exclude_categories=["Cs"])))
)
def test_any_text_is_read_as_it_was(settings):
    assert tomllib.loads(table(settings))["tool"]["rfav"] == settings


def test_what_is_there_stays_and_the_settings_are_below(tmp_path):
    path = tmp_path / "pyproject.toml"
    assert tomllib.loads(with_settings(path, SETTINGS)) == {"tool": {"rfav": SETTINGS}}
    before = '# mine\n[project]\nname = "x"\n[tool.other]\na = 1'
    path.write_text(before)
    after = with_settings(path, SETTINGS)
    assert after.startswith(before)
    assert tomllib.loads(after)["tool"] == {"other": {"a": 1}, "rfav": SETTINGS}


def test_settings_that_are_there_already_change_nothing(tmp_path):
    path = tmp_path / "pyproject.toml"
    assert changed(path, SETTINGS) == {path: table(SETTINGS)}
    path.write_text(table(SETTINGS) + "seed = 3\n\n[tool.rfav.check]\nfinal = true\n")
    assert with_settings(path, SETTINGS) == path.read_text()
    assert changed(path, SETTINGS) == {}


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("[tool.rfav]\nseed = 1\n", "has \\[tool.rfav\\] already"),
        ("[tool.rfav.check]\nfinal = true\n", "has \\[tool.rfav\\] already"),
        ("[project\n", "Put it right first"),
        ("tool = {a = 1}\n", "cannot be added at its end"),
        ("tool = 3\n", "has \\[tool.rfav\\] already"),
    ],
)
def test_what_cannot_be_added_to_stays_as_it_is(tmp_path, before, told):
    path = tmp_path / "pyproject.toml"
    path.write_text(before)
    with pytest.raises(UsageError, match=told):
        with_settings(path, SETTINGS)
    assert path.read_text() == before
