"""What `rfav scan` finds in files: what each is, what is in it, whether rfav would open it, and what stands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

ScanLevel = Literal["danger", "refused", "note", "incomplete"]
"""Danger: who loads it in the usual way runs code; refused: rfav would not open it; note: worth knowing; incomplete:
it could not be looked through whole."""
FLAGGED_LEVELS = ("danger", "refused", "note")
"""What `--flag` takes, the gravest first."""

CLEAN, FOUND, UNSAID = 0, 1, 2
"""Exit codes of `rfav scan`."""


@dataclass(frozen=True)
class ScanRule:
    """One kind of thing that a scan finds.

    Attributes:
        id: stable: "RFAV301".
        name: stable: "runs-code".
        level: how grave it is.
        summary: in a sentence.
        remedy: what to do about it.
    """

    id: str
    name: str
    level: ScanLevel
    summary: str
    remedy: str


SCAN_RULES: Mapping[str, ScanRule] = {
    rule.name: rule
    for rule in (
        ScanRule(
            "RFAV301",
            "runs-code",
            "danger",
            "Loading the file in the usual way runs code that it chose.",
            "Do not load it. Ask who made it for the weights alone, as safetensors.",
        ),
        ScanRule(
            "RFAV302",
            "reaches-out",
            "danger",
            "The file reaches beyond its tensors: to files, other processes, memory or the terminal.",
            "Do not run it. Ask who made it for the state_dict alone.",
        ),
        ScanRule(
            "RFAV303",
            "refused",
            "refused",
            "rfav would not open the file.",
            "Save it again as the message says, or leave it out with --exclude.",
        ),
        ScanRule(
            "RFAV304",
            "objects",
            "note",
            "The file holds objects of classes that are not torch's own; rfav reads them as data.",
            "Nothing need be done for rfav. Others import these classes when they load the file: save the state_dict.",
        ),
        ScanRule(
            "RFAV305",
            "unusual",
            "note",
            "The file is made in a way that its usual writer does not make it.",
            "Ask how it was made; save it again where that is not known.",
        ),
        ScanRule(
            "RFAV306",
            "no-weights",
            "note",
            "The file holds no weights that rfav could measure.",
            "Nothing need be done; rfav measures the checkpoints beside it.",
        ),
        ScanRule(
            "RFAV307",
            "incomplete",
            "incomplete",
            "The file could not be looked through whole, so nothing vouches for what was not seen.",
            "Copy or save it again where it is damaged; where its format is not known, leave it out with --exclude.",
        ),
    )
}
"""Name -> rule. Those of the gate (`diagnosis/rules.py`) have other ids."""


@dataclass(frozen=True)
class Some(Generic[T]):
    """The first of many things, and how many there are."""

    first: tuple[T, ...] = ()
    count: int = 0

    @property
    def more(self) -> int:
        """How many are not among the first."""
        return self.count - len(self.first)


@dataclass(frozen=True)
class ScannedTensor:
    """A tensor of a file; nothing but its name is text of the file."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


@dataclass(frozen=True)
class ScannedMember:
    """A file in an archive: its name, its bytes, and the bytes that it takes there."""

    name: str
    bytes: int
    stored: int


@dataclass(frozen=True)
class ScanFinding:
    """Something that stands out in a file.

    Attributes:
        rule: the name of a rule.
        message: in words, with text from the file made printable.
    """

    rule: str
    message: str

    @property
    def level(self) -> ScanLevel:
        """How grave it is."""
        return SCAN_RULES[self.rule].level


@dataclass(frozen=True)
class ScannedFile:
    """What a file is and what is in it. Names in it are text from the file, as it has them.

    Attributes:
        path: as given or found.
        format: a stable name: a checkpoint format of rfav, or another.
        what: the format in words.
        bytes: of the file.
        opens: whether rfav would open it as a checkpoint or a store.
        why_not: why it would not; empty where it would.
        tensors: by name, in the file's order.
        tensor_bytes: of all, those that share a storage counted once where that is known.
        dtypes: type of numbers -> how many tensors are of it.
        metadata: what the file says of itself.
        classes: dotted names of foreign classes and functions.
        calls: dotted names that a pickle calls and that are more than plain data.
        operators: of a program.
        members: of an archive.
        member_bytes: what they unpack to.
        findings: in the order of the file.
    """

    path: str
    format: str
    what: str
    bytes: int
    opens: bool = False
    why_not: str = ""
    tensors: Some[ScannedTensor] = field(default_factory=Some)
    tensor_bytes: int = 0
    dtypes: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    classes: Some[str] = field(default_factory=Some)
    calls: Some[str] = field(default_factory=Some)
    operators: Some[str] = field(default_factory=Some)
    members: Some[ScannedMember] = field(default_factory=Some)
    member_bytes: int = 0
    findings: tuple[ScanFinding, ...] = ()

    def having(self, *levels: ScanLevel) -> tuple[ScanFinding, ...]:
        """The findings of some levels."""
        return tuple(finding for finding in self.findings if finding.level in levels)


@dataclass(frozen=True)
class ScanReport:
    """All that a scan has to say.

    Attributes:
        files: in the order in which they were named or found.
        flag: the least grave level that is flagged.
        notes: what was passed over, in words.
    """

    files: tuple[ScannedFile, ...]
    flag: str = "refused"
    notes: tuple[str, ...] = ()

    @property
    def flagged(self) -> tuple[ScanFinding, ...]:
        """The findings that decide between 0 and 1."""
        levels = FLAGGED_LEVELS[: FLAGGED_LEVELS.index(self.flag) + 1]
        return tuple(finding for file in self.files for finding in file.findings if finding.level in levels)

    @property
    def code(self) -> int:
        """2 where anything could not be looked through whole, or nothing was; else 1 where anything is flagged."""
        if not self.files or any(file.having("incomplete") for file in self.files):
            return UNSAID
        return FOUND if self.flagged else CLEAN
