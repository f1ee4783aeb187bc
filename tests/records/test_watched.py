"""What is known when watching a training ends."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Literal, get_args

import rfav_cli
from rfav_cli.records.watched import Watched

PACKAGE = Path(rfav_cli.__file__).parent


def test_each_way_that_watching_can_end_is_one_that_it_does_end_in_and_is_documented() -> None:
    ways = get_args(eval(Watched.__annotations__["ended"], {"Literal": Literal}))
    used = {
        node.value
        for path in (PACKAGE / "commands").glob("watch*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }
    assert set(ways) <= used
    assert set(re.findall(r'"(\w+)"', Watched.__doc__ or "")) == set(ways)
