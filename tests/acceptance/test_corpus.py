"""Hostile files do nothing and are refused in words, harmless ones are measured: the corpus, at the command line."""

from __future__ import annotations

import os
import pickle
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.corpus import harmless, hostile
from tests.corpus.case import Case
from tests.corpus.hostile.pickles import ATTACKS
from tests.corpus.judge import CPU, MEMORY, SITE, Bounds, judge
from tests.corpus.opcodes import bare

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

ALL = os.environ.get("RFAV_CORPUS") == "all"
HOSTILE, HARMLESS = 7, 2
"""One in so many files is judged, unless RFAV_CORPUS=all; the others are its siblings."""


def chosen(cases: list[Case], share: int) -> list[Case]:
    return [case for case in cases if ALL or zlib.crc32(case.name.encode()) % share == 0]


@pytest.fixture(scope="session")
def bounds(rfav: Rfav, tmp_path_factory: pytest.TempPathFactory) -> Bounds:
    """What a case may take beyond what a good file takes."""
    folder = tmp_path_factory.mktemp("good")
    good = good_case()
    home = good.write(folder)
    watched = {"log": str(folder / "log"), "seconds": 60, "whole": True}
    done = rfav(home, *good.arguments, watched=watched)
    assert done.code == 0, done.err
    assert done.cpu < CPU
    return Bounds(done.memory + MEMORY)


def good_case() -> Case:
    return Case("good", "torch zip", lambda _: None, file="good_1.pt", ends=(0,))


@pytest.mark.parametrize("case", chosen(hostile(), HOSTILE), ids=lambda case: case.name)
def test_a_hostile_file(case: Case, rfav: Rfav, bounds: Bounds, tmp_path: Path) -> None:
    assert judge(case, tmp_path, rfav, bounds) == []


@pytest.mark.parametrize("case", chosen(harmless(), HARMLESS), ids=lambda case: case.name)
def test_a_harmless_file(case: Case, rfav: Rfav, bounds: Bounds, tmp_path: Path) -> None:
    assert judge(case, tmp_path, rfav, bounds) == []


def test_there_are_enough_of_each_kind() -> None:
    kinds = {case.kind for case in hostile()}
    assert kinds >= {
        "pickle",
        "torch zip",
        "legacy",
        "safetensors",
        "TorchScript",
        "exported",
        "folder",
        "store",
        "probe",
    }
    assert {case.kind for case in chosen(hostile(), HOSTILE)} == kinds
    assert len(chosen(hostile(), HOSTILE)) >= 150
    assert len(chosen(harmless(), HARMLESS)) >= 100


# The user's own code may do what no file may: by it each of the bounds is seen to trip.


def acts(code: str) -> Case:
    """A good file, for a net whose code does something."""

    def make(path: Path) -> None:
        net = path.parent / "corpus_net.py"
        net.write_text(f"{net.read_text()}\n_made = make_net\n\ndef make_net():\n    {code}\n    return _made()\n")

    return Case("control", "torch zip", make, file="good_1.pt", ends=(0,))


def trusted(path: Path) -> None:
    bare(path.parent / "evil.pkl", ATTACKS["os-system"])
    net = path.parent / "corpus_net.py"
    net.write_text(f"import pickle\npickle.load(open('evil.pkl', 'rb'))\n{net.read_text()}")


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        (Case("control", "pickle", trusted, file="good_1.pt", ends=(0,)), "the payload RAN"),
        (Case("control", "pickle", trusted, file="good_1.pt", ends=(0,)), "audit: os.system"),
        (Case("control", "pickle", trusted, file="good_1.pt", ends=(0,)), "audit: pickle.find_class"),
        (acts("open('../elsewhere/secret_1.pt', 'rb')"), "audit: open"),
        (acts("open('../out', 'w')"), "audit: open"),
        (acts("import corpus_canary"), "audit: import"),
        (acts("import socket; socket.socket().connect_ex(('127.0.0.1', 9))"), "audit: socket.connect"),
        (acts("import subprocess; subprocess.run(['true'])"), "audit: subprocess.Popen"),
        (acts("global x; x = bytearray(800 * 2**20)"), "held "),
        (acts("sum(range(10**9 // 4))"), "took "),
        (acts("import os; os.kill(os.getpid(), 11)"), "ended with -11"),
        (acts("raise ValueError('x')"), "ended with 2"),
        (acts("print('\\x1b[31m')"), "prints text of the file as it is"),
        (Case("control", "torch zip", lambda _: None, file="good_1.pt"), "ended with 0"),
        (Case("control", "torch zip", lambda _: None, file="good_1.pt", ends=(0,), layers=7), "measured (1, 3)"),
    ],
)
def test_what_a_file_may_not_do_is_seen(case: Case, fault: str, rfav: Rfav, bounds: Bounds, tmp_path: Path) -> None:
    tight = Bounds(bounds.memory, cpu=2.0)
    assert [line for line in judge(case, tmp_path, rfav, tight) if fault in line]


def test_what_waits_is_ended(rfav: Rfav, bounds: Bounds, tmp_path: Path) -> None:
    short = Bounds(bounds.memory, wait=2.0)
    assert judge(acts("import time; time.sleep(60)"), tmp_path, rfav, short)[0].startswith("ended with -9")


def test_what_the_child_of_a_command_does_is_seen(rfav: Rfav, bounds: Bounds, tmp_path: Path) -> None:
    """That which is started as users start it, by a command line of its own."""
    case = next(case for case in harmless() if case.name == "scripted-plain")
    home = case.write(tmp_path)
    log = tmp_path / "audit.log"
    watched = {"log": str(log), "seconds": 60, "whole": True}
    environment = {"RFAV_CORPUS_AUDIT": str(log), "RFAV_CORPUS_HOME": str(home / "inner"), "PYTHONPATH": str(SITE)}
    done = rfav(home, *case.arguments, watched=watched, environment=environment)
    assert done.code == 0, done.err
    assert "o.h5" in log.read_text()


def test_a_payload_makes_its_canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The payloads work: a hostile pickle is one for who loads it."""
    monkeypatch.chdir(tmp_path)
    bare(tmp_path / "evil.pkl", ATTACKS["os-system"])
    pickle.loads((tmp_path / "evil.pkl").read_bytes())
    assert (tmp_path / "CANARY").exists()
