from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from rfav_cli import resources
from rfav_cli.resources import Allowance, available_memory, bounded_cpu_time, bounded_memory, cpu_seconds, data_bytes

MIB = 2**20


def test_a_small_file_gets_little_and_more_of_each_gets_more() -> None:
    plain = Allowance.of_file(1000, 1)
    assert plain.seconds < 4.1
    assert plain.memory < 500 * MIB
    for more in (Allowance.of_file(2**30, 1), Allowance.of_file(1000, 8)):
        assert more.seconds > plain.seconds
        assert more.memory > plain.memory
    inputs = Allowance.of_file(1000, 1, inputs=MIB)
    assert inputs.memory == plain.memory + 512 * MIB
    assert inputs.seconds == plain.seconds


@pytest.mark.parametrize(
    ("size", "graph", "took"),
    [(31_090_498, 1.47 * MIB, 10.86), (16_580_733, 0, 2.74)],
    ids=["densenet121 exported", "efficientnet_b0 scripted"],
)
def test_nets_have_twice_what_they_took_on_a_busy_machine(size: int, graph: float, took: float) -> None:
    assert Allowance.of_file(size, 1, graph=int(graph)).seconds > 2 * took


def test_limits_hold_within_and_are_given_back() -> None:
    before = [resource.getrlimit(kind) for kind in (resource.RLIMIT_CPU, resource.RLIMIT_DATA)]
    now = data_bytes()
    assert now is not None
    with bounded_cpu_time(50), bounded_memory(now + 2**33):
        (seconds, hard), (data, _) = (resource.getrlimit(kind) for kind in (resource.RLIMIT_CPU, resource.RLIMIT_DATA))
        assert 50 <= seconds - cpu_seconds() + 1 < 52
        assert data == now + 2**33
        assert hard == before[0][1]
    assert [resource.getrlimit(kind) for kind in (resource.RLIMIT_CPU, resource.RLIMIT_DATA)] == before


def test_a_limit_that_the_user_has_set_lower_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {resource.RLIMIT_CPU: (7, 9)}
    monkeypatch.setattr(resources.resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resources.resource, "setrlimit", limits.__setitem__)
    with bounded_cpu_time(1e6):
        assert limits == {resource.RLIMIT_CPU: (7, 9)}
    limits[resource.RLIMIT_CPU] = (resource.RLIM_INFINITY, 9)
    with bounded_cpu_time(1e6):
        assert limits == {resource.RLIMIT_CPU: (9, 9)}
    assert limits == {resource.RLIMIT_CPU: (resource.RLIM_INFINITY, 9)}


MORE_THAN_ALLOWED = """
from rfav_cli.resources import bounded_memory, data_bytes
with bounded_memory(data_bytes() + 64 * 2**20):
    kept = bytes(16 * 2**20)
    try:
        bytes(128 * 2**20)
    except MemoryError:
        print("no more")
"""


def test_memory_beyond_the_limit_is_not_given() -> None:
    done = subprocess.run([sys.executable, "-c", MORE_THAN_ALLOWED], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("no more\n", 0), done.stderr


def test_where_nobody_counts_nothing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "resource", None)
    assert data_bytes() is None
    with bounded_cpu_time(0), bounded_memory(0):
        assert cpu_seconds() > 0


def test_the_memory_of_a_control_group_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tuple(str(tmp_path / name) for name in ("max", "current"))
    monkeypatch.setattr(resources, "_GROUPS", (files,))
    whole = available_memory()
    assert MIB < whole < 2**50
    Path(files[0]).write_text("400000\n")
    Path(files[1]).write_text("100000\n")
    assert available_memory() == 225000
    Path(files[0]).write_text("max\n")
    assert available_memory() > MIB
