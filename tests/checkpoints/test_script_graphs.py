from __future__ import annotations

import io
import zipfile
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from rfav_cli.checkpoints import script_graphs

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")

NET = """class Net(Module):
  __parameters__ = []
  training : bool
  def __setstate__(self: __torch__.Net, state: bool) -> NoneType:
    {state}
    self.training = state
    return None
  def forward(self: __torch__.Net, x: Tensor) -> Tensor:
    {forward}
    return x
def other(x: Tensor) -> Tensor:
  {other}
  return x
"""


def compiled(**lines: str) -> Any:
    """A net with lines of code in its functions, compiled alone."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Identity()), buffer)
    with zipfile.ZipFile(buffer) as archive:
        read = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    code = NET.format(**{"state": "pass", "forward": "pass", "other": "pass", **lines})
    kept: dict[str, Callable[[], bytes]] = {n: partial(bytes, c) for n, c in read.items() if not n.startswith("code/")}
    return script_graphs.compile_alone(kept | {"code/__torch__.py": partial(bytes, code.encode())}, ["__torch__.Net"])


def test_code_is_compiled_and_not_run() -> None:
    unit = compiled(state='ops.prim.RaiseException("it ran")', forward="x = torch.relu(x)")
    names = {function.qualified_name for function in unit.get_functions()}
    assert {"__torch__.Net.__setstate__", "__torch__.Net.forward"} <= names
    assert script_graphs.refused(unit) == []


def test_what_does_not_compile_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="absent"):
        compiled(forward="x = self.absent")


@pytest.mark.parametrize(
    ("lines", "operator"),
    [
        ({"forward": "x = torch.set_(x, x)"}, "aten::set_"),
        ({"forward": "x = x.resize_([2])"}, "aten::resize_"),
        ({"forward": "if bool(x):\n      x = torch.to_sparse(x)"}, "aten::to_sparse"),
        ({"forward": "x = __torch__.other(x)", "other": "x = torch.to_mkldnn(x)"}, "aten::to_mkldnn"),
        ({"forward": "f = fork(__torch__.other, x)", "other": 'print("x")'}, "prim::Print"),
        ({"state": 'torch.warn("x", 2)'}, "aten::warn in __setstate__"),
        (
            {"state": "y = __torch__.other(torch.ones([1]))", "other": 'torch.warn("x", 2)'},
            "aten::warn in __setstate__",
        ),
        ({"forward": "x = torch._reshape_alias(x, [9], [2])"}, "aten::_reshape_alias"),
        ({"forward": "x = torch.zeros([2], dtype=-100)"}, "aten::zeros with a ScalarType that is none"),
        ({"forward": "x = torch.zeros_like(x, dtype=6, layout=1)"}, "aten::zeros_like with a Layout that is none"),
        ({"forward": "x = torch.contiguous(x, memory_format=9)"}, "aten::contiguous with a MemoryFormat that is none"),
        ({"forward": "x = torch.to(x, torch.dim(x))"}, "aten::to with a ScalarType that is none"),
        (
            {"state": "state = bool(torch._weight_norm(torch.ones([1, 1]), torch.ones([1])))"},
            "aten::_weight_norm in __setstate__",
        ),
    ],
)
def test_operators_are_found_wherever_they_are(lines: dict[str, str], operator: str) -> None:
    assert operator in script_graphs.refused(compiled(**lines))


@pytest.mark.parametrize(
    "line",
    [
        "x = torch.zeros([2], dtype=6, layout=0)",
        "x = torch.zeros([2], dtype=None)",
        "x = torch.to(x, ops.prim.dtype(x))",
        "x = torch.contiguous(x, memory_format=2)",
        "x = torch.quantize_per_tensor(x, 0.1, 0, 13)",
    ],
)
def test_types_that_nets_have_are_let_through(line: str) -> None:
    assert script_graphs.refused(compiled(forward=line)) == []


def test_warnings_are_taken_out() -> None:
    unit = compiled(forward='if bool(x):\n      torch.warn("x", 2)')
    assert script_graphs.refused(unit) == []
    assert "aten::warn" in str([function.graph for function in unit.get_functions()])
    script_graphs.mute(unit)
    assert "aten::warn" not in str([function.graph for function in unit.get_functions()])
