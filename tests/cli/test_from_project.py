"""Which options a project's file set; what comes of it in a command is in `tests/acceptance/test_configured.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rfav_cli.cli.from_project import set_by_project_of
from rfav_cli.options import Analyze, Check, Train, options_of


class Context:
    """Of a command whose project's file set some options."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def get_parameter_source(self, name: str) -> Any:
        return type("Source", (), {"name": "DEFAULT_MAP" if name in self._names else "COMMANDLINE"})


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "run").mkdir()
    for name in ("probe.npz", "rfav.h5", "last.pt", "run/last.pt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def read_from(record: Any, names: tuple[str, ...] = ("model",), **values: Any) -> str:
    values = {"model": "nets.py:make", **values}
    found = set_by_project_of(Context(*names), dict(options_of(record)), values)  # type: ignore[arg-type]
    assert found is not None
    assert set(found.options) <= {"--model", "--model-arg", "--probe"}
    return found.read_from


@pytest.mark.parametrize("checkpoints", [["run"], ["run/last.pt"], ["run/*.pt"], ["s3://bucket/run"]])
def test_a_project_above_what_is_read_may_name_code(checkpoints: list[str]) -> None:
    assert read_from(Analyze, checkpoints=checkpoints, probe="probe.npz") == ""


@pytest.mark.parametrize("checkpoints", [["."], ["run", ".."], ["last.pt"], ["*.pt"], ["../"]])
def test_one_among_the_checkpoints_may_not(checkpoints: list[str]) -> None:
    assert read_from(Analyze, checkpoints=checkpoints, probe="probe.npz") in checkpoints


def test_one_in_a_folder_of_samples_may_not() -> None:
    assert read_from(Analyze, checkpoints=["run"], probe=".") == "."
    assert read_from(Train, data="datasets:.", probe=None) == "datasets:."
    assert read_from(Train, data="probe.npz", init=".") == "."


@pytest.mark.parametrize("value", ["data.py:sets['val'][0]", "val-*.tar", "probe.npz"])
def test_marks_that_are_no_glob_are_none(value: str) -> None:
    given = {
        "probe": value,
        "model_arg": ["sizes=[1, 2]"],
        "layers": ["conv*"],
        "exclude": ["*"],
        "epochs": "*_{epoch}",
    }
    assert read_from(Analyze, checkpoints=["run"], **given) == ""


def test_stores_recipes_and_files_of_samples_lie_beside_it_as_a_rule() -> None:
    assert read_from(Check, paths=["rfav.h5"], baseline=Path("rfav.h5")) == ""
    assert read_from(Train, data="probe.npz", from_store=Path("rfav.h5"), recipe="recipe.toml", out=Path()) == ""


def test_what_was_typed_is_no_matter_of_the_file() -> None:
    assert set_by_project_of(Context("probe_size"), dict(options_of(Analyze)), {"model": "a:b"}) is None  # type: ignore[arg-type]


def test_several_values_are_shown_as_they_are_typed() -> None:
    values = {"model_arg": ["width=3", "name=a b"]}
    found = set_by_project_of(Context("model_arg"), dict(options_of(Analyze)), values)  # type: ignore[arg-type]
    assert found is not None
    assert found.options == {"--model-arg": "width=3 'name=a b'"}
