from __future__ import annotations

import argparse
import datetime
import enum
import functools
import io
import pathlib
import pickle
import types
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rfav_cli.checkpoints import unpickler
from rfav_cli.checkpoints.known_names import RunsCodeError, meaning
from rfav_cli.checkpoints.stand_ins import Name, StandIn
from rfav_cli.checkpoints.unpickler import DataUnpickler, safe_key
from tests.checkpoints.handmade import call, name, several, text


class Phase(enum.Enum):
    """An enumeration of the user's."""

    WARM = "warm"


@dataclass(frozen=True)
class Settings:
    """A record of the user's."""

    __slots__ = ("rate",)
    rate: float


class Box(dict[str, Any]):
    """A dictionary of the user's."""


class Outer:
    """It has a class in it."""

    class Inner:
        """The class in it."""

        def __init__(self) -> None:
            self.value = 3


class Named:
    """It is made with names."""

    def __new__(cls, *, size: int = 0) -> Named:
        made = super().__new__(cls)
        made.size = size  # type: ignore[attr-defined]
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, int]]:
        return (), {"size": 3}


def read(content: bytes) -> Any:
    def no_storage(claim: object) -> Any:
        raise AssertionError(claim)

    return DataUnpickler(io.BytesIO(content), meaning, no_storage, len(content)).load()


OBJECTS = [
    argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("runs")),
    types.SimpleNamespace(lr=0.1),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    datetime.timedelta(seconds=3),
    Phase.WARM,
    Settings(0.1),
    Box(a=1),
    Outer.Inner(),
    Named(),
    functools.partial(print, "text", end=""),
    Counter("abc"),
    deque([1, 2], 3),
    {1, 2},
    frozenset({1}),
    complex(1, 2),
    range(3),
    slice(1, 2),
    bytearray(b"abc"),
    np.ones((2, 3)),
    np.array(["text"]),
    np.dtype("f4"),
    np.random.RandomState(0),
    np.random.default_rng(0),
    np.random.PCG64(0),
    Outer,
    print,
    ValueError("wrong"),
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_object_is_read_as_data(protocol: int) -> None:
    for value in OBJECTS:
        made = read(pickle.dumps(["before", value, "after"], protocol))
        assert made[::2] == ["before", "after"]
        assert isinstance(made[1], StandIn | Name | bytes), value


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_what_a_stand_in_holds(protocol: int) -> None:
    def made(value: object) -> StandIn:
        found = read(pickle.dumps(value, protocol))
        assert type(found) is StandIn
        return found

    here = __name__
    assert (made(OBJECTS[0]).kind, made(OBJECTS[0]).state["lr"]) == ("argparse.Namespace", 0.1)
    assert (made(Phase.WARM).kind, made(Phase.WARM).args) == (f"{here}.Phase", ("warm",))
    assert made(Box(a=1)).entries == {"a": 1}
    assert made({1, 2}).elements() == [1, 2]
    assert made(deque([1, 2])).items == [1, 2]
    assert made(Outer.Inner()).state == {"value": 3}
    assert made(datetime.timedelta(seconds=3)).args == (0, 3, 0)


def test_containers_that_hold_themselves() -> None:
    own: list[Any] = []
    own.append((own, {"a": own}))
    made = read(pickle.dumps(own, 4))
    assert made[0][0] is made
    assert made[0][1]["a"] is made


def test_a_long_text_and_many_elements() -> None:
    value = ["x" * 70_000, b"y" * 70_000, list(range(3000)), {str(n): n for n in range(3000)}]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert read(pickle.dumps(value, protocol)) == value


def test_text_of_python_2() -> None:
    assert read(b"\x80\x02U\x02ab.") == "ab"
    assert read(b"\x80\x02U\x01\xff.") == "\xff"
    assert read(b"\x80\x02T\x02\x00\x00\x00\xc3\xa4.") == "ä"


def test_an_attack_is_named() -> None:
    for dotted in ("os.system", "posix.system", "subprocess.Popen", "builtins.eval", "__builtin__.eval"):
        with pytest.raises(RunsCodeError) as caught:
            read(b"\x80\x02" + name(dotted) + b".")
        assert caught.value.name == dotted
    for dotted in ("oslo.system", "builtins.getattr", "code.nets.Net", "a.eval"):
        assert read(b"\x80\x02" + name(dotted) + b".") == Name(dotted)


def test_what_a_call_of_a_call_gives_keeps_its_name() -> None:
    made = read(b"\x80\x02" + call("builtins.getattr", name("a.Outer"), text("Inner")) + several(b"K\x03") + b"R.")
    assert (made.kind, made.args) == ("builtins.getattr", (3,))


def test_arguments_by_name_are_kept_with_the_others() -> None:
    assert read(pickle.dumps(Named(), 4)).args == ({"size": 3},)


@pytest.mark.parametrize("key", ["a", b"a", 1, -(2**63), 1.5, True, None])
def test_plain_keys_stay(key: object) -> None:
    assert safe_key(key) is key


@pytest.mark.parametrize("key", [(), (1,), 2**64, StandIn("a.B"), frozenset()])
def test_other_keys_are_held_by_a_stand_in(key: object) -> None:
    assert safe_key(key).args == (key,)


@pytest.mark.parametrize("objects", [b"]", b"}", b"\x8f", b"N", b"]\x94", b")\x85", b"}NNs", b"K\x01"])
def test_what_a_pickle_makes_is_counted(objects: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickler, "_MOST", 2**16)
    content = b"\x80\x05](" + objects * 2000 + b"e."
    with pytest.raises(pickle.UnpicklingError, match="more objects than a checkpoint has"):
        DataUnpickler(io.BytesIO(content), meaning, lambda _: None, len(content)).load()
