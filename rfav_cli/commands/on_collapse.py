"""The command that the user wants run when a run collapses: a layer of it, or the run as a whole."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

from rfav_cli.errors import UsageError
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli.records import Verdict

OPTION = "--on-collapse"
_STDERR = 2
_UNSAFE = re.compile(r"[^\w.:/-]")
_LONGEST = 2000


def is_collapse(verdict: Verdict) -> bool:
    """Whether going on is of no use: a layer has collapsed, the run overfits, or it broke or diverged."""
    return verdict.run.state in {"overfitting", "broken", "diverged"} or bool(verdict.in_state("collapsed"))


class CollapseCommand:
    """Runs a command of the user's once, without a shell, and never ends it.

    It is told in the environment what became of the run: RFAV_STORE, RFAV_EPOCH, RFAV_STATE and RFAV_LAYERS, the names
    of the layers that collapsed with a comma between two, in which letters, digits and `_.:/-` are as they are and all
    else is `_`. It has a session of its own, so that Ctrl-C does not reach it, and prints to stderr.

    Args:
        command: as a shell would split it; no variables, no globs.

    Raises:
        UsageError: that cannot be split, or there is no such program.
    """

    def __init__(self, command: str) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UsageError(
                f"{OPTION} {printable(command)}: {what_it_says(error)}", "Quote it as for a shell."
            ) from None
        if not self._words or shutil.which(self._words[0]) is None:
            what = f"no program {printable(self._words[0])!r}" if self._words else "empty"
            raise UsageError(
                f"{OPTION} {printable(command)!r}: {what}",
                "Give a program and its arguments; for what a shell does, \"sh -c '…'\".",
            )
        self._name = printable(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._tried = False
        self._reported = True

    def start(self, store: Path, epoch: int, verdict: Verdict) -> str:
        """Start it, unless it was started before, and say so; it is not waited for."""
        if self._tried:
            return ""
        self._tried = True
        layers = ",".join(_UNSAFE.sub("_", layer.name) for layer in verdict.in_state("collapsed"))
        variables = os.environ | {
            "RFAV_STORE": str(store.absolute()),
            "RFAV_EPOCH": str(epoch),
            "RFAV_STATE": verdict.run.state,
            "RFAV_LAYERS": layers[:_LONGEST],
        }
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command, split by us
                self._words,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=_STDERR,
                start_new_session=True,
            )
        except OSError as error:
            return f"{OPTION} {self._name}: could not be started ({what_it_says(error)})"
        self._reported = False
        threading.Thread(target=self._process.wait, daemon=True).start()
        return f"{OPTION} {self._name}: started (process {self._process.pid})"

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended yet."""
        return self._process is not None and self._process.returncode is None

    def outcome(self) -> str:
        """How it ended, the first time that is asked after it did; else nothing."""
        if self._process is None or self.runs or self._reported:
            return ""
        self._reported = True
        code = self._process.returncode
        how = "done" if code == 0 else f"failed, exit code {code}" if code > 0 else f"ended by signal {-code}"
        return f"{OPTION} {self._name}: {how}"

    def left_alone(self) -> str:
        """That it still runs, if it does."""
        if self._process is None or not self.runs:
            return ""
        return f"{OPTION} {self._name}: still runs (process {self._process.pid}) and is left alone"
