"""A description is its document, with what the document was made of beside it."""

from __future__ import annotations

import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.records import Description
from rfav_cli.render.document import show_document
from tests.render.conftest import make_history


def test_it_is_asked_as_its_document_is() -> None:
    history = make_history()
    verdict = judge(history)
    description = Description(history, verdict, show_document(history, verdict))
    for key, value in description.document.items():
        assert description[key] == value
    assert description["run"]["state"] == verdict.run.state
    with pytest.raises(KeyError):
        description["nothing"]


def test_what_is_long_is_left_out_of_its_words() -> None:
    history = make_history()
    text = repr(Description(history, judge(history), {"secret": "x" * 10_000}))
    assert "secret" not in text
    assert repr(history) in text
