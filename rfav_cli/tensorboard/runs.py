"""All runs below a folder for a page that follows them; none of it needs torch."""

from __future__ import annotations

import atexit
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rfav_cli.errors import RfavError, StoreError
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rfav_cli.render.html import PreparedRun
    from rfav_cli.store import Finder

MOST_RUNS = 50
"""Stores that are shown, those that changed last."""

KEPT = 2
"""Revisions of a run whose blocks are given: a page may still show the one before."""

LONGEST_READ = 10.0
"""Seconds that the end of the process waits for a thread that reads."""


@dataclass
class _Shown:
    """A run as its store was when it was read, and by their revisions those before."""

    state: tuple[object, ...] = ()
    revisions: dict[str, PreparedRun] = field(default_factory=dict)

    @property
    def last(self) -> PreparedRun:
        return list(self.revisions.values())[-1]


class RunsBelow:
    """The runs below a folder, read again when their stores change. Several threads may ask at once."""

    def __init__(
        self,
        folder: Path,
        *,
        maps: int = 32,
        thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
        patience: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at nothing yet.

        Args:
            folder: where stores are looked for, at any depth; it need not be there.
            maps: of how many images of each store the heatmaps are shown.
            thresholds: of the verdicts.
            patience: seconds before the folder is searched again; stores that are known are looked at each time.
            clock: gives seconds.
        """
        self._folder = folder.absolute()
        self._maps, self._thresholds = maps, thresholds
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        self._finder: Finder | None = None
        self._searched: float | None = None
        self._paths: list[Path] = []
        self._whole = True
        self._shown: dict[Path, _Shown] = {}

    def is_empty(self) -> bool:
        """Whether there is no store below the folder."""
        with self._lock:
            return not self._search()

    def manifest(self) -> dict[str, Any]:
        """What the front-end reads: `docs/frontend.md` describes it. A store that can't be shown is in `skipped`."""
        from rfav_cli.version import __version__

        with self._lock:
            paths, skipped = self._chosen(self._search())
            self._shown = {path: shown for path, shown in self._shown.items() if path in paths}
            runs = []
            for path, name in zip(paths, self._names(paths), strict=True):
                prepared = self._prepared(path)
                if isinstance(prepared, str):
                    skipped.append({"name": printable(name), "reason": prepared})
                else:
                    runs.append({"id": self._id(path), **prepared.manifest, "name": printable(name)})
        return {"schema": 1, "version": __version__, "runs": runs, "skipped": skipped}

    def block(self, run: str, name: str, revision: str) -> bytes:
        """A block, packed.

        Args:
            run: its id in the manifest.
            name: of the block.
            revision: of the run that the manifest told.

        Raises:
            StoreError: the manifest told of no such block, that was too long ago, or the store can't be read any more.
        """
        with self._lock:
            shown = next((state for path, state in self._shown.items() if self._id(path) == run), _Shown())
            prepared = shown.revisions.get(revision)
            if prepared is None or name not in prepared.blocks:
                raise StoreError("there is no such block now", "Read the manifest again.")
            return prepared.blocks[name].packed()

    def _end(self) -> None:
        """Wait until no thread reads, and let none read again: the process ends.

        A daemon thread that the interpreter ends inside of HDF5 keeps h5py's lock, and the process would wait for it
        forever.
        """
        self._lock.acquire(timeout=LONGEST_READ)

    def _search(self) -> list[Path]:
        from rfav_cli.store import Finder

        now = self._clock()
        if self._searched is None or now - self._searched >= self._patience:
            if self._finder is None:
                self._finder = Finder(self._folder)
                atexit.register(self._end)  # after h5py, which is loaded by now, so that it is called before h5py's own
            self._paths, self._whole = self._finder.find()
            self._searched = now
        return self._paths

    def _chosen(self, paths: Sequence[Path]) -> tuple[list[Path], list[dict[str, str]]]:
        """The stores that are shown, and what is to be said of the others."""
        skipped = []
        chosen = sorted(sorted(paths, key=_last_change, reverse=True)[:MOST_RUNS])
        remedy = "start TensorBoard with a --logdir further down"
        if len(chosen) < len(paths):
            rest = len(paths) - len(chosen)
            skipped.append({"name": f"{rest} more", "reason": f"only the {MOST_RUNS} newest are shown; {remedy}"})
        if not self._whole:
            skipped.append({"name": "the rest of the folder", "reason": f"too many files to search; {remedy}"})
        return chosen, skipped

    def _prepared(self, path: Path) -> PreparedRun | str:
        """The run as it is now, or why it can't be shown."""
        from rfav_cli import store
        from rfav_cli.commands.report import prepare_run

        state = store.state_of(path)
        shown = self._shown.get(path) or _Shown()
        if state != shown.state or not shown.revisions:
            try:
                prepared = prepare_run(path, name="", maps=self._maps, thresholds=self._thresholds)
            except RfavError as error:
                return printable(error, 500)
            except Exception as error:  # a store that anybody wrote must not take the others from the page
                return f"cannot be shown ({named(error)})"
            shown.revisions.pop(prepared.manifest["revision"], None)
            shown.revisions[prepared.manifest["revision"]] = prepared
            while len(shown.revisions) > KEPT:
                shown.revisions.pop(next(iter(shown.revisions)))
            shown.state = state
            self._shown[path] = shown
        return shown.last

    def _id(self, path: Path) -> str:
        """The path below the folder, in letters that an address can hold whatever its bytes are."""
        return quote(os.fsencode(path.relative_to(self._folder)))

    def _names(self, paths: Sequence[Path]) -> list[str]:
        """Names as TensorBoard gives runs: the folder of an `rfav.h5`, and else the path without its suffix."""
        within = [path.relative_to(self._folder) for path in paths]
        short = [
            path.parent if path.name == "rfav.h5" and path.parent.name else path.with_suffix("") for path in within
        ]
        return [str(name if short.count(name) == 1 else path) for name, path in zip(short, within, strict=True)]


def _last_change(path: Path) -> float:
    files = [file for file in (path, path.with_name(path.name + ".d")) if file.exists()]
    with suppress(OSError):  # it may go meanwhile
        return max((file.stat().st_mtime for file in files), default=0.0)
    return 0.0
