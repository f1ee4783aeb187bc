"""A training that is watched: driven by what the watcher asks and tells, so that nothing depends on time."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli.errors import CheckpointError, RunError, StoreError, UsageError
from rfav_cli.records import BadCheckpoint, Doubt, Judged, Measurement, Note
from tests.acceptance.stores import assert_same_figures
from tests.commands import nets

EPOCHS = 6
GIVE_UP = 60.0


class Training:
    """Writes a checkpoint whenever the one before has been judged, and asks the watcher to stop after the last.

    Args:
        steps: what the training does, in turn; each is done when the one before has been judged, or, for a step
            that returns a condition, when that holds.
    """

    def __init__(self, *steps):
        self._steps = iter(steps)
        self.events = []
        self._until = lambda: True
        self._started = time.monotonic()

    def report(self, event):
        self.events.append(event)

    def should_stop(self):
        assert time.monotonic() < self._started + GIVE_UP, self.events
        if not self._until():
            return False
        step = next(self._steps, None)
        if step is None:
            return True
        before = len(self.of(Judged))
        condition = step(self)
        self._until = condition or (lambda: len(self.of(Judged)) > before)
        return False

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def notes(self):
        return [note.text for note in self.of(Note)]


@pytest.fixture
def source(series):
    return series(nets.Vectors, "eager", EPOCHS)


def writes(source, folder, epoch, name=None):
    """The step that writes a checkpoint at once."""

    def step(_):
        folder.mkdir(exist_ok=True)
        shutil.copy(source / f"epoch_{epoch}.pt", folder / "new.tmp")
        (folder / "new.tmp").replace(folder / (name or f"epoch_{epoch}.pt"))

    return step


def watch(folder, probe, out, training, **options):
    options = {"model": nets.Vectors, "layout": "nf", "interval": 0.01, "patience": 0.05, **options}
    return rfav_cli.watch(
        folder, probe=probe, out=out, report=training.report, should_stop=training.should_stop, **options
    )


def analyze(folder, probe, out, **options):
    return rfav_cli.analyze(folder, probe=probe, out=out, model=nets.Vectors, layout="nf", **options)


def test_the_figures_and_verdicts_are_those_of_analyze(tmp_path, source, samples):
    folder, probe = tmp_path / "run", samples(nets.Vectors)
    training = Training(*(writes(source, folder, epoch) for epoch in range(EPOCHS)))
    watched = watch(folder, probe, tmp_path / "a.h5", training)
    analyze(folder, probe, tmp_path / "b.h5")
    assert_same_figures(tmp_path / "a.h5", tmp_path / "b.h5")
    assert watched.ended == "stopped"
    assert watched.verdict == rfav_cli.judge(tmp_path / "b.h5")
    judged = training.of(Judged)
    assert [event.epoch for event in judged] == [event.measurement.checkpoint.epoch for event in judged] == [*range(6)]
    assert judged[-1].verdict == watched.verdict
    assert [event.verdict.run.state for event in judged[:4]] == ["unknown"] * 4
    assert f"{folder}: not there yet; waiting for it" in training.notes()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("a.h5")] == ["a.h5"]


def test_a_watcher_started_again_goes_on(tmp_path, source, samples):
    folder, probe, out = tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5"
    watch(folder, probe, out, Training(writes(source, folder, 0), writes(source, folder, 1)))
    first = Training(lambda _: None, writes(source, folder, 2))
    watch(folder, probe, out, first)
    assert [event.checkpoint.epoch for event in first.of(Measurement)] == [2]
    assert [(event.epoch, event.measurement is None) for event in first.of(Judged)] == [(1, True), (2, False)]
    analyze(folder, probe, tmp_path / "b.h5")
    assert_same_figures(out, tmp_path / "b.h5")


def test_the_net_is_made_once(tmp_path, source, samples):
    made = []

    def make():
        made.append(1)
        return nets.Vectors()

    folder = tmp_path / "run"
    training = Training(*(writes(source, folder, epoch) for epoch in range(3)))
    watch(folder, samples(nets.Vectors), tmp_path / "a.h5", training, model=make)
    assert len(training.of(Measurement)) == 3
    assert len(made) == 1


def half(source, folder, epoch, condition):
    def step(training):
        content = (source / f"epoch_{epoch}.pt").read_bytes()
        (folder / f"epoch_{epoch}.pt").write_bytes(content[: len(content) // 2])
        return lambda: condition(training)

    return step


def test_half_a_checkpoint_is_retried_then_reported_then_measured_when_it_is_whole(tmp_path, source, samples):
    folder, probe, out = tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5"
    bad = []

    def is_left_out(training):
        bad.extend(each for each in training.of(BadCheckpoint) if not bad)
        return bool(bad)

    training = Training(
        writes(source, folder, 0),
        half(source, folder, 1, is_left_out),
        writes(source, folder, 2),
        lambda _: bad.append(rfav_cli.open_store(out).bad) or (lambda: True),
        writes(source, folder, 1),
    )
    watched = watch(folder, probe, out, training)
    assert [note for note in training.notes() if "trying again" in note and "epoch_1.pt" in note]
    assert training.of(BadCheckpoint) == [bad[0]]
    assert bad[0].path == str(folder / "epoch_1.pt")
    assert "cut off" in bad[0].reason
    assert bad[1] == (bad[0],)
    assert [event.epoch for event in training.of(Judged)] == [0, 2, 1]
    assert watched.history.epochs.tolist() == [0, 1, 2]
    assert watched.history.bad == ()


def test_half_a_checkpoint_is_measured_when_the_rest_comes(tmp_path, source, samples):
    folder = tmp_path / "run"
    training = Training(
        writes(source, folder, 0),
        half(source, folder, 1, lambda training: any("trying again" in note for note in training.notes())),
        writes(source, folder, 1),
    )
    watched = watch(folder, samples(nets.Vectors), tmp_path / "a.h5", training, patience=1000.0)
    assert watched.history.epochs.tolist() == [0, 1]
    assert training.of(BadCheckpoint) == []


def test_what_is_still_half_at_the_end_is_reported(tmp_path, source, samples):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "epoch_1.pt").write_bytes(b"PK\x03\x04")
    training = Training(writes(source, folder, 0))
    watched = watch(folder, samples(nets.Vectors), tmp_path / "a.h5", training, patience=1000.0, idle=0.5)
    assert [bad.path for bad in watched.history.bad] == [str(folder / "epoch_1.pt")]


def test_the_first_checkpoint_of_another_net_ends_it_a_later_one_is_left_out(tmp_path, source, samples):
    folder, probe = tmp_path / "run", samples(nets.Vectors)
    folder.mkdir()
    torch.save({"stem.weight": torch.zeros(4, 3)}, tmp_path / "other.pt")

    def other(training):
        shutil.copy(tmp_path / "other.pt", folder / "epoch_5.pt")
        return lambda: bool(training.of(BadCheckpoint))

    training = Training(writes(source, folder, 0), other, writes(source, folder, 1))
    assert watch(folder, probe, tmp_path / "a.h5", training).history.epochs.tolist() == [0, 1]
    assert "stem.weight" in training.of(BadCheckpoint)[0].reason
    (folder / "epoch_0.pt").unlink()
    (folder / "epoch_1.pt").unlink()
    with pytest.raises(CheckpointError, match=r"stem\.weight"):
        watch(folder, probe, tmp_path / "b.h5", Training(lambda _: lambda: False))


def test_one_name_for_the_last_checkpoint(tmp_path, source, samples):
    def save(epoch):
        def step(_):
            torch.save({"epoch": epoch, "model": torch.load(source / f"epoch_{epoch}.pt")}, tmp_path / "last.pt")

        return step

    training = Training(*map(save, range(4)))
    watched = watch(tmp_path / "last*.pt", samples(nets.Vectors), tmp_path / "a.h5", training)
    assert watched.history.epochs.tolist() == [0, 1, 2, 3]
    assert training.of(BadCheckpoint) == []


def test_a_copy_of_an_epoch_and_one_that_changed_are_told_once(tmp_path, source, samples):
    folder = tmp_path / "run"

    def again(name, epoch):
        def step(training):
            writes(source, folder, epoch, name)(training)
            return lambda: any(name in note for note in training.notes())

        return step

    def copied(training):
        torch.save({"model": torch.load(source / "epoch_0.pt")}, folder / "best_0.pt")
        return lambda: any("best_0.pt" in note for note in training.notes())

    training = Training(
        writes(source, folder, 0),
        copied,
        again("epoch_0.pt", 2),
        again("final.pt", 2),
        writes(source, folder, 1),
    )
    watched = watch(folder, samples(nets.Vectors), tmp_path / "a.h5", training, epochs=None)
    assert watched.history.epochs.tolist() == [0, 1]
    assert len(training.notes()) == len({*training.notes()})
    assert any("final.pt: its epoch cannot be told; --epochs" in note for note in training.notes())
    (doubt,) = watched.history.doubts
    assert (doubt.kind, doubt.where) == ("run", "epoch 0")
    assert doubt.words.startswith("epoch_0.pt was written again after it was measured, with other weights")
    assert "--fresh" in doubt.remedy
    assert doubt in training.of(Doubt)


def test_two_runs_in_a_folder_end_it_and_the_store_keeps_the_doubt(tmp_path, source, samples):
    folder, out = tmp_path / "run", tmp_path / "a.h5"
    steps = [("a", 0, 0), ("b", 1, 4), ("a", 1, 1)]
    training = Training(*(writes(source, folder, epoch, f"{run}_epoch_{named}.pt") for run, named, epoch in steps))
    with pytest.raises(RunError, match=r"epoch 1 is there twice.*b_epoch_1\.pt and .*a_epoch_1\.pt") as raised:
        watch(folder, samples(nets.Vectors), out, training)
    assert "--epochs" in raised.value.remedy
    history = rfav_cli.open_store(out)
    assert history.epochs.tolist() == [0, 1]
    (doubt,) = history.doubts
    assert (doubt.kind, doubt.where) == ("run", "epoch 1")
    assert "b_epoch_1.pt" in doubt.words


def test_a_second_file_of_an_epoch_whose_name_says_none_is_no_second_run(tmp_path, source, samples):
    def last(training):
        torch.save({"epoch": 0, "model": torch.load(source / "epoch_2.pt")}, tmp_path / "run" / "last.pt")
        return lambda: any("last.pt" in note for note in training.notes())

    training = Training(writes(source, tmp_path / "run", 0), last, writes(source, tmp_path / "run", 1))
    watched = watch(tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5", training)
    assert watched.history.epochs.tolist() == [0, 1]
    assert watched.history.doubts == ()


def test_a_stored_epoch_that_is_not_that_of_the_name_is_doubted_once(tmp_path, source, samples):
    def save(name, epoch, held):
        def step(training):
            (tmp_path / "run").mkdir(exist_ok=True)
            torch.save({"epoch": held, "model": torch.load(source / f"epoch_{epoch}.pt")}, tmp_path / "run" / name)

        return step

    held = [(0, 0), (1, 1), (2, 2), (3, 9), (4, 4), (5, 5)]
    training = Training(*(save(f"epoch_{named}.pt", named, stored) for named, stored in held))
    watched = watch(tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5", training)
    assert watched.history.epochs.tolist() == [0, 1, 2, 4, 5, 9]
    assert [(doubt.kind, doubt.where) for doubt in watched.history.doubts] == [("epoch", "epoch 9")]
    assert watched.history.doubts[0].words.startswith("epoch_3.pt stores epoch 9, where the others store")


def test_a_store_of_another_run_is_refused(tmp_path, source, samples):
    folder, probe, out = tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5"
    watch(folder, probe, out, Training(writes(source, folder, 0)))
    writes(source, folder, 3, "epoch_0.pt")(None)
    with pytest.raises(StoreError, match=r"epoch_0\.pt: another file") as raised:
        watch(folder, probe, out, Training(lambda _: lambda: False))
    assert "--fresh" in raised.value.remedy
    watched = watch(folder, probe, out, Training(lambda _: None), fresh=True)
    assert len(watched.history) == 1


def test_others_are_told_that_it_is_watched(tmp_path, source, samples):
    folder, probe, out = tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5"

    def meddle(_):
        with pytest.raises(StoreError, match="rfav watch"):
            watch(folder, probe, out, Training(lambda _: None))
        with pytest.raises(StoreError, match="rfav watch"):
            analyze(folder, probe, out)
        with pytest.raises(StoreError, match="rfav watch"):
            rfav_cli.Monitor(nets.Vectors(), probe, out, layout="nf")
        assert len(rfav_cli.open_store(out)) == 1
        assert len(rfav_cli.pack(out)) == 1
        return lambda: True

    watched = watch(folder, probe, out, Training(writes(source, folder, 0), meddle, writes(source, folder, 1)))
    assert len(watched.history) == len(analyze(folder, probe, out)) == 2


def test_idle(tmp_path, source, samples):
    folder, probe = tmp_path / "run", samples(nets.Vectors)
    with pytest.raises(RunError, match=r"run: no checkpoint came in 0\.1 s"):
        watch(folder, probe, tmp_path / "a.h5", Training(lambda _: lambda: False), idle=0.1)
    assert list(tmp_path.iterdir()) == []
    training = Training(writes(source, folder, 0), lambda _: lambda: False)
    assert watch(folder, probe, tmp_path / "a.h5", training, idle=0.3).ended == "idle"


def test_nothing_measured_when_it_is_asked_to_stop(tmp_path, samples):
    watched = watch(tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5", Training())
    assert (watched.history, watched.verdict, watched.ended) == (None, None, "stopped")


@pytest.mark.parametrize("options", [{"interval": 0.0}, {"idle": -1.0}, {"patience": float("nan")}])
def test_seconds_are_more_than_none(tmp_path, samples, options):
    with pytest.raises(UsageError, match=f"--{next(iter(options))}"):
        watch(tmp_path, samples(nets.Vectors), tmp_path / "a.h5", Training(), **options)


def test_other_writers_of_the_epochs_are_no_trouble(tmp_path, source, samples):
    """An analysis that began before measures the same epochs meanwhile."""
    folder, probe, out = tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5"
    for epoch in range(3):
        writes(source, folder, epoch)(None)
    started = []

    def report(event):
        if isinstance(event, Measurement) and not started:
            started.append(
                watch(folder, probe, out, Training(lambda _: None, lambda t: lambda: len(t.of(Judged)) >= 2))
            )

    history = analyze(folder, probe, out, report=report)
    assert history.epochs.tolist() == [0, 1, 2]
    analyze(folder, probe, tmp_path / "b.h5")
    assert_same_figures(out, tmp_path / "b.h5")
    assert np.isfinite(history.entropy).all()


def test_steps_are_counted_and_another_net_and_an_optimizer_are_passed_over(tmp_path, source, samples):
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save({"body.weight": torch.ones(3, 7)}, folder / "critic_step_0.pt")
    weight = torch.nn.Parameter(torch.ones(2))
    torch.save(torch.optim.SGD([weight]).state_dict(), folder / "optimizer_step_0.pt")
    training = Training(*(writes(source, folder, epoch, f"net_step_{epoch}00.pt") for epoch in (1, 2)))
    watched = watch(tmp_path / "run", samples(nets.Vectors), tmp_path / "a.h5", training)
    history = watched.history
    assert (history.epochs.tolist(), history.unit, history.bad) == ([100, 200], "step", ())
    assert [event.unit for event in training.of(Judged)] == ["step", "step"]
    notes = "\n".join(training.notes())
    assert "critic_step_0.pt, which may be of another net" in notes
    assert "passed over what holds no weights: optimizer_step_0.pt (optimizer state)" in notes
    analyze(tmp_path / "run", samples(nets.Vectors), tmp_path / "b.h5")
    assert_same_figures(tmp_path / "a.h5", tmp_path / "b.h5")
