"""What a type checker and an editor know of the Python API, whose keywords are made from the options."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rfav_cli

SNIPPET = """\
import rfav_cli
model = object()
rfav_cli.analyze("runs", probe="p", resize=32)
rfav_cli.analyze("runs", probe="p", resize=(32, 48), layers=["conv*"], batch_size="auto")
rfav_cli.Monitor(model, "p", layers=["a"])
rfav_cli.check("rfav.h5", min_entropy={"conv*": 0.4})
reveal_type(rfav_cli.compare("a", "b"))
reveal_type(rfav_cli.analyze("runs", probe="p"))
rfav_cli.analyze("runs", probe="p", resize="x")  # error: Argument "resize"
rfav_cli.analyze("runs", probe="p", resizes=32)  # error: Unexpected keyword argument "resizes"
rfav_cli.analyze("runs")  # error: Missing named argument "probe"
rfav_cli.analyze("runs", "p")  # error: Too many positional arguments
rfav_cli.train(data="d", out="o", epochs="ten")  # error: Argument "epochs"
rfav_cli.Monitor(model, "p", should_stop=bool)  # error: Unexpected keyword argument "should_stop"
"""
SETTINGS = """\
[mypy]
python_version = 3.10
follow_imports = silent
[mypy-torch.*,numpy.*,h5py.*,matplotlib.*,rich.*,typer.*,PIL.*,torchvision.*,safetensors.*,tensorboard.*]
follow_imports = skip
ignore_missing_imports = True
"""
"""What is not ours is not looked into: that alone would take a minute."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[str]]:
    """Line of the snippet -> what mypy says of it, each thing on its own."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("typed")
    (folder / "snippet.py").write_text(SNIPPET, encoding="utf-8")
    (folder / "mypy.ini").write_text(SETTINGS, encoding="utf-8")
    options = ["--config-file", "mypy.ini", "--cache-dir", str(folder / "cache"), "--no-error-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "snippet.py"],
        cwd=folder,
        env={"MYPYPATH": str(Path(rfav_cli.__file__).parent.parent), "PATH": "", "SYSTEMROOT": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    told: dict[int, list[str]] = {}
    for number, text in re.findall(r"^snippet\.py:(\d+): (?:error|note): (.*)$", done.stdout, re.MULTILINE):
        told.setdefault(int(number), []).append(text)
    return told


@pytest.mark.parametrize(("number", "line"), list(enumerate(SNIPPET.splitlines(), start=1)))
def test_mypy_knows_each_option(told: dict[int, list[str]], number: int, line: str) -> None:
    _, _, error = line.partition("  # error: ")
    if line.startswith("reveal_type"):
        assert ("Comparison" if "compare" in line else "History") in told[number][0]
    elif error:
        assert any(text.startswith(error) for text in told[number])
    else:
        assert number not in told


@pytest.mark.parametrize(("name", "first"), [("analyze", "checkpoints"), ("train", "model"), ("check", "paths")])
def test_an_editor_shows_what_a_beginner_needs_first(name: str, first: str) -> None:
    function = getattr(rfav_cli, name)
    names = list(inspect.signature(function).parameters)
    assert names[0] == first
    text = inspect.getdoc(function) or ""
    listed = re.findall(r"^    (\w+): ", text.partition("Args:\n")[2].partition("\n\n")[0], re.MULTILINE)
    assert listed == names
    assert function.__name__ == function.__qualname__ == name
    assert function.__module__ == f"rfav_cli.commands.{name}"


def test_what_only_python_has_comes_last() -> None:
    assert list(inspect.signature(rfav_cli.watch).parameters)[-3:] == ["thresholds", "should_stop", "report"]
