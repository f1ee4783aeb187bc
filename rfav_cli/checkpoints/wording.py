"""How messages name several files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.checkpoints.order import glob_of
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_LISTED = 5


def by_form(paths: Sequence[Path], what: Sequence[str] = ()) -> list[str]:
    """Names, one for those that are alike but for numbers and of which the same is said: "optimizer_*.pt (...)".

    Args:
        paths: of files or folders.
        what: is said behind each name.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for path, words in zip(paths, what or [""] * len(paths), strict=True):
        groups.setdefault((glob_of(path), words), []).append(path.name)
    return [f"{names[0] if len(set(names)) == 1 else glob}{words}" for (glob, words), names in groups.items()]


def listed(names: Iterable[object], limit: int = _LISTED) -> str:
    """The first of several names, safe to show, and how many more there are.

    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    shown = [printable(name, 120) for name in names]
    more = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more
