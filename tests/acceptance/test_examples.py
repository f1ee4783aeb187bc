"""The examples that each command's help ends with, run as they stand, in a folder that has what they name."""

from __future__ import annotations

import importlib
import shlex
import shutil
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from tests.acceptance.project.tiny_net import TinyNet
from tests.acceptance.runs import draw
from tests.acceptance.test_help import OPTIONS
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

EXAMPLES = [
    (command, line) for command in OPTIONS for line in importlib.import_module(f"rfav_cli.cli.{command}").EXAMPLES
]
SHORT = {"watch": ["--idle", "0.5"], "train": ["--epochs", "1"]}
"""What makes an example that runs for hours end soon; the last of two equal options holds."""
CODES = {"rfav check rfav.h5": 1, "rfav check runs/exp1": 2, "rfav calibrate runs/exp1": 2}
"""Of a run that overfits, and of checkpoints that have learnt nothing."""


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs, samples and stores under the names that the examples use; not to be changed."""
    folder = tmp_path_factory.mktemp("examples") / "project"
    write_judged(folder, overfits=True, calibrated=True).rename(folder / "rfav.h5")
    for name in ("before.h5", "after.h5"):
        shutil.copy(folder / "rfav.h5", folder / name)
    shutil.copytree(folder / "run", folder / "runs" / "exp1")
    shutil.copy(folder / "rfav.h5", folder / "runs" / "exp1")
    (folder / "nets.py").write_text("from tests.acceptance.project.tiny_net import make_net\n")
    (folder / "runs" / "traced").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch speaks of torch.export
        for epoch in (0, 1):
            torch.jit.script(TinyNet().eval()).save(folder / "runs" / "traced" / f"epoch_{epoch}.ts")
    for name, count, seed in (("train", 40, 1), ("held_out", 40, 2)):
        pictures, labels = draw(count, seed=seed)
        for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            place = folder / name / f"class_{label}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place / f"{number}.png")
    pictures, labels = draw(40, seed=3)
    np.savez(folder / "probe.npz", images=pictures, labels=labels)
    (folder / "recipe.toml").write_text('schema = 1\n[[layer]]\nname = "conv2"\nlambda = 0.001\n')
    return folder


@pytest.mark.parametrize(("command", "line"), EXAMPLES, ids=lambda value: value)
def test_an_example_does_what_it_says(rfav: Rfav, everything: Path, tmp_path: Path, command: str, line: str) -> None:
    folder = shutil.copytree(everything, tmp_path / "project")
    program, *arguments = shlex.split(line)
    assert (program, arguments[0]) == ("rfav", command)
    if command == "analyze" or (command == "watch" and "--out" not in arguments):
        (folder / "rfav.h5").unlink()
    if command == "recommend":
        (folder / "recipe.toml").unlink()  # somebody's own
    done = rfav(folder, *arguments, *SHORT.get(command, []))
    assert done.code == next((code for start, code in CODES.items() if line.startswith(start)), 0), done.err
    assert done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", OPTIONS)
def test_help_ends_with_two_examples(rfav: Rfav, folder: Path, command: str) -> None:
    text = rfav(folder, command, "--help", environment={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).out
    lines = [line for name, line in EXAMPLES if name == command]
    assert len(lines) == 2
    assert all(f"$ {line}" in text for line in lines)
    assert text.index("Examples:") < text.index(f"$ {lines[0]}")
