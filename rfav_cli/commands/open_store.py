"""Reading stores, and what their runs are called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfav_cli.records import History


def open_store(path: str | Path) -> History:
    """Read a store, also one that is still being written; heatmaps are read from the file on use.

    Raises:
        StoreError: there is none, or it is no store that this version reads.
    """
    from rfav_cli import store

    return store.open_store(Path(path))


def as_history(store: str | Path | History) -> History:
    """What a store holds, which may have been read already.

    Raises:
        StoreError: as for `open_store`.
    """
    return open_store(store) if isinstance(store, (str, Path)) else store


def run_names(paths: Sequence[str | Path]) -> list[str]:
    """Short names for runs, from where the paths of their stores differ; one that is given twice is numbered.

    >>> run_names(["overfit.h5"]), run_names(["runs/a/rfav.h5", "runs/b/rfav.h5"])
    (['overfit'], ['a', 'b'])
    """
    files = [Path(path).absolute() for path in paths]
    parts = [(*file.parent.parts, file.stem) for file in files]
    different = len(set(parts))
    while different > 1 and len({part[-1] for part in parts}) == 1 < min(map(len, parts)):
        parts = [part[:-1] for part in parts]
    names: list[str] = []
    for length in range(1, 1 + max(map(len, parts), default=0)):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == different:
            break
    return [
        name if name not in names[:number] else f"{name} ({names[:number].count(name) + 1})"
        for number, name in enumerate(names)
    ]
