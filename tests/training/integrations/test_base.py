"""What the callbacks share."""

from __future__ import annotations

from typing import Any

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.training.integrations.base import checked, ignore, missing, record


class Recording:
    """Has what a Monitor has."""

    def record(self, epoch: int) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def test_whatever_records_and_closes_is_a_monitor() -> None:
    monitor = Recording()
    assert checked(monitor) is monitor


@pytest.mark.parametrize("monitor", [None, "rfav.h5", Recording, object()])
def test_what_is_no_monitor_is_refused_with_what_to_give(monitor: object) -> None:
    with pytest.raises(UsageError, match="needs a Monitor") as caught:
        checked(monitor)
    assert "MonitorCallback(rfav_cli.Monitor(" in caught.value.remedy


def test_a_framework_that_is_not_there_is_told_with_what_installs_it() -> None:
    assert "pip install 'rfav-cli[keras]'" in str(missing("keras"))


def test_by_default_nothing_is_done_with_a_verdict() -> None:
    assert ignore(None) is None  # type: ignore[arg-type, func-returns-value]


def test_a_verdict_is_told_where_there_is_one() -> None:
    told: list[Any] = []

    class Silent(Recording):
        def record(self, epoch: int) -> Any:
            return None if epoch < 0 else epoch

    record(Silent(), -1, told.append)
    record(Silent(), 3, told.append)
    assert told == [3]
