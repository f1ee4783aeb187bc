"""What each framework trains, and what its record must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import rfav_cli
from rfav_cli.training.monitor import sha256_of

EPOCHS = [-1, 0, 1]


class Net(nn.Module):
    """Small, with dropout, so that modes matter."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 12)
        self.fc2 = nn.Linear(12, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(nn.functional.dropout(torch.relu(self.fc2(torch.relu(self.fc1(x)))), 0.2, self.training))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return rng.normal(size=(24, 6)).astype(np.float32), np.arange(24) % 4


@pytest.fixture
def probe(tmp_path, samples):
    images, labels = samples
    np.savez(tmp_path / "probe.npz", images=images, labels=labels)
    return tmp_path / "probe.npz"


@pytest.fixture
def check(tmp_path, probe):
    """Holds the record of a training of two epochs against its states and the verdicts that were told."""

    def checked(store, first, last, verdicts):
        assert store.exists()  # packed
        history = rfav_cli.open_store(store)
        assert list(history.epochs) == EPOCHS
        digests = [checkpoint.sha256 for checkpoint in history.checkpoints]
        assert digests[0] == sha256_of(first)
        assert digests[2] == sha256_of(last)
        assert len(set(digests)) == 3
        torch.save(last, tmp_path / "epoch_1.pt")
        saved = rfav_cli.analyze(
            tmp_path / "epoch_1.pt", probe=probe, model=Net, out=tmp_path / "saved.h5", layout="nf"
        )
        np.testing.assert_array_equal(history.entropy[2], saved.entropy[0])
        np.testing.assert_array_equal(history.loss[2], saved.loss[0])
        assert len(verdicts) == 3
        assert verdicts[-1] == rfav_cli.judge(store)

    return checked
