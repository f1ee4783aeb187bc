"""Figures of ours are told from others by what they say of themselves."""

from __future__ import annotations

import io

import pytest
from matplotlib.figure import Figure

from rfav_cli.render.drawing.files import MARKS, METADATA


def drawn(name: str, **metadata: str | None) -> bytes:
    data = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(data, format=name, metadata=metadata)
    return data.getvalue()


@pytest.mark.parametrize("name", MARKS)
def test_ours_is_told_by_its_own_format_alone(name: str) -> None:
    data = drawn(name, **METADATA[name])
    assert [other for other, mark in MARKS.items() if mark(io.BytesIO(data))] == [name]


@pytest.mark.parametrize("name", MARKS)
def test_another_figure_is_not_ours(name: str) -> None:
    ours = drawn(name, **METADATA[name])
    for data in (drawn(name), b"", b"rfav plot", ours[:8], b"x" + ours):
        assert not MARKS[name](io.BytesIO(data))


def test_a_document_that_holds_our_figure_or_was_changed_since_is_not_ours() -> None:
    ours = drawn("pdf", **METADATA["pdf"])
    thesis = b"%PDF-1.4\n" + ours + b"9 0 obj\n<< /Creator (a thesis) >>\nendobj\n"
    assert not MARKS["pdf"](io.BytesIO(thesis + b"xref\ntrailer\nstartxref\n%d\n%%%%EOF\n" % len(thesis)))
    assert not MARKS["pdf"](io.BytesIO(ours + b"1 0 obj\n<< >>\nendobj\nstartxref\n99\n%%EOF\n"))
    assert not MARKS["pdf"](io.BytesIO(b"%PDF-1.4\nstartxref\n999999999999\n%%EOF\n"))
