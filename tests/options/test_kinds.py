"""Types in the words of annotations, for values that no type checker has seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rfav_cli.options import kinds
from rfav_cli.records import ALONE


@pytest.mark.parametrize(
    ("value", "annotation", "fits"),
    [
        ("a", "str", True),
        (Path("a"), "str", False),
        (Path("a"), "str | Path", True),
        (None, "str | None", True),
        (None, "str", False),
        (True, "bool", True),
        (1, "bool", False),
        (print, "Callable[[Any], None]", True),
        ("print", "Callable[[Any], None]", False),
        (ALONE, "Ranks", True),
        (object(), "Ranks", False),
        (object(), "Any", True),
        (("a", Path("b")), "Sequence[str | Path]", True),
        (["a", 3], "Sequence[str | Path]", False),
        ("ab", "Sequence[str]", False),
        (("a",), "tuple[str, ...]", True),
    ],
)
def test_whether_a_value_fits(value: Any, annotation: str, fits: bool) -> None:
    assert kinds.fits(value, annotation) is fits


def test_a_bar_in_brackets_parts_no_types() -> None:
    assert kinds.alternatives("Callable[[int | str], None] | None") == ("Callable[[int | str], None]", "None")


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("str | Path | None", "text or path"),
        ("Sequence[str]", "list"),
        ("Callable[[], bool]", "function"),
        ("Thresholds", "Thresholds"),
    ],
)
def test_types_are_said_in_words(annotation: str, words: str) -> None:
    assert kinds.in_words(annotation) == words


@pytest.mark.parametrize(
    ("value", "annotation", "entries"),
    [
        ("conv1", "Sequence[str]", ("conv1",)),
        (b"conv1", "Sequence[str]", (b"conv1",)),
        (Path("a/b"), "str | Path | Sequence[str | Path]", (Path("a/b"),)),
        (["a", "b"], "Sequence[str]", ("a", "b")),
        (3, "Sequence[str]", (3,)),
        ({"conv*": 0.5}, "Sequence[tuple[str, float]] | Mapping[str, float]", (("conv*", 0.5),)),
        ({"conv*": 0.5}, "Sequence[str]", {"conv*": 0.5}),
        (ALONE, "Ranks | Sequence[Ranks]", (ALONE,)),
    ],
)
def test_one_alone_is_one_entry(value: Any, annotation: str, entries: Any) -> None:
    assert kinds.as_entries(value, annotation) == entries


def test_what_a_list_holds() -> None:
    assert kinds.kind_of_entries("str | Sequence[str | Path]") == "str | Path"
    assert kinds.kind_of_entries("str") == ""
