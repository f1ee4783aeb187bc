"""A run that is counted by steps is said in steps by every command, and its checkpoints are found by their steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli import render
from rfav_cli.errors import RunError, StoreError
from rfav_cli.records import Settings
from rfav_cli.render import Screen
from rfav_cli.render.ci import render_check
from tests.acceptance.project.tiny_net import TinyNet
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH = re.compile(r"(?<![-\w./])[Ee]pochs?\b(?![=/\w])")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(model="tiny_net:make_net(classes=4)", unit="step")
    return write_judged(tmp_path_factory.mktemp("steps"), overfits=True, settings=settings, calibrated=True)


def _shown(store: Path, name: str, *, epochs: bool = False) -> str:
    shown = rfav_cli.show(store)
    return render.render(shown.history, shown.verdict, name, epochs=epochs, screen=Screen(width=200))


SAID: dict[str, Callable[[Path], str]] = {
    "show": lambda store: _shown(store, "table"),
    "show --epochs": lambda store: _shown(store, "table", epochs=True),
    "markdown": lambda store: _shown(store, "markdown", epochs=True),
    "recommend": lambda store: render.render_recipe(rfav_cli.recommend(store), screen=Screen(width=200)),
    "compare": lambda store: render.render_comparison(rfav_cli.compare(store, store), screen=Screen(width=200)),
    "check": lambda store: render_check(rfav_cli.check(store), "text", Screen(width=200)),
    "history": lambda store: repr(rfav_cli.open_store(store)),
    "verdict": lambda store: repr(rfav_cli.judge(store).run.reason),
    "notebook": lambda store: re.sub(r'aria-label="[^"]*"', "", rfav_cli.judge(store)._repr_html_()),
}


@pytest.mark.parametrize("command", SAID)
def test_no_sentence_says_epoch(store: Path, command: str) -> None:
    said = SAID[command](store)
    assert not EPOCH.search(said), EPOCH.sub(">>\\g<0><<", said)
    assert re.search(r"\bsteps?\b", said)


@pytest.mark.parametrize("figure", ["loss", "entropy", "overview"])
def test_axes_say_steps(store: Path, figure: str) -> None:
    page = rfav_cli.plot([store], figure=figure)
    labels = {axes.get_xlabel() for axes in page.axes} - {""}
    assert "step" in labels
    assert "epoch" not in labels


def test_steps_and_epochs_are_not_compared_as_numbers(store: Path, tmp_path: Path) -> None:
    other = write_judged(tmp_path, overfits=True)
    assert any("--unit: step in A, epoch in B" in note for note in rfav_cli.compare(store, other).notes)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Steps 100 and 200 of a small net, with averages, beside those of another net."""
    for number in (1, 2):
        torch.manual_seed(number)
        state = TinyNet(4).state_dict()
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        averages = {name: value / 2 for name, value in state.items()}
        torch.save({"state_dict": state, "state_dict_ema": averages}, folder / f"net_step_{number}00.pt")
        torch.save(torch.nn.Linear(3, 2).state_dict(), folder / f"critic_step_{number}00.pt")
    images = np.random.default_rng(0).integers(0, 255, (12, 8, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "probe.npz", images=images, labels=np.arange(12) % 4)
    return tmp_path


def analyze(run: Path, out: str = "a.h5", **options: object) -> rfav_cli.History:
    options = {"model": lambda: TinyNet(4), "probe": run / "probe.npz", "maps": 0, **options}
    return rfav_cli.analyze(run / "out", out=run / out, **options)


def test_the_store_keeps_steps_and_weights_and_goes_on_with_no_others(run: Path) -> None:
    history = analyze(run)
    assert (history.epochs.tolist(), history.unit) == ([100, 200], "step")
    assert all(Path(checkpoint.path).name.startswith("net_") for checkpoint in history.checkpoints)
    averaged = analyze(run, "b.h5", weights="ema")
    assert averaged.run.settings.weights == "ema"
    assert not np.allclose(averaged.loss, history.loss)
    with pytest.raises(StoreError, match="weights: '' / ema"):
        analyze(run, weights="ema")
    with pytest.raises(StoreError, match="unit: step / epoch"):
        analyze(run, unit="epoch")


def test_one_of_two_nets_can_be_left_out(run: Path) -> None:
    notes: list[str] = []
    analyze(run, exclude="critic_*", report=lambda event: notes.append(getattr(event, "text", "")))
    assert not any("another net" in note for note in notes)
    with pytest.raises(RunError, match="2 nets"):
        analyze(run, model=None)
