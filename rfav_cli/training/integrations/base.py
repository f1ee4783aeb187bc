"""What the callbacks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rfav_cli.errors import UsageError
from rfav_cli.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rfav_cli.records import Verdict


@runtime_checkable
class EpochRecorder(Protocol):
    """What records epochs: `rfav_cli.Monitor`."""

    def record(self, epoch: int) -> Verdict | None:
        """Measure the net as it is now; -1 is before training. None where nothing could be said."""

    def close(self) -> None:
        """End the record."""


def checked(monitor: object) -> EpochRecorder:
    """What was given for a monitor.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(monitor, EpochRecorder) or isinstance(monitor, type):
        raise UsageError(
            f"the callback needs a Monitor, and was given {quoted(monitor)}",
            "Give MonitorCallback(rfav_cli.Monitor(model, probe, store)).",
        )
    return monitor


def missing(name: str) -> ImportError:
    """That a framework is not installed, and what installs it."""
    return ImportError(f"rfav_cli.training.integrations.{name}: install it with pip install 'rfav-cli[{name}]'")


def record(monitor: EpochRecorder, epoch: int, on_verdict: Callable[[Verdict], object]) -> None:
    """Record an epoch and tell its verdict, where there is one."""
    if (verdict := monitor.record(epoch)) is not None:
        on_verdict(verdict)


def ignore(_: Verdict) -> None:
    """Do nothing with a verdict."""
