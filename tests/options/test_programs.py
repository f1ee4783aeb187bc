from __future__ import annotations

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options import Analyze
from rfav_cli.options.programs import Programs
from rfav_cli.options.values import bytes_of, size_or_none


def test_by_default_there_is_what_suits_a_file() -> None:
    assert Programs() == Programs(time_limit=None, memory_limit=None)


@pytest.mark.parametrize(
    ("given", "size"), [("4GiB", 2**32), ("4 gb", 2**32), ("1.5G", 3 * 2**29), (200, 200 * 2**20), ("1TiB", 2**40)]
)
def test_a_size_has_a_unit_or_is_of_mebibytes(given: str | int, size: int) -> None:
    taken = Analyze(("run",), probe="p.npz", memory_limit=given).memory_limit
    assert bytes_of(str(taken)) == size
    assert size_or_none(taken) == taken


@pytest.mark.parametrize("given", ["", "0", "0.5MiB", "4 parsecs", "-1GiB", "nan", True, "9" * 40])
def test_what_is_no_size_is_refused(given: str | bool) -> None:
    with pytest.raises(UsageError, match="--memory-limit"):
        Programs(memory_limit=given)


@pytest.mark.parametrize("given", [0, -1, float("nan"), "3", True])
def test_what_is_no_time_is_refused(given: float | str) -> None:
    with pytest.raises(UsageError, match="--time-limit"):
        Programs(time_limit=given)  # type: ignore[arg-type]


def test_a_file_beside_the_net_sets_no_limit() -> None:
    from rfav_cli.options import options_of

    assert {option.from_project for _, option in options_of(Programs)} == {"never"}
