"""Whether a value is of the type that an option's annotation says, for callers that no type checker looks after."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

SampleObject: TypeAlias = Any
"""A data set, a loader, tensors, arrays, or a function that returns one of them."""

_WORDS = {
    "str": "text",
    "Path": "path",
    "bool": "True or False",
    "int": "whole number",
    "float": "number",
    "Callable": "function",
    "SampleObject": "data set",
    "Sequence": "list",
    "None": "None",
}


def alternatives(annotation: str) -> tuple[str, ...]:
    """The types of a union.

    >>> alternatives("str | Path | Sequence[str | Path]")
    ('str', 'Path', 'Sequence[str | Path]')
    """
    parts, depth = [""], 0
    for character in annotation:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(part.strip() for part in parts)


def in_words(annotation: str) -> str:
    """The types of an annotation, in words; None is no value to ask for.

    >>> in_words("str | Path | None")
    'text or path'
    """
    names = [_name(part) for part in alternatives(annotation)]
    return " or ".join(_WORDS.get(name, name) for name in names if name != "None")


def fits(value: Any, annotation: str) -> bool:
    """Whether a value is of one of the types of an annotation; numbers have checks of their own.

    A class is known by its name, since a group of options imports nothing that its fields hold.

    >>> fits("runs", "str | Path"), fits(3, "str | Path"), fits(("a", 1), "Sequence[str]")
    (True, False, False)
    """
    return any(_is(value, part) for part in alternatives(annotation))


def as_entries(value: Any, annotation: str) -> Any:
    """The value of an option that takes several: a tuple of them, also where one is given alone.

    A text or a path is one entry, never its letters or parts; of a mapping, where it may be one, each item is.

    >>> as_entries("conv1", "Sequence[str]"), as_entries(["a", "b"], "Sequence[str]")
    (('conv1',), ('a', 'b'))
    """
    parts = alternatives(annotation)
    if isinstance(value, Mapping):
        return tuple(value.items()) if "Mapping" in map(_name, parts) else value
    alone = isinstance(value, (str, bytes, os.PathLike)) or not isinstance(value, Iterable)
    if alone or any(_is(value, part) for part in parts if _name(part) != "Sequence"):
        return (value,)
    return tuple(value)


def kind_of_entries(annotation: str) -> str:
    """The annotation of what a list holds; of nothing where the option takes no list.

    >>> kind_of_entries("str | Path | Sequence[str | Path]"), kind_of_entries("tuple[str, ...]")
    ('str | Path', 'str')
    """
    inner = (part.partition("[")[2] for part in alternatives(annotation) if _name(part) == "Sequence")
    return next(inner, "").removesuffix("]").removesuffix(", ...")


def _name(part: str) -> str:
    name = part.partition("[")[0]
    return "Sequence" if name == "tuple" else name


def _is(value: Any, part: str) -> bool:
    name = _name(part)
    if name == "Any":
        return True
    if name == "SampleObject":
        has_samples = callable(value) or hasattr(value, "__getitem__") or hasattr(value, "__iter__")
        return has_samples and not isinstance(value, (str, bytes))
    if name == "None":
        return value is None
    if name == "Path":
        return isinstance(value, os.PathLike)
    if name == "Callable":
        return callable(value)
    if name == "Sequence":
        return isinstance(value, (list, tuple)) and all(fits(entry, kind_of_entries(part)) for entry in value)
    if name in ("int", "float"):  # numpy's numbers are such, too
        kind: Any = numbers.Integral if name == "int" else numbers.Real
        return isinstance(value, kind) and not isinstance(value, bool)
    return any(ancestor.__name__ == name for ancestor in type(value).__mro__)
