"""The epochs that files hold, against those in their names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.order import form_of, says_epoch, says_run
from rfav_cli.records import Doubt
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MOST = 2 / 3
"""Share of the files whose names say by the same difference what they hold, from which the others are doubted."""

_FEWEST = 3
"""Files from which that is told."""

_LISTED = 5
_REMEDY = "Look whether these files were overwritten or renamed; --epochs takes the epochs from the names."


@dataclass(frozen=True)
class NamedFile:
    """A file whose name and content both say an epoch.

    Attributes:
        path: of the file.
        named: the epoch in its name.
        stored: the epoch that it holds.
    """

    path: Path
    named: int
    stored: int

    @property
    def difference(self) -> int:
        """How much further the name is."""
        return self.named - self.stored


def never_counted(files: Sequence[NamedFile]) -> bool:
    """Whether the epoch that is stored was never counted up: the same in all files, while their names differ.

    Names that number runs, folds or seeds say nothing of it: such files may be the last of several runs.
    """
    stored, named = {file.stored for file in files}, {file.named for file in files}
    alike = len(files) > 1 and len(stored) == 1 and len(named) == len(files)
    return alike and not says_run([file.path for file in files])


def describe_difference(files: Sequence[NamedFile]) -> str:
    """What to know where names count otherwise than the files do; empty where there is nothing.

    One more or one less is a habit: a file is named after the epoch that it ends, or the next one is stored.
    """
    differences = {file.difference for file in files}
    if len(differences) != 1 or differences == {0}:
        return ""
    (difference,), first = differences, files[0]
    if abs(difference) != 1 and not all(says_epoch(file.path) for file in files):
        return ""  # such a number need be no epoch
    return (
        f"the epochs stored in the files are taken, not those in their names: {_shown(first.path)} stores "
        f"{first.stored}"
    )


def epoch_doubts(files: Sequence[NamedFile]) -> tuple[Doubt, ...]:
    """The doubt about files whose epoch is another than their names say.

    Numbers in names that count something else, steps or sizes, say nothing of epochs: names are held against what is
    stored only where most of them agree with it, up to one difference for all, or where they say "epoch" and are in
    another order. What is named as untrained may store any epoch.
    """
    trained = [file for file in files if file.named >= 0]
    counts = Counter(file.difference for file in trained)
    if len(counts) < 2:
        return ()
    usual, count = counts.most_common(1)[0]
    if len(trained) >= _FEWEST and count >= _MOST * len(trained):
        forms = {form_of(file.path) for file in trained if file.difference == usual}
        others = [file for file in trained if file.difference != usual]
        others = [file for file in others if says_epoch(file.path) or form_of(file.path) in forms]
        as_named = "the epoch in their names"
        agreed = f"{abs(usual)} {'less' if usual > 0 else 'more'} than {as_named}" if usual else as_named
        return _doubts(others, f"where the others store {agreed}")
    in_order = all(one.stored < other.stored for one, other in pairwise(sorted(trained, key=lambda file: file.named)))
    if in_order or not all(says_epoch(file.path) for file in trained):
        return ()
    return _doubts([file for file in trained if file.difference], "in another order than that of the names")


def _doubts(files: Sequence[NamedFile], how: str) -> tuple[Doubt, ...]:
    listed = ", ".join(f"{_shown(file.path)} stores epoch {file.stored}" for file in files[:_LISTED])
    more = f" and {len(files) - _LISTED} more" if len(files) > _LISTED else ""
    where = f"epoch {files[0].stored}" if len(files) == 1 else ""
    return (Doubt("epoch", where, f"{listed}{more}, {how}", _REMEDY, 0.8),) if files else ()


def _shown(path: Path) -> str:
    """The part of a path that its epoch may be in."""
    return printable("/".join(path.parts[-1 if says_epoch(path) else -2 :]))
