from __future__ import annotations

import json
import os
import resource
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli import isolation
from rfav_cli.errors import CheckpointError, RanksError
from rfav_cli.isolation import Orders, ProgramFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOW: dict[str, Any] = {"threads": 1, "on_cpu": True}


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> isolation._Process:
    fresh = isolation._Process()
    monkeypatch.setattr(isolation, "_process", fresh)
    return fresh


class Parent:
    """The other end of a child's pipes."""

    def __init__(self, process: isolation._Process) -> None:
        self.status, told = os.pipe()
        self.output, written = os.pipe()
        process.role = "child"
        process.orders = Orders(told, written, os.getppid(), sys.path, {})
        self.theirs = (told, written)
        for descriptor in (self.status, self.output):
            os.set_blocking(descriptor, False)

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read(self.status).splitlines()]

    def read(self, descriptor: int) -> str:
        try:
            return os.read(descriptor, 2**16).decode()
        except BlockingIOError:
            return ""


@pytest.fixture
def parent(process: isolation._Process) -> Iterator[Parent]:
    made = Parent(process)
    yield made
    for descriptor in (made.status, made.output, *made.theirs):
        os.close(descriptor)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net_1.ts"
    path.write_bytes(b"program")
    return path


def test_a_caller_of_the_api_runs_programs_without_limits(process: isolation._Process, file: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_CPU)
    with isolation.loading(file, **HOW), isolation.forward(file, 2, 100):
        assert resource.getrlimit(resource.RLIMIT_CPU) == before
    assert process.accounts == {}


def test_a_command_line_runs_none(process: isolation._Process, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(isolation.CHILD, raising=False)
    isolation.start()
    assert isolation.is_command()
    with pytest.raises(ProgramFoundError), isolation.loading(file, **HOW):
        pytest.fail("it was loaded")
    process.alone = False
    with pytest.raises(RanksError, match=r"net_1\.ts"), isolation.loading(file, **HOW):
        pytest.fail("it was loaded")


def test_no_handler_of_errors_holds_that_up() -> None:
    assert not issubclass(ProgramFoundError, Exception)


def test_a_child_tells_what_it_is_at(parent: Parent, file: Path) -> None:
    isolation.limit(6, None, goes_on=True)
    with isolation.loading(file, **HOW):
        assert parent.heard() == [{"goes_on": True}, {"at": [str(file), "it was loaded", 6]}]
    assert parent.heard() == [{"at": None}]
    with isolation.forward(file, 2, 100):
        assert parent.heard() == [{"at": [str(file), "it was run on 2 samples", 6]}]
    with pytest.raises(ValueError, match="of its own"), isolation.forward(file, 1, 100):
        raise ValueError("of its own")
    *_, first, last = parent.heard()
    assert first["at"][1] == "it was run on 1 sample"
    assert last == {"at": None}


def test_a_copy_has_the_name_of_the_file(parent: Parent, file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.ts"
    copy.write_bytes(b"program")
    with isolation.called(copy, file), isolation.loading(copy, **HOW):
        assert parent.heard()[0]["at"][0] == str(file)
    with isolation.loading(copy, **HOW):
        assert parent.heard()[1]["at"][0] == str(copy)


def test_holes_of_a_file_give_it_no_time(parent: Parent, process: isolation._Process, file: Path) -> None:
    os.truncate(file, 2**33)
    with isolation.loading(file, **HOW):
        assert process.accounts[str(file)].seconds < 5
    assert parent.heard()


def burn(seconds: float) -> None:
    end = isolation.cpu_seconds() + seconds
    while isolation.cpu_seconds() < end:
        pass


def test_time_is_taken_from_one_account_and_the_first_forward_bounds_the_others(
    parent: Parent, process: isolation._Process, file: Path
) -> None:
    isolation.limit(6, None, goes_on=False)
    before = resource.getrlimit(resource.RLIMIT_CPU)
    with isolation.loading(file, **HOW):
        burn(0.02)
    with isolation.forward(file, 2, 100):
        burn(0.04)
        assert 5 <= resource.getrlimit(resource.RLIMIT_CPU)[0] - isolation.cpu_seconds() <= 7
    account = process.accounts[str(file)]
    assert 0.06 <= account.used < 1
    assert account.per_sample is not None
    assert 0.02 <= account.per_sample < 0.2
    with isolation.forward(file, 100, 100):
        allowed = resource.getrlimit(resource.RLIMIT_CPU)[0] - isolation.cpu_seconds()
        assert allowed >= 6 + 20 * 100 * 0.02 - 1
    assert resource.getrlimit(resource.RLIMIT_CPU) == before
    assert parent.heard()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 GiB")])
def test_too_little_memory_is_said_of_the_file(parent: Parent, file: Path, error: Exception) -> None:
    of_file = pytest.raises(CheckpointError, match=r"net_1\.ts: malformed or too large: .* while it was loaded")
    with of_file as told, isolation.loading(file, **HOW):
        raise error
    assert "--memory-limit" in told.value.remedy
    without_file = pytest.raises(CheckpointError, match=r"^malformed or too large: .* while it was run on 2")
    with without_file, isolation.forward(file, 2, 100):
        raise error
    with isolation.forward(file, 2, 100):
        pass
    with pytest.raises(type(error)), isolation.forward(file, 50, 100):  # the batch may be too large
        raise error
    assert parent.heard()[-1] == {"at": None}


def test_memory_is_bounded_by_the_option_or_by_what_suits_the_file(
    parent: Parent, process: isolation._Process, file: Path
) -> None:
    with isolation.loading(file, **HOW):
        soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    now = isolation.data_bytes()
    assert now is not None
    assert 0 < soft - now < 2**30
    process.memory_limit = 2**31
    with isolation.loading(file, **HOW):
        assert resource.getrlimit(resource.RLIMIT_DATA)[0] == (process.base or 0) + 2**31
    process.memory_limit, process.most = None, 2**32
    with isolation.loading(file, threads=1, on_cpu=False):  # a driver takes what it takes
        assert resource.getrlimit(resource.RLIMIT_DATA)[0] == (process.base or 0) + 2**32
    assert parent.heard()


def test_a_file_that_ended_a_child_is_not_run_again_until_it_changes(
    parent: Parent, process: isolation._Process, file: Path
) -> None:
    assert process.orders is not None
    process.orders.bad[str(file)] = (f"{file}: ended by SIGSEGV", isolation.stamp_of(str(file)))
    with pytest.raises(CheckpointError, match="ended by SIGSEGV"), isolation.loading(file, **HOW):
        pytest.fail("it was loaded")
    file.write_bytes(b"another program")
    with isolation.loading(file, **HOW):
        assert parent.heard()


def test_what_a_program_writes_reaches_the_parent_alone(
    parent: Parent, file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with isolation.loading(file, **HOW):
        os.write(1, b"\x1b[31mout")
        os.write(2, b"::error::err")
        warnings.simplefilter("always")
        warnings.warn("warned", stacklevel=1)
    assert capfd.readouterr() == ("", "")
    assert parent.read(parent.output) == "\x1b[31mout::error::errwarned"
    os.write(1, b"its own")
    assert capfd.readouterr().out == "its own"


def test_orders_go_through_the_environment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = Orders(3, 4, 5, ["/a"], {"a.ts": ("why", (1, 2)), "s3://b.ts": ("why", None)})
    monkeypatch.setenv(isolation.CHILD, orders.encoded())
    assert Orders.of_environment() == orders
    assert Orders.of_environment() is None
