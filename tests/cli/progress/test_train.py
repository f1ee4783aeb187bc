from dataclasses import replace

import numpy as np
import pytest

from rfav_cli.cli.progress.train import TrainingReporter, described, summary
from rfav_cli.records import Checkpoint, Measurement, Note, Training, TrainingEpoch, TrainingStep

DONE = TrainingEpoch(2, 5, 0.01, 1.25, 0.5, {"sparsity/conv2": -0.125, "decorrelation/conv1": 2.0}, 1.5, 0.25, 3.04)


def measurement(nonfinite):
    return Measurement(Checkpoint(2, "run/epoch_2.pt", ""), {"nonfinite": np.array(nonfinite)})


def test_an_epoch_is_a_line():
    assert described(DONE) == (
        "epoch 2  train loss 1.2500  accuracy 0.5000  penalties sparsity/conv2 -0.1250 decorrelation/conv1 +2.0000  "
        "validation loss 1.5000  accuracy 0.2500  3.0 s"
    )
    assert described(TrainingEpoch(-1, 5)) == "epoch -1  0.0 s"
    followed = replace(DONE, validation_confidence=0.5, lambda_factor=1.8221)
    assert described(followed).endswith("accuracy 0.2500  lambda x 1.82  3.0 s")
    broken = TrainingEpoch(1, 5, 0.01, 1.0, 0.5, {}, float("nan"), 0.25, 1.0)
    assert "validation loss not finite  accuracy 0.2500" in described(broken)


def test_a_pipe_has_a_line_an_epoch_and_none_a_step(monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with TrainingReporter() as reporter:
        reporter.report(Note("a\x1b[31m word"))
        reporter.report(TrainingStep(2, 1, 10, 5, 1.0, 0.5))
        reporter.report(DONE)
        reporter.report(measurement([0, 0]))
        reporter.report(measurement([0, 5]))
    assert capsys.readouterr().err.splitlines() == [
        "note: a\\x1b[31m word",
        described(DONE),
        "epoch 2: 5 entropies are not finite",
    ]


def test_quiet_says_nothing(capsys):
    with TrainingReporter(quiet=True) as reporter:
        reporter.report(DONE)
        reporter.report(measurement([1]))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("done", "text"),
    [
        (Training("", reason="healthy\x1b[2J"), "nothing to train: healthy\\x1b[2J\n"),
        (Training("new", ({"epoch": -1}, {"epoch": 0}), ended=False), "new: 1 epoch; --resume goes on\n"),
        (
            Training(
                "new",
                (
                    {"epoch": -1, "validation_loss": 2.0, "validation_accuracy": 0.1},
                    {"epoch": 0, "validation_loss": 1.0, "validation_accuracy": 0.5},
                    {"epoch": 1, "validation_loss": 1.5, "validation_accuracy": 0.75},
                    {"epoch": 2, "validation_loss": None, "validation_accuracy": 0.7},
                ),
            ),
            "new: 3 epochs, validation loss not finite since epoch 2 (lowest 1.0000 at epoch 0), accuracy 0.7000\n",
        ),
        (
            Training("new", ({"epoch": -1, "validation_loss": None, "validation_accuracy": 0.1},)),
            "new: 0 epochs, validation loss not finite, accuracy 0.1000\n",
        ),
    ],
)
def test_the_summary_says_what_became_of_it(done, text):
    assert summary(done) == text
