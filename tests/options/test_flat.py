"""Functions whose keywords are the fields of a record of options."""

from __future__ import annotations

import inspect
import re

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options import Options, flat, flat_method, group, keyword, option, required


@group
class Cut(Options):
    FIRST = ("length",)

    tell: object = keyword(default=None, help="Is told.")
    blade: str = option(default="steel", help="Of what.", panel="How")
    length: float = option(default=1.0, help="How long.", unit="metres", low=0)
    wood: str = required(help="What is cut.", kw_only=False)


def run(options: Cut) -> str:
    """Cut wood.

    More of it.

    Returns:
        What is left.

    Raises:
        UsageError: no wood.
    """
    return f"{options.wood} {options.length} {options.blade}"


cut = flat(Cut, run)


def test_its_keywords_are_the_fields() -> None:
    assert cut("oak") == "oak 1.0 steel"
    assert cut(wood="oak", length=2, blade="tin") == "oak 2.0 tin"


@pytest.mark.parametrize(("arguments", "more"), [((), {}), (("oak", 2.0), {}), (("oak",), {"blad": "tin"})])
def test_what_is_no_field_is_refused(arguments: tuple[str, ...], more: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        cut(*arguments, **more)  # type: ignore[arg-type]


def test_a_value_is_refused_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="--length -1"):
        cut("oak", length=-1)


def test_its_signature_says_each_option_arguments_first_and_python_last() -> None:
    signature = inspect.signature(cut)
    assert list(signature.parameters) == ["wood", "length", "blade", "tell"]
    assert signature.parameters["length"].default == 1.0
    assert signature.parameters["length"].annotation == "float"
    assert signature.parameters["wood"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert signature.return_annotation == "str"
    assert list(cut.__annotations__) == ["wood", "length", "blade", "tell", "return"]


def test_its_docstring_lists_each_option_before_what_it_returns() -> None:
    text = cut.__doc__ or ""
    titles = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert titles == ["Args", "Returns", "Raises"]
    assert "    length: How long (metres, from 0 on).\n" in text
    assert text.startswith("Cut wood.\n\nMore of it.\n\nArgs:\n    wood: What is cut.\n")


def test_a_docstring_without_sections_ends_with_the_options() -> None:
    plain = flat(Cut, lambda options: options.wood)
    assert (plain.__doc__ or "").rstrip().endswith("tell: Is told.")
    assert plain("oak") == "oak"


def test_a_method_takes_them_as_well() -> None:
    class Saw:
        @flat_method(Cut)
        def __init__(self, options: Cut) -> None:
            """Make a saw."""
            self.options = options

    assert Saw("oak", blade="tin").options == Cut(wood="oak", blade="tin")
    assert list(inspect.signature(Saw).parameters) == ["wood", "length", "blade", "tell"]
    assert "Make a saw.\n\nArgs:\n    wood: " in (Saw.__init__.__doc__ or "")
    with pytest.raises(TypeError):
        Saw()
