import pytest

from rfav_cli.files.toml import DEEPEST, TomlError, decoded, tables


def test_a_text_is_tables() -> None:
    assert tables("[a]\nb = [1, {c = 'x'}]\n") == {"a": {"b": [1, {"c": "x"}]}}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a = 1\nb = \n", 2, "Invalid value"),
        ("a = 1\n\n[b", 3, "Expected"),
        ("a = 1\n" + "b." * DEEPEST + "c = 1", 2, "more than 100 parts"),
        ("a = " + "[" * 20_000, None, "nested too deeply"),
        ("a = " + "{b = " * 20_000, None, "nested too deeply"),
        ("a = " + "9" * 10_000, None, "digits"),
    ],
)
def test_what_is_none_is_said_with_its_line(text: str, line: int | None, words: str) -> None:
    with pytest.raises(TomlError, match=words) as raised:
        tables(text)
    assert raised.value.line == line


def test_a_text_is_utf_8_with_a_mark_or_without() -> None:
    assert decoded(b"\xef\xbb\xbfa") == decoded(b"a") == "a"
    with pytest.raises(TomlError, match="not UTF-8") as raised:
        decoded(b"a\nb\xe9\n")
    assert raised.value.line == 2
