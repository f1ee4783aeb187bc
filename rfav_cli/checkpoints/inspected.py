"""A file that is looked through, opened once, and what is taken down of it."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from rfav_cli.checkpoints.zip_listing import ZipListing
from rfav_cli.checkpoints.zips import ZIP_MAGIC
from rfav_cli.records import ScanFinding, ScannedFile, ScannedMember, ScannedTensor, Some
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

T = TypeVar("T")

HEAD = 4096
"""Bytes at the beginning of a file by which its format is told."""
LISTED = 10_000
"""Tensors, names or members of a file that are listed; of more there is the count."""
_FINDINGS = 10
"""Findings of one rule in one file."""
_LONGEST = 500
"""Characters of a name or a value."""


@dataclass
class Source:
    """A file that was opened once.

    Attributes:
        path: its name, for messages.
        file: open, at any place.
        size: its bytes.
        head: its first bytes.
        expected: its ending says that a checkpoint is to be there.
    """

    path: Path
    file: IO[bytes]
    size: int
    head: bytes
    expected: bool = True

    @classmethod
    def of(cls, path: Path, file: IO[bytes], *, expected: bool = True) -> Source:
        """Look at the beginning of an open file."""
        return cls(path, file, file.seek(0, os.SEEK_END), _from_start(file), expected)

    @cached_property
    def archive(self) -> ZipListing | None:
        """Its members, where it begins as a zip archive does and can be listed."""
        return ZipListing.of(self.file) if self.head.startswith(ZIP_MAGIC) else None

    @property
    def short_names(self) -> frozenset[str]:
        """Of the members of an archive, without the folder that all lie in; none where it is no archive."""
        return self.archive.short_names if self.archive else frozenset()

    def bytes_at(self, place: int, count: int) -> bytes:
        """Some bytes; fewer where the file ends before."""
        self.file.seek(place)
        return self.file.read(max(0, min(count, self.size - place)))


def _from_start(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(HEAD)


@dataclass
class _Few(Generic[T]):
    """The first of many things."""

    first: list[T] = field(default_factory=list)
    count: int = 0

    def add(self, thing: T) -> None:
        if len(self.first) < LISTED:
            self.first.append(thing)
        self.count += 1

    def some(self) -> Some[T]:
        return Some(tuple(self.first), self.count)


@dataclass
class Look:
    """What is taken down of a file while it is looked through.

    Attributes:
        readable: whether rfav reads such files as checkpoints or stores.
        why_not: why it reads no such file; empty where it does.
    """

    readable: bool = True
    why_not: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    tensor_bytes: int = 0
    _tensors: _Few[ScannedTensor] = field(default_factory=_Few)
    _dtypes: Counter[str] = field(default_factory=Counter)
    _classes: _Few[str] = field(default_factory=_Few)
    _calls: _Few[str] = field(default_factory=_Few)
    _operators: _Few[str] = field(default_factory=_Few)
    _members: _Few[ScannedMember] = field(default_factory=_Few)
    _member_bytes: int = 0
    _findings: list[ScanFinding] = field(default_factory=list)
    _of_rule: Counter[str] = field(default_factory=Counter)

    def tensor(self, name: str, shape: tuple[int, ...], dtype: str, size: int, *, counted: bool = True) -> None:
        """Take down a tensor.

        Args:
            name: as the file has it.
            shape: its sizes.
            dtype: its type of numbers.
            size: its bytes.
            counted: add them to the file's sum.
        """
        self._tensors.add(ScannedTensor(cut(name), shape, dtype, size))
        self._dtypes[dtype] += 1
        self.tensor_bytes += size if counted else 0

    def member(self, name: str, size: int, stored: int) -> None:
        """Take down a member of an archive."""
        self._members.add(ScannedMember(cut(name), size, stored))
        self._member_bytes += size

    def names(self, classes: Iterable[str] = (), calls: Iterable[str] = (), operators: Iterable[str] = ()) -> None:
        """Take down what a pickle names and calls, and what a program computes with."""
        for names, taken in ((classes, self._classes), (calls, self._calls), (operators, self._operators)):
            for name in names:
                taken.add(cut(name))

    def say(self, key: str, value: Any) -> None:
        """Take down what a file says of itself."""
        if len(self.metadata) < LISTED:
            self.metadata[cut(key)] = cut(str(value) if not isinstance(value, str) else value)

    def find(self, rule: str, message: str) -> None:
        """Take down a finding; of very many of one rule the first."""
        self._of_rule[rule] += 1
        if self._of_rule[rule] <= _FINDINGS:
            self._findings.append(ScanFinding(rule, printable(message, _LONGEST)))

    @property
    def tensors(self) -> int:
        """How many tensors there are so far."""
        return self._tensors.count

    def found(self, rule: str) -> bool:
        """Whether there is a finding of a rule."""
        return bool(self._of_rule[rule])

    def done(self, path: str, name: str, what: str, size: int) -> ScannedFile:
        """All that was taken down."""
        refused = [finding.message for finding in self._findings if finding.level in ("refused", "incomplete")]
        opens = self.readable and not refused
        for rule, met in self._of_rule.items():
            if met > _FINDINGS:
                self._findings.append(ScanFinding(rule, f"{met - _FINDINGS:,} more of this kind"))
        return ScannedFile(
            path,
            name,
            what,
            size,
            opens=opens,
            why_not="" if opens else self.why_not or (refused[0] if refused else ""),
            tensors=self._tensors.some(),
            tensor_bytes=self.tensor_bytes,
            dtypes=dict(self._dtypes.most_common(50)),
            metadata=self.metadata,
            classes=self._classes.some(),
            calls=self._calls.some(),
            operators=self._operators.some(),
            members=self._members.some(),
            member_bytes=self._member_bytes,
            findings=tuple(self._findings),
        )


def cut(text: str) -> str:
    """A name or a value of a file, its middle left out where it is long; escaped only where it is shown."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
