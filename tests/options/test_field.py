"""What an option is, and what a record of options refuses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence  # noqa: TC003 - read as text, as in the groups themselves
from dataclasses import MISSING, FrozenInstanceError, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from rfav_cli import options
from rfav_cli.errors import UsageError
from rfav_cli.options import FIRST, Option, Options, group, keyword, option, options_of, required, spelled, values


@group
class Ground(Options):
    FIRST = ("path",)
    HELP: ClassVar[dict[str, str]] = {"rate": "Another sentence."}

    path: str | Path = required(help="Where.", kw_only=False, kind=Path)
    count: int = option(default=3, help="How many.", unit="samples", low=1, high=9)
    rate: float | None = option(default=None, help="How fast.", kind=float)
    word: str | None = option(default=None, help="A word.")
    dry: bool = option(default=False, help="Whether to write.")
    globs: Sequence[str] = option(default=(), help="Layers.", several=True)
    size: int | Literal["all"] = option(default="all", help="Size.", kind=int, low=1, read=values.number_to_keep)
    limits: Sequence[tuple[str, float]] = option(
        default=(), help="Limits.", read=values.per_layer, several=True, metavar="[GLOB=]X"
    )
    rule: str = option(default="even", help="Rule.", choices="rfav_cli.records:RULES", names=("--rule-of",))
    tell: Callable[[Any], None] = keyword(default=print, help="Is told.")


def test_values_of_their_types_are_taken_as_they_are() -> None:
    chosen = Ground(path=Path("x"), count=9, rate=0.5, word="w", dry=True, globs=("a", "b"), size=2, rule="paper")
    assert (chosen.path, chosen.count, chosen.rate, chosen.word, chosen.dry) == (Path("x"), 9, 0.5, "w", True)
    assert (chosen.globs, chosen.size, chosen.rule) == (("a", "b"), 2, "paper")
    with pytest.raises(FrozenInstanceError):
        chosen.count = 4  # type: ignore[misc]


def test_one_alone_is_a_tuple_of_one_and_never_its_letters() -> None:
    assert Ground(path="x", globs="conv1").globs == ("conv1",)
    assert Ground(path="x", globs=(name for name in "ab")).globs == ("a", "b")  # type: ignore[arg-type]
    assert Ground(path="x", limits="0.5").limits == (("*", 0.5),)  # type: ignore[arg-type]
    assert Ground(path="x", limits=[("conv*", 0.5), ("fc", 1)]).limits == (("conv*", 0.5), ("fc", 1.0))


@pytest.mark.parametrize(
    ("name", "given", "plain"),
    [
        ("count", np.int64(4), 4),
        ("rate", 1, 1.0),
        ("rate", np.float32(0.5), 0.5),
        ("rate", Fraction(1, 4), 0.25),
        ("dry", np.True_, True),
        ("size", np.int32(7), 7),
        ("size", "7", 7),
    ],
)
def test_numbers_are_plain_ones(name: str, given: Any, plain: Any) -> None:
    value = getattr(Ground(path="x", **{name: given}), name)
    assert value == plain
    assert type(value) is type(plain)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("path", None, "path None: no text or path"),
        ("path", 3, "path 3: no text or path"),
        ("path", "", "path '': no path"),
        ("count", "3", "--count '3': no whole number"),
        ("count", True, "--count True: no whole number"),
        ("count", None, "--count None: no whole number"),
        ("count", 2.5, "--count 2.5: no whole number"),
        ("count", 0, "--count 0: out of range"),
        ("count", 10, "--count 10: out of range"),
        ("rate", math.nan, "--rate nan: out of range"),
        ("rate", 10**400, "out of range"),
        ("rate", [0.5], "--rate [0.5]: no number"),
        ("word", 3, "--word 3: no text"),
        ("path", (), "path (): no text or path"),
        ("word", (), "--word (): no text"),
        ("word", ("a",), "--word ('a',): no text"),
        ("rule", (), "--rule-of (): no text"),
        ("tell", (), "tell (): no function"),
        ("word", b"w", "--word b'w': no text"),
        ("dry", 1, "--dry 1: no True or False"),
        ("dry", "no", "--dry 'no': no True or False"),
        ("globs", 3, "--globs 3: no text"),
        ("globs", ["a", None], "--globs None: no text"),
        ("globs", {"a": 1}, "--globs {'a': 1}: no list"),
        ("size", "some", "--size: 'some' is neither a number of checkpoints"),
        ("size", 0, "--size 0: out of range"),
        ("limits", 2, "--limits: '2' is no number from 0 to 1"),
        ("limits", ("conv*", 0.5), "--limits: 'conv*' is no number from 0 to 1"),
        ("rule", "best", "--rule-of: there is no 'best'"),
        ("rule", 3, "--rule-of 3: no text"),
        ("tell", "loud", "tell 'loud': no function"),
        ("word", np.zeros((9, 9)), "no text"),
        ("word", ["\x1b[31m" * 99], "no text"),
    ],
)
def test_what_is_no_value_is_refused_by_its_name(name: str, value: Any, said: str) -> None:
    given = {"path": "x", name: value}
    with pytest.raises(UsageError) as error:
        Ground(**given)
    assert said in error.value.what
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() and len(line) < 200 for line in lines)


@pytest.mark.parametrize("arguments", [((), {}), (("x", 3), {}), (("x",), {"colour": "red"})])
def test_what_python_itself_refuses(arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    with pytest.raises(TypeError):
        Ground(*arguments[0], **arguments[1])


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (Option("", kind=int), "whole number"),
        (Option("", kind=int, high=5), "whole number up to 5"),
        (Option("", kind=int, low=2, high=1_000_000), "whole number from 2 to 1,000,000"),
        (Option("", kind=int, low=0, high=2**64 - 1), "whole number from 0 to 2^64 - 1"),
        (Option("", kind=float, low=0.5), "number from 0.5 on"),
    ],
)
def test_a_range_is_said_in_words(described: Option, words: str) -> None:
    assert described.range() == words


def test_the_options_of_a_command_are_in_its_words() -> None:
    described = dict(options_of(Ground))
    assert list(described)[:3] == ["path", "count", "rate"]
    assert described["path"].panel == FIRST
    assert described["rate"].help == "Another sentence."
    assert described["count"].with_range() == "How many (samples, from 1 to 9)."
    assert described["word"].with_range() == "A word."
    assert (described["tell"].keyword, described["path"].positional) == (True, True)


def test_an_option_is_spelled_as_it_is_typed() -> None:
    assert spelled("probe_size") == "--probe-size"
    assert spelled("out", Option("", names=("-o", "--to"))) == "--to"


def test_options_of_one_command_become_those_of_another() -> None:
    @group
    class Other(Options):
        count: int = option(default=1, help="How many.")
        own: str = option(default="", help="Own.")

    assert Other.of(Ground(path="x", count=5), own="y") == Other(count=5, own="y")


RECORDS = [getattr(options, name) for name in options.__all__ if name[0].isupper() and name.istitle()]
COMMANDS = [
    record for record in RECORDS if isinstance(record, type) and issubclass(record, Options) and record is not Options
]
ODD: list[Any] = [None, True, 3, -1, 0.5, math.nan, 10**400, np.int64(4), np.ones(3), "", "x", "\x1b[31m", b"x"]
ODD += [[], ["a"], [3], [None], (), (1, 2, 3), {}, {"a": 1}, object(), print, Path("nowhere"), 1j]


def chosen_or_said(record: type[Options], name: str, value: Any) -> Any:
    """The value of an option as the record has it, or what is said in its place."""
    needed = {field.name: "x" for field in fields(record) if field.default is MISSING}
    try:
        return getattr(record(**needed | {name: value}), name)
    except UsageError as error:
        return error


@pytest.mark.parametrize("value", ODD, ids=lambda value: f"{type(value).__name__} {value!r:.9}".replace("\x1b", ""))
@pytest.mark.parametrize("record", COMMANDS, ids=lambda record: record.__name__)
def test_whatever_python_gives_is_a_value_of_the_option_or_wrong_usage(record: type[Options], value: Any) -> None:
    for name, described in options_of(record):
        chosen = chosen_or_said(record, name, value)
        if isinstance(chosen, UsageError):
            assert name in chosen.what or spelled(name, described) in chosen.what
            assert len(str(chosen).splitlines()) == 2
            assert str(chosen).replace("\n", "").isprintable()
        else:
            assert not described.several or type(chosen) is tuple
            assert described.kind is not bool or type(chosen) is bool
            assert not described.is_number or type(chosen) in {described.kind, type(None)}


@pytest.mark.parametrize("record", COMMANDS, ids=lambda record: record.__name__)
def test_nothing_takes_an_object_of_no_meaning_but_a_net(record: type[Options]) -> None:
    taken = [name for name, _ in options_of(record) if not isinstance(chosen_or_said(record, name, 1j), UsageError)]
    assert taken == (["model"] if record is options.Monitored else [])
