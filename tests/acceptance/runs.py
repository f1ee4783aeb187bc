"""The tiny run that the acceptance tests measure: a data set drawn here, and a net trained on it for four epochs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from tests.acceptance.project.tiny_net import TinyNet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CLASSES, SIDE, SAMPLES = 4, 8, 120
EPOCHS = (-1, 0, 1, 2, 3)
ANALYZE = ["analyze", "run", "--model", "tiny_net:make_net", "--probe", "probe.npz"]
"""The plain command on what `write_run` writes; its store is `rfav.h5`."""

NET = Path(__file__).parent / "project" / "tiny_net.py"


def draw(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(N, 8, 8, 3) pictures of four classes, each a pattern of its own under noise, and (N,) labels."""
    patterns = np.random.default_rng(0).uniform(60, 190, (CLASSES, SIDE, SIDE, 3))
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    pictures = patterns[labels] + rng.normal(0, 40, (count, SIDE, SIDE, 3))
    return pictures.clip(0, 255).astype(np.uint8), labels


def states() -> Iterator[tuple[int, dict[str, torch.Tensor]]]:
    """(epoch, state_dict) before training and after each epoch."""
    pictures, labels = draw(240, seed=1)
    images, targets = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255, torch.from_numpy(labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = TinyNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for epoch in EPOCHS:
        if epoch >= 0:
            for batch in torch.arange(len(images)).split(20):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(images[batch]), targets[batch]).backward()
                optimizer.step()
        yield epoch, {name: value.clone() for name, value in net.state_dict().items()}


def write_run(folder: Path) -> None:
    """`tiny_net.py`, `run/epoch_*.pt` and `probe.npz`, as a user has them."""
    (folder / "run").mkdir(parents=True)
    (folder / "tiny_net.py").write_text(NET.read_text(encoding="utf-8"), encoding="utf-8")
    for epoch, state in states():
        torch.save(state, folder / "run" / name_of(epoch))
    pictures, labels = draw(SAMPLES, seed=2)
    np.savez(folder / "probe.npz", images=pictures, labels=labels)


def name_of(epoch: int) -> str:
    return f"epoch_{epoch:03d}.pt"


def net_of(state: dict[str, Any]) -> TinyNet:
    net = TinyNet()
    net.load_state_dict(state)
    return net.eval()
