"""A mode that sees operators starts without torch's compiler."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import torch
from rfav_cli.activations.operator_mode import OperatorMode

class Seeing(OperatorMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        print(func)
        return func(*args, **(kwargs or {}))

with Seeing():
    torch.ones(2) + 1
print("torch._dynamo" in sys.modules)
"""


def test_each_operator_is_seen_and_the_compiler_is_not_imported() -> None:
    out = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout.split()
    assert out == ["aten.ones.default", "aten.add.Tensor", "False"]
