import numpy as np
import pytest

from rfav_cli.cli.progress.analyze import AnalysisReporter
from rfav_cli.records import Checkpoint, Measurement, Progress


def measurement(nonfinite):
    columns = {"probe/loss": np.array(np.nan), "probe/accuracy": np.array(np.nan), "nonfinite": np.array(nonfinite)}
    return Measurement(Checkpoint(3, "run/epoch_3.pt", ""), columns)


@pytest.mark.parametrize(("nonfinite", "told"), [([0, 0], False), ([0, 5], True)])
def test_a_terminal_is_told_of_what_is_not_finite_above_the_bar(monkeypatch, capsys, nonfinite, told):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with AnalysisReporter() as reporter:
        assert reporter._bar is not None
        reporter.report(Progress("run/epoch_3.pt", 2, 4, 7, 10))
        reporter.report(measurement(nonfinite))
    assert ("5 entropies are not finite" in capsys.readouterr().err) == told


def test_a_pipe_has_a_line_a_checkpoint(monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with AnalysisReporter() as reporter:
        reporter.report(Progress("run/epoch_3.pt", 2, 4, 10, 10))
        reporter.report(measurement([0, 0]))
    assert capsys.readouterr().err == "3/4 epoch 3  run/epoch_3.pt\n"


def test_quiet_says_nothing(capsys):
    with AnalysisReporter(quiet=True) as reporter:
        reporter.report(measurement([0, 5]))
    assert capsys.readouterr().err == ""
