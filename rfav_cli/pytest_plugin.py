"""A plug-in for pytest: tests that fail where a store does not pass `rfav check`.

The fixture `assert_healthy` is called with a store and the options of `rfav_cli.check`; the marker `healthy_store` does
the same before the test runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MARKER = "healthy_store(store, **policy): fail the test where the store does not pass `rfav check`"


def pytest_configure(config: pytest.Config) -> None:
    """Say which marker there is."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(name="assert_healthy", scope="session")
def healthy_fixture() -> Callable[..., None]:
    """Call it with a store, and with limits as for `rfav_cli.check`."""
    return assert_healthy


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Check the stores that the test is marked with."""
    for mark in item.iter_markers("healthy_store"):
        assert_healthy(*mark.args, **mark.kwargs)


def assert_healthy(store: str | Path, **policy: Any) -> None:
    """Fail where a store does not pass, with all that was found.

    Args:
        store: its path.
        policy: options of `rfav_cli.check`, such as `min_accuracy=0.9`.
    """
    __tracebackhide__ = True
    if text := _problems(store, policy):
        pytest.fail(text, pytrace=False)


def _problems(store: str | Path, policy: dict[str, Any]) -> str:
    """What was found, or why nothing can be said; empty where the store passes."""
    from rfav_cli import RfavError, check
    from rfav_cli.render.base import Screen
    from rfav_cli.render.ci import render_check
    from rfav_cli.text import lines

    try:
        report = check(store, **policy)
    except RfavError as error:
        return lines(str(error), 2000)
    return render_check(report, "text", Screen(width=100)) if report.code else ""
