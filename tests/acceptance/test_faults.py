"""Every command that writes, killed or refused by the system at its calls that change files.

Some calls of each command are tried, evenly from the first to the last; as many as `RFAV_FAULTS` says, or few.
"""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rfav_cli import open_store
from rfav_cli.store import state_of
from tests.acceptance.faults import Fault, counted
from tests.acceptance.runs import ANALYZE
from tests.acceptance.stores import assert_same_figures
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.commands import Done, Rfav

PHASES = {"kill": 0.05, "once": 0.5, "lasting": 0.95}
"""Kind of fault -> where in its share of the calls it happens."""
TRIES = int(os.environ.get("RFAV_FAULTS", "0"))
TRAIN = (
    "train",
    "--data",
    "probe.npz",
    "--model",
    "tiny_net:make_net",
    "--out",
    "out/run",
    "--epochs",
    "2",
    "--resume",
)


@dataclass(frozen=True)
class Case:
    """A command.

    Attributes:
        arguments: of the command.
        outputs: the files that it writes, all or none.
        stores: that it writes.
        before: commands that have run there before.
        tries: how many calls are tried for each kind of fault.
    """

    arguments: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    before: tuple[tuple[str, ...], ...] = ()
    tries: int = 2


FOUND = ("--output", "json:out/a.json", "--output", "sarif:out/a.sarif", "--write-baseline", "out/baseline.json")
CASES = {
    "report": Case(
        ("report", "bad.h5", "--out", "out/a.html"),
        ("out/a.html",),
        before=(("report", "good.h5", "--out", "out/a.html"),),
    ),
    "plot": Case(
        ("plot", "bad.h5", "--figure", "loss", "--out", "out/a.svg"),
        ("out/a.svg",),
        before=(("plot", "good.h5", "--figure", "loss", "--out", "out/a.svg"),),
    ),
    "recommend": Case(
        ("recommend", "bad.h5", "--out", "out/a.toml"),
        ("out/a.toml",),
        before=(("recommend", "bad.h5", "--rule", "paper", "--anyway", "--out", "out/a.toml"),),
    ),
    "check": Case(("check", "good.h5", *FOUND), ("out/a.json", "out/a.sarif", "out/baseline.json")),
    "check again": Case(
        ("check", "good.h5", "--fail-on", "none", "--min-accuracy", "0.1", *FOUND),
        ("out/a.json", "out/a.sarif", "out/baseline.json"),
        before=(("check", "good.h5", *FOUND),),
    ),
    "calibrate": Case(
        ("calibrate", "calibrated.h5", "--out", "out/t.json"),
        ("out/t.json",),
        before=(("calibrate", "calibrated.h5", "--epoch", "3", "--out", "out/t.json"),),
    ),
    "init": Case(
        ("init", "run", "--model", "tiny_net.py:make_net", "--ci", "github"),
        ("pyproject.toml", ".github/workflows/rfav.yml"),
    ),
    "pack": Case(("pack", "rfav.h5"), stores=("rfav.h5",), before=((*ANALYZE, "--no-pack"),)),
    "analyze": Case((*ANALYZE,), stores=("rfav.h5",)),
    "analyze --fresh": Case((*ANALYZE, "--fresh"), stores=("rfav.h5",), before=((*ANALYZE,),)),
    "tensorboard": Case((*ANALYZE, "--tensorboard", "out/tb"), stores=("rfav.h5",), before=((*ANALYZE,),)),
    "watch": Case(("watch", *ANALYZE[1:], "--interval", "0.05", "--idle", "0.3"), stores=("rfav.h5",)),
    "train": Case((*TRAIN, "--probe", "probe.npz"), stores=("out/run/rfav.h5",)),
}


@dataclass(frozen=True)
class Good:
    """A command that nothing went wrong with: the folder before and after it, and the names of its calls."""

    before: Path
    after: Path
    done: Done
    calls: list[str]

    def numbers(self, tries: int, kind: str) -> list[int]:
        """The calls that are tried, by number; other ones for each kind of fault, unless it is all of them."""
        tries = max(TRIES, tries)
        if len(self.calls) <= tries:
            return list(range(1, len(self.calls) + 1))
        return [1 + int((step + PHASES[kind]) / tries * len(self.calls)) for step in range(tries)]


@pytest.fixture(scope="module")
def base(finished: Path, judged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: checkpoints, samples, stores of good and bad runs, settings, a place for outputs."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("faults") / "base")
    for name in ("bad.h5", "good.h5"):
        shutil.copy(judged / name, folder / name)
    calibrated = write_judged(tmp_path_factory.mktemp("calibrated"), overfits=True, calibrated=True)
    shutil.copy(calibrated, folder / "calibrated.h5")
    (folder / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    (folder / "out").mkdir()
    return folder


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """A command."""
    if request.param == "tensorboard":
        pytest.importorskip("tensorboard")
    return CASES[request.param]


@pytest.fixture(scope="module")
def good(rfav: Rfav, base: Path, case: Case, tmp_path_factory: pytest.TempPathFactory) -> Good:
    """The command as it goes well."""
    made = tmp_path_factory.mktemp("good")
    before = shutil.copytree(base, made / "before" / "project")
    for arguments in case.before:
        assert rfav(before, *arguments).code == 0
    after = shutil.copytree(before, made / "after" / "project")
    done = rfav(after, *case.arguments, fault=Fault("none", log=str(made / "log")))
    assert done.code == 0, done.err
    return Good(before, after, done, counted(made / "log"))


def contents(folder: Path, names: tuple[str, ...]) -> list[bytes | None]:
    return [(folder / name).read_bytes() if (folder / name).exists() else None for name in names]


def left(folder: Path) -> list[Path]:
    """Temporaries."""
    return list(folder.rglob(".tmp*"))


def tried(case: Case, good: Good, rfav: Rfav, kind: str, folder: Path) -> Iterator[tuple[int, Path, Done]]:
    """The command with something wrong at one call after another, each in a folder of its own."""
    for number in good.numbers(case.tries, kind):
        place = shutil.copytree(good.before, folder / str(number) / "project")
        yield number, place, rfav(place, *case.arguments, fault=Fault(kind, number))
        shutil.rmtree(folder / str(number))


def check_what_is_there(case: Case, good: Good, place: Path, *, together: bool) -> None:
    """Outputs are as they were or as they were to be, and what is in a store can be read."""
    there = contents(place, case.outputs)
    before, after = contents(good.before, case.outputs), contents(good.after, case.outputs)
    assert all(content in pair for content, *pair in zip(there, before, after, strict=True))
    assert not together or there in (before, after)
    for name in case.stores:
        if state_of(place / name):
            assert {*open_store(place / name).epochs.tolist()} <= {*open_store(good.after / name).epochs.tolist()}


def check_next_run(case: Case, good: Good, rfav: Rfav, place: Path) -> None:
    """The same command then does what it was to do, and clears up."""
    done = rfav(place, *case.arguments)
    assert done.code == 0, done.err
    assert contents(place, case.outputs) == contents(good.after, case.outputs)
    for name in case.stores:
        assert_same_figures(place / name, good.after / name)
    assert left(place) == []


def test_all_that_changes_files_is_tried(good: Good) -> None:
    assert good.calls
    assert "another way" not in good.calls
    assert left(good.after) == []


def test_a_kill_loses_nothing(case: Case, good: Good, rfav: Rfav, tmp_path: Path) -> None:
    for number, place, done in tried(case, good, rfav, "kill", tmp_path):
        assert done.code == -signal.SIGKILL, (number, done.err)
        check_what_is_there(case, good, place, together=len(case.outputs) == 1)
        check_next_run(case, good, rfav, place)


@pytest.mark.parametrize("kind", ["once", "lasting"])
def test_what_the_system_refuses_is_said_in_a_line(
    case: Case, good: Good, rfav: Rfav, tmp_path: Path, kind: str
) -> None:
    for number, place, done in tried(case, good, rfav, kind, tmp_path):
        what = f"{good.calls[number - 1]} {number}: {done.err}"
        assert done.code in (0, 2), what
        assert "not expected" not in done.err, what
        assert "Traceback" not in done.err, what
        if done.code == 2:
            (error,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
            assert any(name in error for name in (*case.outputs, *case.stores, "out/", "rfav.h5")), what
        check_what_is_there(case, good, place, together=kind == "once")
        check_next_run(case, good, rfav, place)
