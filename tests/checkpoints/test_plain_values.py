from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from rfav_cli.checkpoints import known_names, sketches
from rfav_cli.checkpoints.plain_values import PARAMETERS, PLAIN, WITH_TYPE, last_element
from rfav_cli.checkpoints.stand_ins import StandIn


@pytest.mark.parametrize(
    ("name", "given", "made"),
    [
        ("collections.OrderedDict", ([("a", 1)],), OrderedDict(a=1)),
        ("collections.OrderedDict", ({"a": 1},), OrderedDict(a=1)),
        ("collections.defaultdict", ("whatever", 3), {}),
        ("torch.Size", ((2, 3),), (2, 3)),
        ("torch.Size", ("23",), ()),
        ("_codecs.encode", ("\xff", "latin1"), b"\xff"),
    ],
)
def test_a_name_becomes_a_plain_value(name: str, given: tuple[Any, ...], made: Any) -> None:
    found = PLAIN[name].make(*given)
    assert (found, type(found)) == (made, type(made))


@pytest.mark.parametrize(
    ("name", "given"), [("_codecs.encode", ("x", "rot13")), ("copyreg._reconstructor", (int, object))]
)
def test_what_would_run_something_else_is_held_as_data(name: str, given: tuple[Any, ...]) -> None:
    assert type(PLAIN[name].make(*given)) is StandIn


def test_what_is_no_list_of_pairs_is_none() -> None:
    with pytest.raises(TypeError, match="no pairs"):
        PLAIN["collections.OrderedDict"].make(iter([("a", 1)]))


def test_the_last_element_is_where_the_strides_lead() -> None:
    assert last_element(5, (2, 3), (10, 1)) == 5 + 10 + 2
    assert last_element(5, (), ()) == 5
    for numbers in ((-1, (2,), (1,)), (0, [2], (1,)), (0, (2,), (True,)), (0, (2**63,), (1,))):
        with pytest.raises(TypeError, match="no shape"):
            last_element(*numbers)
    for numbers in ((0, (2,), ()), (0, (1,) * 65, (1,) * 65)):
        with pytest.raises(ValueError, match="do not belong together"):
            last_element(*numbers)


def test_who_reads_and_who_looks_know_the_same_plain_names() -> None:
    for full in (*PLAIN, *PARAMETERS, *WITH_TYPE):
        module, _, name = full.rpartition(".")
        assert known_names.meaning(module, name) is not None
        assert sketches.sketched(module, name) is not None
