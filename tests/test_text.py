"""Text from files, and what exceptions say."""

from __future__ import annotations

import errno
import os
import unicodedata
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.text import CUT, count, lines, named, printable, quoted, some_of, span, what_it_says, whole

if TYPE_CHECKING:
    from collections.abc import Callable

ANY_TEXT = st.text(st.characters(), max_size=80) | st.text("\x1b\n\r\u2028\u202e\u2066\x9b\ud800a", max_size=80)
PARTS = st.sampled_from(["first", "last", "all"])


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("conv1", 5, "conv1"),
        ("conv12", 5, "co…12"),
        ("conv123", 6, "con…23"),
        ("abc", 2, "a…"),
        ("abc", 1, "…"),
        ("a\x1b[2J", 9, "a\\x1b[2J"),
        ("\x1b" * 9, 6, "\\x1…1b"),
        ("/very/" + "deep/" * 1000 + "run.h5", 20, "/very/deep…ep/run.h5"),
        ("", 5, ""),
        (b"raw", 9, "b'raw'"),
    ],
)
def test_text_is_escaped_and_cut_in_its_middle_with_a_mark(text: object, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown
    assert len(printable(text, limit)) <= limit


@pytest.mark.parametrize(
    "show",
    [
        whole,
        printable,
        quoted,
        lambda text: what_it_says(ValueError(text)),
        lambda text: named(type(text or "x", (Exception,), {})(text)) if "\0" not in text else "",
        lambda text: what_it_says(OSError(errno.EIO, text)),
    ],
)
@given(text=ANY_TEXT.filter(lambda text: not any(0xD800 <= ord(c) <= 0xDFFF for c in text)))
def test_nothing_that_is_shown_steers_a_terminal_or_begins_a_line(show: Callable[[str], str], text: str) -> None:
    assert is_safe(show(text))


@given(text=ANY_TEXT, limit=st.integers(1, 100), part=PARTS)
def test_what_is_shown_is_within_its_limit(text: str, limit: int, part: Literal["first", "last", "all"]) -> None:
    for shown in (printable(text, limit), quoted(text, limit), what_it_says(ValueError(text), limit, part=part)):
        assert len(shown) <= limit
        assert is_safe(shown)
        shown.encode()  # what is no Unicode is escaped, too


@given(text=ANY_TEXT)
def test_whole_text_loses_nothing_and_short_text_is_shown_as_it_is(text: str) -> None:
    assert whole(text) == printable(text, 10 * len(text) + 1)
    assert CUT in whole(text) or CUT not in text
    if text.isprintable():
        assert whole(text) == text


@given(text=ANY_TEXT)
def test_lines_stay_lines_and_are_safe_each(text: str) -> None:
    shown = lines(text)
    assert len(shown.split("\n")) == max(len(text.splitlines()), 1)
    assert all(is_safe(line) for line in shown.split("\n"))


def is_safe(text: str) -> bool:
    """Whether no character of a text controls, turns or ends a line; soft hyphens and the like are escaped as well."""
    return not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in text)


def test_a_value_is_quoted_as_python_writes_it() -> None:
    assert quoted("a\nb") == "'a\\nb'"
    assert quoted([1.5, None]) == "[1.5, None]"
    assert quoted(10**5000) == "this number"


@pytest.mark.parametrize(
    ("error", "first", "last", "joined"),
    [
        (ValueError("no key"), "no key", "no key", "no key"),
        (ValueError(), "ValueError", "ValueError", "ValueError"),
        (ValueError(" \n\n"), "ValueError", "ValueError", "ValueError"),
        (RuntimeError("\n  Errors for Net:\n\tmissing\n\tunexpected\n"), *("Errors for Net:", "unexpected"),
         "Errors for Net: missing unexpected"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x"), *["No space left on device"] * 3),
        (OSError("Unable to open file"), *["Unable to open file"] * 3),
        (KeyError("a\x1b[2J"), *["'a\\x1b[2J'"] * 3),
    ],
)  # fmt: skip
def test_what_an_exception_says(error: Exception, first: str, last: str, joined: str) -> None:
    assert what_it_says(error) == first
    assert what_it_says(error, part="last") == last
    assert what_it_says(error, part="all") == joined


def test_an_exception_is_named_and_its_name_is_not_said_twice() -> None:
    assert named(ValueError("no key")) == "ValueError: no key"
    assert named(ValueError()) == "ValueError"
    assert named(RuntimeError("a\nb"), part="last") == "RuntimeError: b"


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(0, "epoch", "0 epochs"), (1, "class", "1 class"), (2, "class", "2 classes"), (1000, "value", "1,000 values")],
)
def test_a_number_stands_with_its_noun_in_the_singular_or_the_plural(number: int, noun: str, words: str) -> None:
    assert count(number, noun) == words


@pytest.mark.parametrize(
    ("number", "whole_number", "verb", "words"),
    [
        (1, 8, "have", "1 of 8 filters has"),
        (2, 8, "have", "2 of 8 filters have"),
        (1, 1, "are", "1 of 1 filter is"),
        (3, 2000, "are", "3 of 2,000 filters are"),
    ],
)
def test_a_part_stands_with_its_verb(number: int, whole_number: int, verb: str, words: str) -> None:
    assert some_of(number, whole_number, "filter", verb) == words


def test_epochs_in_words() -> None:
    assert (span([4]), span([-1, 0, 9])) == ("4", "-1 to 9")
