"""The code in a TorchScript archive, read as text: which operators it names, and that torch's parser can bear it.

An archive keeps code in a small language that looks like Python. Torch parses it in recursive functions, so what is
nested deep enough ends the process; and `__setstate__` methods in it run as the archive is loaded. So the text is read
here before torch sees it, by rules that leave no room for two readings: plain ASCII, one kind of quotes, no comments
and no lines that go on. `torch.jit.save` writes no other code, and other code is refused.

Nothing here imports torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from rfav_cli.checkpoints.operators import CLASSES, METHODS, not_allowed
from rfav_cli.checkpoints.script_types import Declared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_TEXT = 2**25
"""Characters of code in an archive. A net of a thousand layers has one or two million."""
_DEEPEST = 100
"""Brackets in one another, and blocks in one another; `torch.jit.save` writes fewer than ten as a rule."""
_LONGEST = 400
"""Words and signs of one expression on one level of brackets, without a comma between them."""
_LONGEST_CHAIN = 1000
"""Functions and methods that may each need the next: torch compiles them inside one another."""

_TOKEN = re.compile(
    r"(?P<space> +)|(?P<line>\n *)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?j?)"
    r'|(?P<text>"(?:[^"\\\n]|\\[^\n])*")'
    r"|(?P<sign>->|\.\.\.|\*\*=?|//|<<=?|>>=?|[<>=!+\-*/%|&^]=|[()\[\]{},:.=+\-*/%|&^~<>@])"
)
_ESCAPE = re.compile(r"""\\[^0-7"'\\abfnrtv]""")
_BUILT_IN = {
    *("annotate", "unchecked_cast", "uninitialized", "isinstance", "getattr", "hasattr", "fork", "awaitable"),
    *("int", "float", "bool", "str", "complex", "device", "range", "rangelist", "enumerate", "zip", "len", "list"),
    *("dict", "tuple", "min", "max", "abs", "all", "any", "sum", "round", "pow", "sorted", "ord", "chr", "bin", "hex"),
    *("oct", "hash", "divmod", "return", "and", "or", "not", "in", "is", "if", "else", "elif", "while", "for"),
    *("assert", "with", "as"),
}
"""What stands before a bracket without being an operator: functions of the language, and its words."""
_GLOBAL = {"torch", "ops", "print", "getattr"}
"""Names that stay what they are: a local variable that is called so is refused."""


class SourceError(ValueError):
    """Code that is refused; says why."""


class Word(NamedTuple):
    """A word of the code.

    Attributes:
        kind: "name", "number", "text", "sign", or "line", the beginning of one with its blanks.
        text: as it stands there.
    """

    kind: str
    text: str


_END = Word("line", "\n")


@dataclass
class Source:
    """What is in the code of an archive.

    Attributes:
        operators: that it names, as `namespace::name`.
        classes: qualified names of the classes that it defines.
        foreign: qualified names of the classes of `torch.classes` that it uses.
        defined: names of functions, methods and classes that it defines.
        called: names that are called as methods.
        declared: the types of attributes.
    """

    operators: set[str] = field(default_factory=set)
    classes: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    declared: Declared = field(default_factory=Declared)

    def refused(self) -> list[str]:
        """Operators and classes that a program from untrusted hands may not use."""
        methods = self.called - self.defined - METHODS
        return not_allowed(self.operators) + sorted(methods) + sorted(filter(is_foreign, self.foreign))


@dataclass
class _Definition:
    """A class or a function: how many functions it holds, and the qualified names that stand in it."""

    functions: int = 0
    names: set[str] = field(default_factory=set)


def is_foreign(name: str) -> bool:
    """Whether a qualified name is of a class of `torch.classes` that nets do not need."""
    parts = name.split(".")
    return parts[1:3] == ["torch", "classes"] and (len(parts) < 4 or parts[3] not in CLASSES)


def module_of(member: str) -> str | None:
    """The qualified name of the module whose code a member of an archive holds; None where it holds none.

    >>> module_of("code/__torch__/torch/nn/modules/linear.py")
    '__torch__.torch.nn.modules.linear'
    """
    if not member.startswith("code/") or not member.endswith(".py"):
        return None
    return member[len("code/") : -len(".py")].replace("/", ".")


def read_source(files: Mapping[str, str]) -> Source:
    """Read the code of an archive.

    Args:
        files: qualified name of a module, as `__torch__.torch.nn.modules.linear` -> its code.

    Raises:
        SourceError: it cannot be read, is too large, or nested too deep for torch's parser.
    """
    if sum(map(len, files.values())) > MOST_TEXT:
        raise SourceError("more code than nets have")
    source = Source()
    definitions: dict[str, _Definition] = {}
    for module, text in files.items():
        words = list(words_of(text))
        _check_depth(words)
        _note(module, words, source, definitions)
        source.declared.add(module, words)
    _check_chains(definitions)
    return source


def words_of(text: str) -> Iterator[Word]:
    """The words of a code, one after another.

    Raises:
        SourceError: something in it is none.
    """
    at, before = 0, ""
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup == before == "text":
            raise SourceError(f"code that torch does not write: {text[at : at + 40]}")
        at, before = found.end(), str(found.lastgroup)
        if before != "space":
            yield Word(before, found[0])


def check_type(text: Any) -> None:
    """Look at the name of a type in a pickle, which torch parses as it does code.

    Raises:
        SourceError: it is none, nested too deep, or names a class that nets do not need.
    """
    if not isinstance(text, str):
        raise SourceError("a type that is no name")
    words = list(words_of(text))
    _check_depth(words)
    source = Source()
    _note("", words, source, {})
    if refused := source.refused():
        raise SourceError(refused[0])


def _check_depth(words: Sequence[Word]) -> None:
    """Hold brackets, blocks and expressions against the depth that torch's parser can bear."""
    lengths, branches = [0], 0
    for kind, text in words:
        if kind == "line":
            if len(text) - 1 > 2 * _DEEPEST:
                raise SourceError("code that is nested too deep")
            if len(lengths) == 1:
                lengths[0] = 0
            continue
        if kind == "sign" and text in ")]}":
            lengths.pop()
            if not lengths:
                raise SourceError("code that torch does not write: a bracket too many")
        lengths[-1] = 0 if text == "," else lengths[-1] + 1
        if kind == "sign" and text in "([{":
            lengths.append(0)
        branches = branches + 1 if text == "elif" else 0 if text == "def" else branches
        if len(lengths) > _DEEPEST or lengths[-1] > _LONGEST or branches > _DEEPEST:
            raise SourceError("code that is nested too deep")


def _note(module: str, words: Sequence[Word], source: Source, definitions: dict[str, _Definition]) -> None:
    """Note what a module's code defines, and what it names: `torch.relu`, `ops.quantized.add`, `x.relu()`, `print`."""
    at, before, current = 0, _END, _Definition()
    local = {word.text for word, sign in pairwise(words) if word.kind == "name" and sign.text == "="}
    while at < len(words):
        word = words[at]
        if word.kind != "name":
            at, before = at + 1, word
            continue
        names = _dotted(words, at)
        at += 2 * len(names) - 1
        following = words[at] if at < len(words) else _END
        if before.text in ("def", "class"):
            source.defined.add(word.text)
            outside = at < 3 or words[at - 3].text == "\n"
            if outside:
                current = definitions.setdefault(f"{module}.{word.text}", _Definition())
            if before.text == "class":
                source.classes.append(f"{module}.{word.text}")
            current.functions += before.text == "def"
        elif names[0] == "__torch__" and before.text != ".":
            current.names.add(".".join(names))
            if names[1:3] == ["torch", "classes"]:
                source.foreign.add(".".join(names[:5]))
        else:
            if names[0] not in local or len(names) > 1 or names[0] in _GLOBAL:
                _note_use(names, before, following, source)
            if word.text == "getattr" and following.text == "(":
                _note_attribute(words, at, source)
        before = words[at - 1]


def _note_use(names: Sequence[str], before: Word, following: Word, source: Source) -> None:
    """Note names with dots between them, by what stands before and behind them."""
    called = following.text == "("
    if before.text == "." or (len(names) > 1 and names[0] not in ("torch", "ops")):
        if called:
            source.called.add(names[-1])
    elif names[0] == "torch" and len(names) > 1:
        source.operators.add(f"aten::{names[1]}")
    elif names[0] == "ops" and len(names) > 2:
        source.operators.add(f"{names[1]}::{names[2]}")
    elif names[0] in ("torch", "ops"):
        if before.kind != "line" or following.text != ":":  # not an attribute of a class that is called so
            source.operators.add(".".join(names))  # given on, under whatever name
    elif names[0] == "print":
        source.operators.add("prim::Print")
    elif called and names[0] not in _BUILT_IN:
        source.operators.add(f"prim::{names[0]}")


def _note_attribute(words: Sequence[Word], at: int, source: Source) -> None:
    """Note `getattr(x, "name")`, which is another way to write `x.name`."""
    depth, end = 0, at
    for end, word in enumerate(words[at : at + _LONGEST], at):  # noqa: B007 - where the bracket closes
        if word.kind == "sign":
            depth += (word.text in "([{") - (word.text in ")]}")
        if depth == 0:
            break
    name = words[end - 1]
    if depth or name.kind != "text" or words[end - 2].text != "," or _ESCAPE.search(name.text):
        raise SourceError("code that torch does not write: getattr")
    if words[end + 1 : end + 2] and words[end + 1].text == "(":
        source.called.add(name.text[1:-1])


def _dotted(words: Sequence[Word], at: int) -> list[str]:
    """The names with dots between them that begin at a word."""
    names = [words[at].text]
    while at + 2 < len(words) and words[at + 1].text == "." and words[at + 2].kind == "name":
        at += 2
        names.append(words[at].text)
    return names


def _check_chains(definitions: Mapping[str, _Definition]) -> None:
    """Hold the longest chain of definitions that need one another against what torch's compiler can bear."""
    functions = {name: max(each.functions, 1) for name, each in definitions.items()}
    needed = {
        # `__torch__.net.Block.__new__` is of `__torch__.net.Block`.
        name: {other for full in each.names for other in (full, full.rpartition(".")[0]) if other in definitions}
        - {name}
        for name, each in definitions.items()
    }
    lengths: dict[str, int] = {}
    try:
        for name in TopologicalSorter(needed).static_order():
            lengths[name] = functions[name] + max((lengths[other] for other in needed[name]), default=0)
        longest = max(lengths.values(), default=0)
    except CycleError:
        longest = sum(functions.values())
    if longest > _LONGEST_CHAIN:
        raise SourceError("code that is nested too deep: each function needs the next")
