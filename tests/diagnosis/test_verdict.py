from __future__ import annotations

import dataclasses
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli import open_store, pack
from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.layer_states import ENTROPY
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import Measurement, RunFinding
from rfav_cli.store import StoreWriter
from tests.diagnosis.conftest import TOP, falling, learning, make_history, overfitting, sample_losses

T = Thresholds()
EVERY = np.arange(-1, 40)
SINCE = 15
STATES = ("stable", "falling", "collapsed")


def courses(epochs, since=SINCE):
    """A layer in each state, where the run overfits since that epoch."""
    shares = {"stable": 0.0, "falling": (T.fall + T.collapse) / 2, "collapsed": T.collapse + 0.3}
    return {name: falling(epochs, since, share) for name, share in shares.items()}


def ill(epochs=EVERY, since=SINCE, seed=0, **more):
    """A run that overfits."""
    losses = sample_losses(overfitting(epochs, since, 0.4), wobble=0.01, seed=seed)
    return make_history(epochs, courses(epochs, since), losses, **more)


def states(verdict):
    return {layer.name: layer.state for layer in verdict.layers}


def check_overfitting(verdict, since=SINCE, tolerance=2):
    assert verdict.run.state == "overfitting"
    assert verdict.run.basis == "held-out loss and accuracy"
    assert verdict.run.onset.epoch == pytest.approx(since, abs=tolerance)
    assert verdict.run.onset.low <= verdict.run.onset.epoch <= verdict.run.onset.high
    assert verdict.run.probability >= T.certainty
    assert f"likely overfitting since epoch {verdict.run.onset.epoch}" in verdict.run.reason
    assert states(verdict) == {name: name for name in STATES}
    assert "the entropy collapses in collapsed" in verdict.run.reason


@pytest.mark.parametrize("stride", [1, 10, 500])
def test_a_run_that_is_counted_by_steps_is_judged_as_the_same_run_is_by_epochs(stride):
    epochs = np.arange(30)
    losses = sample_losses(overfitting(epochs, 12, 0.3), wobble=0.02)
    by_epochs = make_history(epochs, {"fc": falling(epochs, 12, 0.6)}, losses)
    in_steps = dataclasses.replace(by_epochs.run.settings, unit="step")
    checkpoints = tuple(dataclasses.replace(each, epoch=each.epoch * stride) for each in by_epochs.checkpoints)
    by_steps = dataclasses.replace(
        by_epochs, checkpoints=checkpoints, run=dataclasses.replace(by_epochs.run, settings=in_steps)
    )
    one, other = judge(by_epochs), judge(by_steps)
    assert (other.run.state, other.run.kind) == (one.run.state, one.run.kind) == ("overfitting", one.run.kind)
    assert other.run.probability == pytest.approx(one.run.probability)
    assert other.run.onset.epoch == one.run.onset.epoch * stride
    assert [layer.state for layer in other.layers] == [layer.state for layer in one.layers]
    assert f"since step {other.run.onset.epoch}" in other.run.reason


@pytest.mark.parametrize("seed", range(5))
def test_overfitting(seed):
    check_overfitting(judge(ill(seed=seed)))


def test_overfitting_without_a_collapse():
    losses = sample_losses(overfitting(EVERY, SINCE, 0.4))
    verdict = judge(make_history(EVERY, {"fc": np.full(41, TOP)}, losses))
    assert (verdict.run.state, verdict.layers[0].state) == ("overfitting", "stable")
    assert "no layer collapses" in verdict.run.reason


def test_healthy():
    losses = sample_losses(learning(EVERY, 60), wobble=0.01)
    verdict = judge(make_history(EVERY, {"fc": falling(EVERY, 0, T.collapse + 0.1)}, losses))
    assert (verdict.run.state, verdict.layers[0].state) == ("healthy", "stable")
    assert verdict.run.probability < 1 - T.certainty
    assert verdict.run.onset is None
    assert "held-out loss" in verdict.run.reason


def test_a_rise_that_is_not_sure_is_none():
    losses = sample_losses(overfitting(EVERY, SINCE, 0.05), wobble=0.02)
    history = make_history(EVERY, courses(EVERY), losses)
    probability = judge(history).run.probability
    assert 0.6 < probability < 0.99
    doubted, believed = (judge(history, Thresholds(certainty=probability + by)) for by in (0.001, -0.001))
    assert (doubted.run.state, believed.run.state) == ("unclear", "overfitting")
    assert f"that the loss rises by 2% is {probability:.0%} sure" in doubted.run.reason
    assert doubted.run.reason.endswith("more epochs or more held-out samples would decide it")
    assert (doubted.run.confidence, believed.run.confidence) == (None, probability)
    assert set(states(doubted).values()) == {"stable"}
    assert doubted.run.probability == believed.run.probability == probability


def test_sparsifying():
    losses = sample_losses(learning(EVERY, 60), wobble=0.01)
    lost = falling(EVERY, 5, (1 + ENTROPY) / 2)
    verdict = judge(make_history(EVERY, {"conv": np.full(41, TOP), "fc": lost}, losses))
    assert (verdict.run.state, states(verdict)) == ("sparsifying", {"conv": "stable", "fc": "collapsed"})
    assert verdict.run.onset == verdict.layers[1].onset
    assert "fc" in verdict.run.reason
    assert "no overfitting" in verdict.run.reason


@pytest.mark.parametrize("count", [0, 1, 2, 3, T.fewest - 1])
@pytest.mark.parametrize("labels", [True, False])
def test_few_epochs_are_unknown(count, labels):
    epochs = np.arange(count)
    losses = np.ones((count, 10)) if labels else None
    run = judge(make_history(epochs, {"conv": np.full(count, 0.8 * TOP), "fc": np.full(count, 0.3 * TOP)}, losses)).run
    assert (run.state, run.onset, run.probability) == ("unknown", None, None)
    assert run.reason.startswith(f"{count} epoch{'' if count == 1 else 's'} measured, {T.fewest} are needed")
    assert ("the lowest entropy is 30% of ln D, in fc" in run.reason) == (count > 0)


def test_the_fewest_epochs_are_enough():
    epochs = np.arange(T.fewest)
    losses = sample_losses(1 + np.abs(epochs - 1.0))
    assert judge(make_history(epochs, {"fc": np.full(T.fewest, TOP)}, losses)).run.state == "overfitting"
    more = Thresholds(fewest=T.fewest + 1)
    assert judge(make_history(epochs, {"fc": np.full(T.fewest, TOP)}, losses), more).run.state == "unknown"


def test_500_epochs():
    check_overfitting(judge(ill(np.arange(500), since=200)), since=200, tolerance=25)


@pytest.mark.parametrize(
    "epochs",
    [
        np.arange(0, 201, 10),
        np.array([*range(-1, 12), *range(25, 60)]),
        np.array([*range(12), *range(14, 40, 3), *range(100, 160, 10)]),
    ],
    ids=["every tenth", "a gap", "sparser and sparser"],
)
def test_epochs_that_were_not_measured(epochs):
    since = int(epochs[len(epochs) // 3])
    verdict = judge(ill(epochs, since=since))
    check_overfitting(verdict, since, tolerance=10)
    assert verdict.run.onset.epoch in epochs


def test_epochs_that_are_not_finite_in_the_middle_are_passed_over():
    whole = ill()
    history = ill()
    history.columns["probe/sample_loss"][[4, 20]] = np.nan
    history.columns["probe/loss"][[4, 20]] = np.nan
    history.columns["entropy/mean"][[9, 30], 1] = np.nan
    check_overfitting(judge(history))
    assert judge(history).layers[0].state == judge(whole).layers[0].state


@pytest.mark.parametrize(("column", "basis"), [("probe/loss", "held-out loss"), ("entropy/mean", "entropy")])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_run_that_ends_in_nan_diverged(column, basis, value):
    history = ill()
    history.columns[column][-2:] = value
    if column == "probe/loss":
        history.columns["probe/sample_loss"][-2:] = value
    verdict = judge(history)
    assert (verdict.run.state, verdict.run.onset.epoch, verdict.run.basis) == ("diverged", 38, basis)
    assert verdict.run.reason.startswith(f"diverged since epoch 38: the {basis} is not finite")
    assert set(states(verdict).values()) == {None}
    assert {layer.evidence for layer in verdict.layers} == {
        "not judged: the run diverged since epoch 38, last finite at epoch 37"
    }


def test_one_sample_that_is_not_finite_spoils_its_epoch_only():
    history = ill()
    history.columns["probe/sample_loss"][20, 3] = np.inf
    check_overfitting(judge(history))


def test_a_loss_that_is_hardly_ever_finite_is_unknown():
    history = ill()
    for name in ("probe/loss", "probe/sample_loss"):
        history.columns[name][: -T.fewest + 1] = np.nan
    run = judge(history).run
    assert run.state == "unknown"
    assert f"fewer than {T.fewest} epochs" in run.reason


def test_layers_that_nothing_can_be_said_of():
    history = make_history(
        EVERY,
        {"one": np.zeros(41), "late": np.full(41, TOP), "fc": np.full(41, TOP)},
        sample_losses(learning(EVERY, 60)),
        channels={"one": 1},
    )
    history.columns["entropy/mean"][: -T.fewest + 1, 1] = np.nan
    one, late, fc = judge(history).layers
    assert (one.state, late.state, fc.state) == (None, None, "stable")
    assert "one channel" in one.evidence
    assert f"{T.fewest - 1} of 41 epochs" in late.evidence
    assert (one.fall, one.confidence, one.onset) == (None, None, None)


def test_a_net_of_single_channels_is_judged_by_its_loss():
    losses = sample_losses(overfitting(EVERY, SINCE, 0.4))
    verdict = judge(make_history(EVERY, {"one": np.zeros(41)}, losses, channels={"one": 1}))
    assert (verdict.run.state, verdict.layers[0].state) == ("overfitting", None)
    alone = judge(make_history(EVERY, {"one": np.zeros(41)}, channels={"one": 1}))
    assert (alone.run.state, alone.run.reason) == ("unknown", "no layer has an entropy that can be judged")


def test_a_net_that_starts_collapsed_is_judged_by_what_changes():
    losses = sample_losses(overfitting(EVERY, SINCE, 0.4))
    verdict = judge(make_history(EVERY, {"never": np.zeros(41), "hardly": np.full(41, 0.01 * TOP)}, losses))
    assert verdict.run.state == "overfitting"
    assert states(verdict) == {"never": "stable", "hardly": "stable"}


def test_no_layers_and_no_columns():
    losses = sample_losses(overfitting(EVERY, SINCE, 0.4))
    assert judge(make_history(EVERY, {}, losses)).run.state == "overfitting"
    bare = dataclasses.replace(ill(), columns={})
    assert judge(bare).run.state == "unknown"
    assert {layer.state for layer in judge(bare).layers} == {None}


def test_a_store_without_sample_losses_or_correlations():
    history = ill()
    del history.columns["probe/sample_loss"]
    check_overfitting(judge(history))
    assert all(layer.filters == () for layer in judge(history).layers)


def test_filters_are_looked_at_whatever_becomes_of_the_entropy():
    degenerate = np.zeros((3, 1), np.int64)
    degenerate[-1] = 4
    history = make_history(
        np.arange(3),
        {"fc": np.full(3, TOP)},
        correlation__abs_mean=np.zeros((3, 1)),
        correlation__histogram=np.zeros((3, 1, 201), np.uint32),
        correlation__degenerate=degenerate,
    )
    (layer,) = judge(history).layers
    assert layer.state is None
    assert [each.problem for each in layer.filters] == ["constant"]


def test_thresholds_are_what_it_depends_on():
    assert judge(ill(), Thresholds(rise=5.0)).run.state != "overfitting"
    assert judge(ill(), Thresholds(collapse=0.9)).layers[2].state == "falling"
    assert judge(ill(), Thresholds(fall=0.5, collapse=0.9)).layers[2].state == "stable"
    assert judge(ill()) == judge(ill(), Thresholds())


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_constant_layer_more_changes_no_other(place, labels):
    named = list(courses(EVERY).items())
    more = [*named[:place], ("more", np.full(41, 0.7 * TOP)), *named[place:]]
    losses = sample_losses(overfitting(EVERY, SINCE, 0.4)) if labels else None
    few, many = (judge(make_history(EVERY, dict(each), losses)) for each in (named, more))
    assert few.run == many.run
    assert few.layers == tuple(layer for layer in many.layers if layer.name != "more")


@pytest.mark.parametrize("step", [1, 10])
@pytest.mark.parametrize("wobble", [0.0, 0.01])
@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_more_of_the_same_plateau_is_never_flagged(labels, wobble, step, seed):
    for count in (20, 40, 80, 300):
        epochs = np.arange(count) * step
        drawn = np.random.default_rng(seed)
        still = learning(epochs, 10 * step)
        entropies = {
            f"layer{i}": level * TOP * (1 + wobble * drawn.standard_normal(count)) for i, level in enumerate((0.9, 0.3))
        }
        losses = sample_losses(still, wobble, seed) if labels else None
        verdict = judge(make_history(epochs, entropies, losses))
        assert verdict.run.state in (
            {"healthy", "unclear"} if labels and wobble else {"healthy" if labels else "unclear"}
        )
        assert set(states(verdict).values()) == {"stable"}


@pytest.mark.parametrize("factor", [1 / np.log(2), 0.1, 7.0])
def test_units_do_not_matter(factor, monkeypatch):
    history = ill()
    before = judge(history)
    columns = {**history.columns, "entropy/mean": history.columns["entropy/mean"] * factor}
    monkeypatch.setattr("rfav_cli.records.Layer.max_entropy", TOP * factor)
    after = judge(dataclasses.replace(history, columns=columns))
    assert after.run == before.run
    for old, new in zip(before.layers, after.layers, strict=True):
        assert (old.state, old.onset) == (new.state, new.onset)
        assert (new.fall, new.fall_fraction) == pytest.approx((old.fall * factor, old.fall_fraction))
        assert new.confidence == pytest.approx(old.confidence)


def write(history, path, order):
    """Put a history into a store, epoch after epoch in an order."""
    writer = StoreWriter.open(path, history.run)
    for row in order:
        columns = {name: np.asarray(values[row]) for name, values in history.columns.items()}
        writer.append(Measurement(history.checkpoints[row], columns))
    return open_store(path)


def test_neither_the_order_of_the_files_nor_packing_matters(tmp_path):
    history = ill(correlation__abs_mean=np.full((41, 3), 0.4))
    shuffled = random.Random(0).sample(range(41), 41)
    one = write(history, tmp_path / "one.h5", range(41))
    other = write(history, tmp_path / "other.h5", shuffled)
    packed = pack(tmp_path / "other.h5")
    assert judge(history) == judge(one) == judge(other) == judge(packed)


def test_judging_a_store_loads_nothing_heavy(tmp_path):
    write(ill(), tmp_path / "rfav.h5", range(41))
    code = (
        "import sys, rfav_cli\nfrom rfav_cli.diagnosis import judge\n"
        f"print(judge(rfav_cli.open_store({str(tmp_path / 'rfav.h5')!r})).run.state)\n"
        "print(sorted({'torch', 'matplotlib', 'numpy.ma'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == ["overfitting", "[]"]


def test_the_order_of_the_samples_hardly_matters():
    history = ill()
    losses = history.columns["probe/sample_loss"]
    mixed = losses[:, np.random.default_rng(0).permutation(losses.shape[1])]
    one, other = (judge(make_history(EVERY, courses(EVERY), each)) for each in (losses, mixed))
    assert one.layers == other.layers
    assert one.run.onset.epoch == other.run.onset.epoch
    assert one.run.probability == pytest.approx(other.run.probability)


def test_judging_leaves_the_history_as_it_was_and_says_the_same_again():
    history, same = ill(), ill()
    assert judge(history) == judge(history)
    for name, values in same.columns.items():
        np.testing.assert_array_equal(history.columns[name], values)


VALUES = st.one_of(st.floats(0, TOP), st.sampled_from([0.0, TOP, np.nan, np.inf]))


@settings(deadline=None, max_examples=100)
@given(st.data(), st.integers(0, 12), st.booleans())
def test_any_history_has_a_verdict(data, count, labels):
    epochs = np.array(sorted(data.draw(st.sets(st.integers(-1, 400), min_size=count, max_size=count))), np.int64)
    rows = st.lists(VALUES, min_size=count, max_size=count).map(np.array)
    entropies = {name: data.draw(rows) for name in ("a", "b")}
    losses = np.array([data.draw(rows) for _ in range(3)]).T.reshape(count, 3) if labels else None
    verdict = judge(make_history(epochs, entropies, losses))
    assert isinstance(verdict.run, RunFinding)
    assert verdict.run.reason
    assert (verdict.run.state == "unknown") == (verdict.run.basis == "")
    assert verdict.run.probability is None or 0 <= verdict.run.probability <= 1
    for layer in verdict.layers:
        assert layer.state in {None, *STATES}
        assert layer.evidence
        assert layer.confidence is None or 0.0 <= layer.confidence <= 1
        assert (layer.onset is None) == (layer.state in {None, "stable"})
        assert layer.fall is None or -1e-9 <= layer.fall <= TOP + 1e-9


def test_the_figures_repeat_nothing_of_the_headline():
    run = judge(ill()).run
    assert run.reason == f"likely overfitting since epoch {run.onset.epoch}: {run.figures}"
    assert run.beside_state == run.figures
    assert run.figures.startswith("held-out loss")
    plain = RunFinding("healthy", "held-out loss 1.0")
    assert (plain.figures, plain.beside_state) == ("", "held-out loss 1.0")
