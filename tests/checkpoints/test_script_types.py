"""Objects in a TorchScript archive that are not of the class that its code declares."""

from __future__ import annotations

from typing import Any

import pytest

from rfav_cli.checkpoints.script_source import read_source
from rfav_cli.checkpoints.stand_ins import StandIn

CODE = """class Small(Module):
  __parameters__ = []
  x : int
class Any_(ModuleInterface):
  def forward(self, x: Tensor) -> Tensor:
    pass
class Net(Module):
  __parameters__ = []
  training : bool
  part : __torch__.Large
  may : Optional[__torch__.Large]
  several : List[__torch__.Large]
  named : Dict[str, __torch__.Large]
  pair : Tuple[__torch__.Large, __torch__.Small]
  face : __torch__.Any_
  weight : Tensor
  anything : Any
  __annotations__["0"] = __torch__.Large
  def forward(self: __torch__.Net, x: Tensor) -> Tensor:
    part : __torch__.Small = x
    return x
class Large(Module):
  x : int
  y : int
"""
DECLARED = read_source({"__torch__": CODE}).declared


def _object(kind: str, **state: Any) -> StandIn:
    made = StandIn(f"__torch__.{kind}")
    made.state = state
    return made


LARGE, SMALL = _object("Large", x=1, y=2), _object("Small", x=1)
FITTING: list[dict[str, Any]] = [
    {"part": LARGE, "0": LARGE, "training": False, "undeclared": SMALL},
    {"may": None, "several": [LARGE, LARGE], "named": {"a": LARGE}},
    {"face": SMALL, "weight": 1, "anything": SMALL},
]


@pytest.mark.parametrize("state", FITTING)
def test_objects_of_the_declared_classes_fit(state: dict[str, Any]) -> None:
    assert DECLARED.misfit(_object("Net", **state)) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("part", SMALL),
        ("part", [SMALL]),
        ("may", SMALL),
        ("several", [LARGE, SMALL]),
        ("named", {"a": SMALL}),
        ("pair", (SMALL, LARGE)),
        ("weight", SMALL),
        ("0", SMALL),
    ],
)
def test_an_object_of_another_class_is_found(name: str, value: Any) -> None:
    inner = _object("Net", **{name: value})
    assert DECLARED.misfit(inner) == f"__torch__.Net.{name}"
    assert DECLARED.misfit(_object("Net", anything=[inner])) == f"__torch__.Net.{name}"


def test_what_holds_itself_is_looked_at_once() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert DECLARED.misfit(_object("Net", anything=endless, several=endless)) == ""
