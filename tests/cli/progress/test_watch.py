"""What a watch tells: a line an epoch on stdout, and how it ended."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rfav_cli import judge
from rfav_cli.cli.progress.watch import WatchReporter, judged, summary
from rfav_cli.records import (
    BadCheckpoint,
    Checkpoint,
    Doubt,
    Judged,
    Measurement,
    Note,
    Onset,
    Progress,
    RunFinding,
    Verdict,
    Watched,
)
from rfav_cli.store import StoreWriter, open_store
from tests.commands.judged import write_judged
from tests.store.example import make_run, measure

RUN_AWAY = Verdict(RunFinding("diverged", "why", "held-out loss", Onset(6, 6, 6)), ())


@pytest.fixture(scope="module")
def verdict(tmp_path_factory):
    return judge(write_judged(tmp_path_factory.mktemp("run"), overfits=True))


def measurement(nonfinite=0):
    columns = {"probe/loss": np.array(1.5), "probe/accuracy": np.array(0.25), "nonfinite": np.array([nonfinite])}
    return Measurement(Checkpoint(7, "run/epoch_7.pt", ""), columns)


def test_the_verdict_is_a_line_with_the_layers_and_the_figures(verdict):
    line = judged(Judged(7, verdict, measurement(3)))
    assert line.startswith(f"epoch 7  overfitting since epoch {verdict.run.onset.epoch}  collapsed: conv2, fc1")
    assert line.endswith("loss 1.5000  accuracy 0.2500  3 entropies are not finite")
    assert "loss" not in judged(Judged(7, verdict, None))


def test_kind_and_onset_are_those_of_the_verdict(verdict):
    run = RunFinding("overfitting", "why", onset=Onset(0, 0, 0, True), kind="overconfidence")
    line = judged(Judged(7, dataclasses.replace(verdict, run=run), None))
    assert line.startswith("epoch 7  overfitting (overconfidence) at or before epoch 0  collapsed: ")


def test_a_doubt_is_told_even_to_the_quiet_and_marks_the_line(verdict, capsys):
    doubt = Doubt("run", "epoch 3", "it looks wrong", "Look.", 1.0)
    with WatchReporter(quiet=True) as reporter:
        reporter.report(doubt)
    assert capsys.readouterr() == ("", "doubt: epoch 3: it looks wrong. Look.\n")
    assert "  in doubt  " in judged(Judged(7, dataclasses.replace(verdict, doubts=(doubt,)), None))
    assert "doubt" not in judged(Judged(7, verdict, None))


def test_results_are_on_stdout_and_the_rest_on_stderr(verdict, capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with WatchReporter() as reporter:
        reporter.report(Progress("run/epoch_7.pt", 0, 1, 5, 10))
        reporter.report(measurement())
        reporter.report(Judged(7, verdict, measurement()))
        reporter.report(BadCheckpoint("run/epoch_8.pt", "cut off"))
        reporter.report(Note("so"))
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert err == "skipped: run/epoch_8.pt: cut off\nnote: so\n"


def test_quiet_tells_nothing(verdict, capsys):
    with WatchReporter(quiet=True) as reporter:
        reporter.report(Judged(7, verdict, measurement()))
    assert capsys.readouterr() == ("", "")


def test_the_end_is_a_line(verdict, tmp_path):
    assert summary("rfav.h5", Watched(None, None, "stopped")) == "nothing was measured\n"
    writer = StoreWriter.open(tmp_path / "rfav.h5", make_run())
    writer.append(measure(0))
    text = summary("rfav.h5", Watched(open_store(tmp_path / "rfav.h5"), verdict, "idle"))
    assert text.startswith("rfav.h5: 1 epoch, ")
    assert f": overfitting: {verdict.run.reason}"[:60] in text
    gone = dataclasses.replace(verdict, run=RunFinding("diverged", "diverged since epoch 4"))
    assert summary("rfav.h5", Watched(open_store(tmp_path / "rfav.h5"), gone, "idle")).endswith(
        " samples: diverged since epoch 4\n"
    )


def test_an_epoch_whose_loss_is_not_finite_says_so(verdict):
    gone = measurement(3)
    gone.columns["probe/loss"] = np.array(np.nan)
    unlabelled = judged(Judged(7, verdict, gone))
    assert "loss" not in unlabelled
    gone.columns["probe/sample_loss"] = np.full(5, np.nan)
    assert "loss" not in judged(Judged(7, verdict, gone))  # a net without class scores
    gone.columns["probe/sample_prediction"] = np.full(5, -1)
    line = judged(Judged(7, RUN_AWAY, gone))
    assert line == "epoch 7  diverged since epoch 6  loss not finite  3 entropies are not finite"
