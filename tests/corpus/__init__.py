"""Hostile and harmless files, made by functions, and what must become of each.

`python -m tests.corpus OUT` writes them. `tests/acceptance/test_corpus.py` gives each to the command that it is for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.corpus.case import Case

HOSTILE = (
    "pickles",
    "bombs",
    "archives",
    "safetensors",
    "torchscript",
    "exported",
    "folders",
    "special",
    "stores",
    "probes",
    "settings",
)
HARMLESS = ("checkpoints", "programs", "samples")
"""The modules of the two packages that have `CASES`."""


def hostile() -> list[Case]:
    return _cases("hostile", HOSTILE)


def harmless() -> list[Case]:
    return _cases("harmless", HARMLESS)


def _cases(package: str, names: tuple[str, ...]) -> list[Case]:
    cases = [case for name in names for case in import_module(f"tests.corpus.{package}.{name}").CASES]
    seen = [case.name for case in cases]
    assert len(seen) == len(set(seen)), f"two cases of one name: {sorted({n for n in seen if seen.count(n) > 1})}"
    return cases
