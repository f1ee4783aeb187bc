"""The types of attributes that the code of a TorchScript archive declares, and whether its objects fit them.

Torch finds an attribute by its place in the declared class, without a look at what object it has in hand: of another
class, with fewer attributes, it would read beyond that. Numbers, text and tensors say themselves what they are.

Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.stand_ins import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_IN_CLASS = "\n  "
_NO_ATTRIBUTES = {"def", "class"}


@dataclass
class Declared:
    """What the code of an archive declares.

    Attributes:
        attributes: qualified name of a class -> name of an attribute -> its type, word by word.
        interfaces: qualified names of what any class may stand for.
    """

    attributes: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    interfaces: set[str] = field(default_factory=set)

    def add(self, module: str, words: Sequence[tuple[str, str]]) -> None:
        """Note what the code of a module declares, from the kind and the text of each of its words."""
        inside: dict[str, list[str]] = {}
        for start, texts in _lines(words):
            if texts[:1] == ["class"] and start == "\n":
                name = f"{module}.{texts[1]}"
                inside = self.attributes.setdefault(name, {})
                if texts[3:4] and texts[3] in ("Interface", "ModuleInterface"):
                    self.interfaces.add(name)
            elif start == _IN_CLASS and len(texts) > 2 and texts[0] not in _NO_ATTRIBUTES:
                if texts[1] == ":":
                    inside[texts[0]] = texts[2:]
                elif texts[:2] == ["__annotations__", "["] and texts[3:5] == ["]", "="]:
                    inside[texts[2][1:-1]] = texts[5:]

    def misfit(self, made: Any) -> str:
        """The first attribute of an object in a pickle that holds an object of another class; empty where none does."""
        seen: set[int] = set()
        waiting = [made]
        while waiting:
            value = waiting.pop()
            if id(value) in seen or not isinstance(value, StandIn | dict | list | tuple):
                continue
            seen.add(id(value))
            if isinstance(value, StandIn):
                waiting += [value.state, value.args]
                types = self.attributes.get(value.kind, {})
                state = value.state if isinstance(value.state, dict) else {}
                for name, inner in state.items():
                    if name in types and not self._fits(types[name], inner):
                        return f"{value.kind}.{name}"
            else:
                waiting += value.values() if isinstance(value, dict) else value
        return ""

    def _fits(self, words: list[str], value: Any) -> bool:
        names = _classes(words)
        if names & self.interfaces or words == ["Any"]:
            return True
        held = {each.kind for each in _objects(value)}
        if not held:
            return True
        return held <= names and (len(names) == 1 or "Tuple" not in words)


def _lines(words: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Of each line what it begins with, and its words."""
    start: str = "\n"
    texts: list[str] = []
    for kind, text in words:
        if kind == "line":
            yield start, texts
            start, texts = text, []
        else:
            texts.append(text)
    yield start, texts


def _classes(words: Sequence[str]) -> set[str]:
    """The qualified names of classes in a type."""
    return {
        name for name in "".join(words).replace("[", ",").replace("]", ",").split(",") if name.startswith("__torch__")
    }


def _objects(value: Any) -> Iterator[StandIn]:
    """The objects in a value and in the containers that it is."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, StandIn):
            yield inner
        elif isinstance(inner, dict | list | tuple) and id(inner) not in seen:
            seen.add(id(inner))
            waiting += [*inner, *inner.values()] if isinstance(inner, dict) else inner
