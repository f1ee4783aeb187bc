"""What text is rendered for: colour, width and letters of a terminal, a pipe or a file."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.render import Screen


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_settings_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Screen.of(Terminal()).colour
    assert not Screen.of(io.StringIO()).colour
    monkeypatch.setenv("TERM", "dumb")
    assert not Screen.of(Terminal()).colour
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen.of(Terminal()).colour


def test_width_of_pipes_and_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Screen.of(io.StringIO()).width == 80
    monkeypatch.setenv("COLUMNS", "123")
    assert Screen.of(Terminal()).width == Screen.of(io.StringIO()).width == 123
    monkeypatch.setenv("COLUMNS", "3")
    assert Screen.of(Terminal()).width == 40


def test_a_stream_that_names_no_encoding_takes_ascii() -> None:
    class Silent(Terminal):
        encoding = ""

    assert Screen.of(Silent()).encoding == "ascii"
    assert not Screen.of(Silent()).unicode
    assert [Screen(encoding=name).unicode for name in ("utf-8", "UTF8", "UTF-16", "cp1252")] == [
        True,
        True,
        True,
        False,
    ]


@given(st.text(max_size=40), st.sampled_from(["utf-8", "ascii", "cp1252"]))
def test_writing_what_is_encodable_cannot_fail(text: str, encoding: str) -> None:
    screen = Screen(encoding=encoding)
    screen.encodable(text).encode(encoding)
    ours = text.encode(encoding, "ignore").decode(encoding)
    assert screen.encodable(ours) == ours


def test_what_was_printed_has_no_markup_no_blanks_and_colour_only_where_it_is_wanted() -> None:
    for colour in (False, True):
        screen = Screen(width=50, colour=colour)
        console = screen.console()
        console.print("[bold]conv1[/bold] :smile: 3.14   ", style="bold red")
        text = screen.printed(console)
        assert "[bold]conv1[/bold] :smile: 3.14" in text
        assert ("\x1b[" in text) == colour
        assert not any(line.endswith(" ") for line in text.splitlines())


def test_no_line_is_a_command_to_a_ci() -> None:
    screen = Screen()
    told = "::error::a\n  ::add-mask::b\n a::b ##[error]c ::\n"
    console = screen.console()
    console.print(told)
    for text in (screen.inert(told), screen.printed(console)):
        assert (
            text.rstrip()
            == r"""\x3a:error::a
  \x3a:add-mask::b
 a::b \x23#[error]c ::"""
        )
