"""The plug-in for pytest: a test fails where its store does not pass, and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli import pytest_plugin
from rfav_cli.pytest_plugin import assert_healthy
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("stores")
    return {name: write_judged(folder / name, overfits=name == "bad") for name in ("good", "bad")}


class Marked:
    """As much of a test as the plug-in asks for."""

    def __init__(self, *stores: Any, **policy: Any) -> None:
        self.marks = [pytest.mark.healthy_store(store, **policy).mark for store in stores]

    def iter_markers(self, name: str) -> list[Any]:
        return [mark for mark in self.marks if mark.name == name]


def failure(*arguments: Any, **policy: Any) -> str:
    with pytest.raises(pytest.fail.Exception) as caught:
        assert_healthy(*arguments, **policy)
    return str(caught.value)


def test_a_store_that_passes_is_silent(stores: dict[str, Path]) -> None:
    assert_healthy(stores["good"])
    assert_healthy(str(stores["good"]), min_accuracy=0.5)


def test_a_store_that_does_not_pass_fails_with_all_that_was_found(stores: dict[str, Path]) -> None:
    text = failure(stores["bad"])
    assert "RFAV001 overfitting" in text
    assert "RFAV002 collapsed-layer fc1" in text
    assert "RFAV007" in failure(stores["good"], min_accuracy=0.75)


def test_what_cannot_be_said_is_a_failure_and_no_error(stores: dict[str, Path], tmp_path: Path) -> None:
    assert "no such store" in failure(tmp_path / "none.h5")
    assert "RFAV103" in failure(stores["good"], min_entropy={"block*": 0.1})
    assert "--min-accuracy" in failure(stores["good"], min_accuracy=float("nan"))
    assert all(line.isprintable() for line in failure(tmp_path / "\x1b[2J.h5").splitlines())


def test_every_marked_store_is_checked_before_the_test(stores: dict[str, Path]) -> None:
    pytest_plugin.pytest_runtest_call(Marked(stores["good"]))  # type: ignore[arg-type]
    pytest_plugin.pytest_runtest_call(Marked())  # type: ignore[arg-type]
    with pytest.raises(pytest.fail.Exception, match="RFAV001"):
        pytest_plugin.pytest_runtest_call(Marked(stores["good"], stores["bad"]))  # type: ignore[arg-type]
    with pytest.raises(pytest.fail.Exception, match="RFAV007"):
        pytest_plugin.pytest_runtest_call(Marked(stores["good"], min_accuracy=0.9))  # type: ignore[arg-type]


def test_the_marker_is_known_and_the_fixture_is_the_function(
    pytestconfig: pytest.Config, assert_healthy: Any, stores: dict[str, Path]
) -> None:
    assert pytest_plugin.MARKER in pytestconfig.getini("markers")
    assert assert_healthy is pytest_plugin.assert_healthy
