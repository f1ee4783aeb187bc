"""Gives a case to the command that it is for, and says what is wrong with how that ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli.text import printable
from tests.corpus.case import CANARY

if TYPE_CHECKING:
    from tests.acceptance.commands import Done, Rfav
    from tests.corpus.case import Case

SITE = Path(__file__).parent / "site"
CPU = 10.0
"""Seconds that a case may take."""
MEMORY = 600 * 2**20
"""Bytes that a case may take beyond what a good file takes."""
WAIT = 40.0
"""Seconds of a clock after which a command is ended."""
_MEASURED = re.compile(r"(\d+) (?:epochs?|steps?), (\d+) layers?")


@dataclass(frozen=True)
class Bounds:
    """What a command may take.

    Attributes:
        memory: bytes.
        cpu: seconds.
        wait: seconds of a clock.
    """

    memory: float
    cpu: float = CPU
    wait: float = WAIT


def judge(case: Case, folder: Path, rfav: Rfav, bounds: Bounds) -> list[str]:
    """What is wrong, a line a fault; nothing where the case ends as it must.

    Args:
        case: written into `folder` here.
        folder: empty.
        rfav: runs the command.
        bounds: what it may take.
    """
    home = case.write(folder)
    log = folder / "audit.log"
    own = home / ".tmp"  # torch puts its caches there
    own.mkdir()
    environment = {"RFAV_CORPUS_AUDIT": str(log), "RFAV_CORPUS_HOME": str(home)}
    environment |= {"PYTHONPATH": str(SITE), "TMPDIR": str(own)}
    watched = {"log": str(log), "seconds": bounds.wait * (3 if case.whole else 1), "whole": case.whole}
    done = rfav(home, *case.arguments, watched=watched, environment=environment)
    return [*faults_of_end(case, done), *faults_of_cost(done, bounds), *traces(folder, log)]


def faults_of_end(case: Case, done: Done) -> list[str]:
    """What is wrong with the exit code and with what was printed."""
    said = done.out + done.err
    faults = [] if done.code in case.ends else [f"ended with {done.code}, not {case.ends}: {last_line(done.err)}"]
    faults += [f"says {words!r}" for words in ("not expected", "Traceback") if words in said]
    if any(not (character.isprintable() or character in "\n\t") for character in said) or "\n::" in f"\n{said}":
        faults.append("prints text of the file as it is")
    if done.code == 2 and 2 in case.ends:
        faults += faults_of_error(case, done.err)
    if done.code == 0 and case.given in ("checkpoint", "program", "probe", "classes", "settings"):
        found = _MEASURED.search(said)
        measured = tuple(map(int, found.groups())) if found else None
        if measured != (case.epochs, case.layers):
            faults.append(f"measured {measured}, not {(case.epochs, case.layers)}: {last_line(said)}")
    return faults


def faults_of_error(case: Case, err: str) -> list[str]:
    """What is wrong with the words of a refusal."""
    _, found, error = f"\n{err}".rpartition("\nerror: ")
    if not found:
        return [f"no error is said: {last_line(err)}"]
    faults = [] if len(error.splitlines()) <= 2 else [f"an error of {len(error.splitlines())} lines"]
    name = printable(case.file.rstrip("/"))
    if name not in error and not any(word in error for word in case.says):
        faults.append(f"names neither {name} nor {case.says}: {error.splitlines()[0]}")
    return faults


def faults_of_cost(done: Done, bounds: Bounds) -> list[str]:
    """What is wrong with what it took."""
    faults = [] if done.cpu <= bounds.cpu else [f"took {done.cpu:.1f} s of CPU"]
    return faults if done.memory <= bounds.memory else [*faults, f"held {done.memory / 2**20:.0f} MiB"]


def traces(folder: Path, log: Path) -> list[str]:
    """What the file did, if it did anything."""
    noted = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else ["no audit"]
    ran = ["the payload RAN"] if any(folder.rglob(CANARY + "*")) else []
    return [*ran, *(f"audit: {line[:160]}" for line in noted[:3])]


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error")]
    return (errors or lines or [""])[-1][:200]
