"""What runs are called beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_names(paths: Sequence[str | Path]) -> list[str]:
    """Short names for runs, from where the paths of their stores differ; one that is given twice is numbered.

    >>> run_names(["overfit.h5"]), run_names(["runs/a/rfav.h5", "runs/b/rfav.h5"])
    (['overfit'], ['a', 'b'])
    """
    places = [Path(path).absolute() for path in paths]
    parts = [(*place.parent.parts, place.stem) for place in places]
    different = len(set(parts))
    while different > 1 and len({each[-1] for each in parts}) == 1 < min(map(len, parts)):
        parts = [each[:-1] for each in parts]
    names: list[str] = []
    for length in range(1, 1 + max(map(len, parts), default=0)):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == different:
            break
    return [
        name if name not in names[:number] else f"{name} ({names[:number].count(name) + 1})"
        for number, name in enumerate(names)
    ]
