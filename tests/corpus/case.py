"""What a case of the corpus is, the files that each has beside its own, and what it is given to."""

from __future__ import annotations

import functools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tests.corpus.net import Net, make_net

if TYPE_CHECKING:
    from collections.abc import Callable

NET = Path(__file__).parent / "net.py"
CANARY = "CANARY"
"""The file that each payload makes in the folder that the command runs in."""
HOME, ELSEWHERE = "case", "elsewhere"
"""The command's folder, and the one beside it, which belongs to somebody else."""
TOUCH = f"open('{CANARY}', 'w')"
"""The payload as Python."""
MODEL = ("--model", "corpus_net.py:make_net")
STORE = ("--out", "o.h5")
GIVEN: dict[str, tuple[str, ...]] = {
    "checkpoint": ("analyze", "{}", *MODEL, "--probe", "probe.npz", *STORE),
    "program": ("analyze", "{}", "--probe", "probe.npz", *STORE),
    "probe": ("analyze", "good_1.pt", *MODEL, "--probe", "{}", *STORE),
    "classes": ("analyze", "good_1.pt", *MODEL, "--probe", "probe.npz", "--classes", "{}", *STORE),
    "settings": ("analyze", ".", *MODEL, "--probe", "probe.npz", *STORE),
    "settings with the model": ("analyze", ".", "--probe", "probe.npz", *STORE),
    "settings with output": ("analyze", ".", *MODEL, "--probe", "probe.npz"),
    "show": ("show", "{}"),
    "report": ("report", "{}", "--out", "page.html"),
    "plot": ("plot", "{}", "--figure", "entropy", "--out", "figure.png"),
    "check": ("check", "{}", "--format", "junit"),
    "baseline": ("check", "good.h5", "--baseline", "{}"),
    "recipe": ("train", *MODEL, "--data", "probe.npz", "--recipe", "{}", "--epochs", "1", "--out", "trained"),
}
"""What a case is -> the command line that it is judged by, `{}` for its file."""


@dataclass(frozen=True)
class Case:
    """One file, or folder, of the corpus.

    Attributes:
        name: its own, of letters, digits and hyphens.
        kind: the format, for the tables.
        make: writes it at the path that it is given, and whatever belongs beside it.
        given: a key of `GIVEN`.
        file: its name in the folder of the case.
        ends: the exit codes that are right.
        whole: whether it goes through a process that the command line starts, where it starts one.
        says: words that must stand in what is printed, beside the file's name.
        layers: how many are measured where it ends with 0.
        epochs: the same of epochs.
    """

    name: str
    kind: str
    make: Callable[[Path], object]
    given: str = "checkpoint"
    file: str = "epoch_1.pt"
    ends: tuple[int, ...] = (2,)
    whole: bool = False
    says: tuple[str, ...] = ()
    layers: int = 3
    epochs: int = 1

    @property
    def arguments(self) -> list[str]:
        return [word.format(self.file) if word == "{}" else word for word in GIVEN[self.given]]

    def write(self, folder: Path) -> Path:
        """Write the case's folder, and what is elsewhere beside it; gives the former."""
        home = folder / HOME
        shutil.copytree(_beside(), folder, dirs_exist_ok=True)
        if self.given in ("baseline",):
            shutil.copy(good_store(), home / "good.h5")
        (home / self.file).parent.mkdir(parents=True, exist_ok=True)
        self.make(home / self.file)
        return home


def state(factor: float = 1.0) -> dict[str, Any]:
    """The weights of the net."""
    return {name: value * factor for name, value in make_net().state_dict().items()}


def samples(count: int = 24) -> tuple[Any, Any]:
    """(N, 3, 8, 8) float32 and (N,) labels of three classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 3
    images = rng.normal(0.5, 0.15, (count, 3, 8, 8)) + (labels / 6)[:, None, None, None]
    return images.astype(np.float32), labels


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@functools.cache
def _beside() -> Path:
    folder = Path(_scratch().name) / "beside"
    (folder / HOME).mkdir(parents=True)
    (folder / ELSEWHERE).mkdir()
    shutil.copy(NET, folder / HOME / "corpus_net.py")
    images, labels = samples()
    np.savez(folder / HOME / "probe.npz", images=images, labels=labels)
    torch.save(state(), folder / HOME / "good_1.pt")
    torch.save(state(), folder / ELSEWHERE / "secret_1.pt")
    np.savez(folder / ELSEWHERE / "secret.npz", images=images, labels=labels)
    (folder / HOME / "corpus_canary.py").write_text(f"{TOUCH}\n\ndef make(*_, **__):\n    {TOUCH}\n")
    return folder


@functools.cache
def good_store() -> Path:
    """A store of a healthy run, not to be changed."""
    from tests.commands.judged import write_judged

    return write_judged(Path(_scratch().name) / "judged", overfits=False)


__all__ = ["CANARY", "GIVEN", "HOME", "TOUCH", "Case", "Net", "good_store", "make_net", "samples", "state"]
