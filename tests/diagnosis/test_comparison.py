from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rfav_cli.diagnosis import compare, judge, smoothed_loss
from rfav_cli.diagnosis.differences import best_and_last
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import Comparison, Difference, Doubt, History, Settings
from rfav_cli.render.document import show_document
from tests.diagnosis.conftest import SIZE, falling, learning, overfitting, sample_losses
from tests.diagnosis.runs import ENTROPIES, EPOCHS, make_run, other_probe

DIFFERENCES = ("best_loss", "best_accuracy", "last_loss", "last_accuracy")


def before_and_after() -> tuple[History, History]:
    """A run that overfits, and one of the same net on the same samples that does not."""
    bad = sample_losses(overfitting(EPOCHS, 8, 0.8), 0.01, seed=0)
    good = 0.9 * sample_losses(learning(EPOCHS, 8), 0.01, seed=0) + 0.02 * np.random.default_rng(9).random(SIZE)
    stable = {name: falling(EPOCHS, 8, 0.0) for name in ENTROPIES}
    return (
        make_run(bad, accuracy=0.4, path="before.h5"),
        make_run(good, accuracy=0.6, seed=1, path="after.h5", entropies=stable),
    )


def differences(comparison: Comparison) -> list[Difference | None]:
    return [getattr(comparison, name) for name in DIFFERENCES]


def test_a_retraining_that_helped_is_better_in_every_figure() -> None:
    comparison = compare(*before_and_after())
    assert [found.better for found in differences(comparison) if found] == ["B"] * 4
    assert comparison.same_probe
    assert comparison.a.finding.state == "overfitting"
    assert comparison.b.finding.state == "healthy"
    first, *_, accuracy = comparison.summary
    a, b = comparison.a.best, comparison.b.best
    assert a is not None
    assert b is not None
    assert first.startswith(
        f"B's best held-out loss is {a.loss - b.loss:.3g} nat lower ({b.loss:.3f} against {a.loss:.3f}"
    )
    assert first.endswith(f"; smoothed {b.smoothed_loss:.3f} against {a.smoothed_loss:.3f}; over 99.9% sure)")
    assert "percentage points higher" in accuracy
    changes = {layer.name: layer.change for layer in comparison.layers}
    assert changes["conv1"].startswith("stable in both; entropy at the end 3.74 nat in A, 3.74 in B (90% and 90%")
    assert changes["fc1"].startswith("collapsed in A, stable in B; entropy at the end 1.12 nat in A, 3.74 in B")


def test_pairing_finds_what_two_draws_cannot() -> None:
    """Samples that are hard for both runs drop out."""
    losses = sample_losses(learning(EPOCHS, 8))
    a, b = make_run(losses), make_run(losses - 0.03, seed=1)
    paired, unpaired = compare(a, b).last_loss, compare(a, other_probe(b)).last_loss
    assert paired is not None
    assert unpaired is not None
    assert (paired.better, unpaired.better) == ("B", None)
    assert paired.value == pytest.approx(unpaired.value)


def mirrored(comparison: Comparison) -> Comparison:
    def turned(found: Difference | None) -> Difference | None:
        if found is None:
            return None
        better = {"A": "B", "B": "A"}.get(found.better or "")
        return replace(found, value=-found.value, better=better)  # type: ignore[arg-type]

    return replace(
        comparison,
        a=comparison.b,
        b=comparison.a,
        **{name: turned(getattr(comparison, name)) for name in DIFFERENCES},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("paired", [True, False])
def test_the_other_way_round_is_the_mirror_image(seed: int, paired: bool) -> None:
    a = make_run(sample_losses(overfitting(EPOCHS, 8, 0.1), 0.02, seed=seed), accuracy=0.5, seed=seed)
    epochs = np.arange(-1, 30)
    b = make_run(
        sample_losses(learning(epochs, 9), 0.02, seed=seed + 9),
        accuracy=0.55,
        seed=seed + 9,
        epochs=epochs,
        entropies={"conv1": falling(epochs, 8, 0.3), "fc2": falling(epochs, 8, 0.0)},
    )
    b = b if paired else other_probe(b)
    forward, back = compare(a, b), mirrored(compare(b, a))
    assert (forward.a, forward.b, forward.same_probe) == (back.a, back.b, back.same_probe)
    for one, other in zip(differences(forward), differences(back), strict=True):
        assert one is not None
        assert other is not None
        assert one.better == other.better
        assert (one.value, one.error, one.p) == pytest.approx((other.value, other.error, other.p), rel=1e-9)
    sides = {layer.name: (layer.a, layer.b) for layer in forward.layers}
    assert sides == {layer.name: (layer.b, layer.a) for layer in back.layers}
    assert [layer.name for layer in forward.layers] == ["conv1", "fc1", "fc2"]


def test_the_same_store_twice_is_no_difference() -> None:
    history = before_and_after()[0]
    comparison = compare(history, replace(history, path="copy.h5"))
    assert [(found.value, found.p, found.better) for found in differences(comparison) if found] == [(0, 1, None)] * 4
    assert "A and B hold the same measurements" in comparison.notes
    assert comparison.summary[0].startswith("B's best held-out loss is that of A (1.")
    assert all(layer.a == layer.b for layer in comparison.layers)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("wobble", [0.0, 0.05])
def test_noise_alone_is_not_called_better(paired: bool, wobble: float) -> None:
    """Two runs that are equally good on the population, each with its own luck with every sample and every epoch."""
    seeds, sure = 150, np.zeros(4)
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        hardness = random.gamma(2.0, 0.5, (1 if paired else 2, SIZE))
        runs = []
        for number in range(2):
            shared = learning(EPOCHS, 8) * (1 + wobble * random.standard_normal(24))
            own = 0.3 * random.standard_normal(SIZE) + 0.05 * random.standard_normal((24, SIZE))
            losses = shared[:, None] * hardness[number if len(hardness) > 1 else 0] + own
            runs.append(make_run(losses, accuracy=0.6, seed=2 * seed + number))
        comparison = compare(runs[0], runs[1] if paired else other_probe(runs[1]))
        sure += [found is not None and found.better is not None for found in differences(comparison)]
    assert (sure <= 0.05 * seeds + 2.5 * (seeds * 0.05 * 0.95) ** 0.5).all(), sure / seeds


def test_a_longer_wobbling_run_is_not_better_for_its_many_tries() -> None:
    seeds, sure = 100, 0
    long = np.arange(80)
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        a = make_run(sample_losses(np.full(24, 1.2), 0.1, seed=seed), entropies={})
        losses = sample_losses(np.full(80, 1.2), 0.1, seed=seed) + 0.05 * random.standard_normal(SIZE)
        b = make_run(losses, epochs=long, seed=1, entropies={})
        found = compare(a, b).best_loss
        sure += found is not None and found.better is not None
    assert sure <= 0.12 * seeds


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_that_were_measured_and_smoothed_ones_stand_beside(seed: int) -> None:
    """`rfav show` and its document give the same of each run."""
    a = make_run(sample_losses(overfitting(EPOCHS, 8, 0.3), 0.1, seed=seed), accuracy=0.5, seed=seed)
    b = make_run(sample_losses(learning(EPOCHS, 12), 0.1, seed=seed + 9), accuracy=0.5, seed=seed + 9)
    comparison = compare(a, b)
    for history, side in ((a, comparison.a), (b, comparison.b)):
        document = show_document(history, judge(history))
        lowest = min(document["epochs"], key=lambda epoch: epoch["loss"])
        assert side.best is not None
        assert side.last is not None
        assert (side.best.epoch, side.best.loss, side.best.accuracy) == tuple(
            lowest[name] for name in ("epoch", "loss", "accuracy")
        )
        assert (side.last.epoch, side.last.loss, side.last.accuracy) == tuple(
            document["epochs"][-1][name] for name in ("epoch", "loss", "accuracy")
        )
        smoothed = smoothed_loss(history, Thresholds())
        assert side.best.smoothed_loss == pytest.approx(smoothed.min())
        assert side.last.smoothed_loss == pytest.approx(smoothed[-1])
    assert comparison.best_loss is not None
    assert comparison.a.best is not None
    assert comparison.b.best is not None
    assert comparison.best_loss.value == comparison.b.best.loss - comparison.a.best.loss
    assert comparison.best_loss.smoothed == pytest.approx(
        comparison.b.best.smoothed_loss - comparison.a.best.smoothed_loss  # type: ignore[operator]
    )
    assert f"{comparison.b.best.loss:.3f} against {comparison.a.best.loss:.3f}; smoothed " in comparison.summary[0]


def test_where_nothing_is_smoothed_no_figure_is_called_so() -> None:
    comparison = compare(*before_and_after(), Thresholds(smoothing=0.0))
    assert comparison.a.best is not None
    assert comparison.a.best.smoothed_loss is None
    assert comparison.best_loss is not None
    assert comparison.best_loss.smoothed is None
    assert not any("smoothed" in line for line in comparison.summary)


def test_a_last_epoch_by_chance_the_other_way_round_is_told_with_both_figures() -> None:
    """Measured, B ends higher; smoothed, it ends lower, and that is what is sure."""
    a = sample_losses(np.full(24, 1.2))
    b = a - 0.3
    b[-1] += 0.4
    comparison = compare(make_run(a), make_run(b, seed=1))
    assert comparison.last_loss is not None
    assert comparison.last_loss.value == pytest.approx(0.1)
    assert comparison.last_loss.smoothed is not None
    assert comparison.last_loss.smoothed < 0
    (said,) = (line for line in comparison.summary if "last held-out loss" in line)
    assert "is 0.1 nat higher as measured, but smoothed " in said
    assert " nat lower (1." in said


def test_without_labels_only_layers_are_compared() -> None:
    entropies = dict(zip(ENTROPIES, (falling(EPOCHS, 8, by) for by in (0.0, 0.99)), strict=True))
    a, b = make_run(None, entropies=entropies), before_and_after()[1]
    comparison = compare(a, b)
    assert differences(comparison) == [None] * 4
    assert (comparison.a.best, comparison.a.last) == (None, None)
    assert comparison.summary == ("no held-out losses to compare",)
    assert "A has a probe without labels" in comparison.notes
    assert [layer.a.state for layer in comparison.layers if layer.a] == ["stable", "collapsed"]


def test_stores_without_the_samples_losses_give_differences_and_no_p() -> None:
    histories = [
        replace(each, columns={k: v for k, v in each.columns.items() if "sample" not in k})
        for each in before_and_after()
    ]
    comparison = compare(*histories)
    for found in differences(comparison):
        assert found is not None
        assert found.value != 0
        assert (found.error, found.p, found.better) == (None, None, None)
    assert "how sure that is cannot be said" in comparison.summary[0]
    assert any("without the loss of each sample" in note for note in comparison.notes)


@pytest.mark.parametrize(("size", "known"), [(29, False), (30, True)])
def test_few_samples_tell_nothing_from_chance(size: int, known: bool) -> None:
    losses = sample_losses(learning(EPOCHS, 8), size=size)
    comparison = compare(make_run(losses), make_run(losses - 0.5, seed=1))
    assert comparison.last_loss is not None
    assert (comparison.last_loss.better == "B") == known
    assert any("fewer than 30 held-out samples" in note for note in comparison.notes) != known


def test_a_training_that_diverged_has_a_best_epoch_and_no_last() -> None:
    a, b = before_and_after()
    columns = {name: np.array(values) for name, values in b.columns.items()}
    columns["probe/sample_loss"][-2:] = np.nan
    comparison = compare(a, replace(b, columns=columns))
    assert comparison.best_loss is not None
    assert comparison.last_loss is None
    assert comparison.last_accuracy is None
    assert "B's held-out loss in its last epoch, 23, is not finite" in comparison.notes
    columns["probe/sample_loss"][:] = np.nan
    assert "B has no finite held-out loss" in compare(a, replace(b, columns=columns)).notes


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_epochs(count: int) -> None:
    a, b = (
        replace(
            each,
            checkpoints=each.checkpoints[:count],
            columns={name: values[:count] for name, values in each.columns.items()},
        )
        for each in before_and_after()
    )
    comparison = compare(a, b)
    assert comparison.a.finding.state == "unknown"
    assert (comparison.best_loss is None) == (count == 0)
    assert any("from 5 epochs on" in note for note in comparison.notes) == (count > 0)


@pytest.mark.parametrize(
    ("setting", "what", "said"),
    [
        ({"with_bias": True}, "entropies", "--with-bias: off in A, on in B"),
        ({"fold_norm": False}, "entropies", "--no-fold-norm: off in A, on in B"),
        ({"centering": "paper"}, "correlations", "--centering: pearson in A, paper in B"),
        ({"output": "logits"}, "losses", "--output: the first in A, logits in B"),
    ],
)
def test_settings_that_make_figures_others_are_said(setting: dict[str, Any], what: str, said: str) -> None:
    a, b = before_and_after()
    figures = {"correlation/abs_mean": np.full((24, 2), 0.3)}
    a, b = (replace(each, columns={**each.columns, **figures}) for each in (a, b))
    assert not any("cannot be compared" in note for note in compare(a, b).notes)
    b = replace(b, run=replace(b.run, settings=replace(Settings(), **setting)))
    comparison = compare(a, b)
    assert f"{said}, so the {what} cannot be compared" in comparison.notes
    for layer in comparison.layers:
        assert ("entropy at the end" in layer.change) == (what != "entropies")
        assert ("|correlation| 0.30 in A, 0.30 in B" in layer.change) == (what != "correlations")


def test_settings_that_change_no_figure_are_not_mentioned() -> None:
    a, b = before_and_after()
    other = replace(b, run=replace(b.run, settings=Settings(maps=0, model="zoo:lenet")))
    assert compare(a, other).notes == compare(a, b).notes


def test_layers_are_matched_by_name() -> None:
    losses = sample_losses(learning(EPOCHS, 8))
    a = make_run(losses, entropies={"conv1": ENTROPIES["conv1"], "fc1": ENTROPIES["fc1"]})
    b = make_run(losses, entropies={"fc1": ENTROPIES["conv1"] / 2, "conv9": ENTROPIES["fc1"]}, channels={"fc1": 128})
    comparison = compare(a, b)
    found = {layer.name: layer for layer in comparison.layers}
    assert list(found) == ["conv1", "fc1", "conv9"]
    assert found["conv1"].b is None
    assert found["conv1"].change == "only in A: stable"
    assert found["conv9"].a is None
    assert found["conv9"].change.startswith("only in B: ")
    side = found["fc1"].b
    assert side is not None
    assert side.entropy == pytest.approx(0.45 * np.log(64))
    assert side.fraction == pytest.approx(0.45 * np.log(64) / np.log(128))
    assert "layers only in A: conv1" in comparison.notes
    assert "layers only in B: conv9" in comparison.notes
    assert "fc1 has 64 filters in A and 128 in B: compare the fractions of ln D" in comparison.notes


def test_a_layer_of_one_channel_has_no_entropy_and_one_that_broke_neither() -> None:
    broken = ENTROPIES["fc1"].copy()
    broken[-1] = np.nan
    run = make_run(None, entropies={"one": np.zeros(24), "fc1": broken}, channels={"one": 1})
    one, fc1 = compare(run, run).layers
    assert one.a is not None
    assert fc1.a is not None
    assert (one.a.state, one.a.entropy, one.a.fraction) == (None, None, None)
    assert one.change == "not judged in both"
    assert (fc1.a.entropy, fc1.a.correlation) == (None, None)


def test_other_classes_are_said() -> None:
    a, b = before_and_after()
    probe = replace(b.run.probe, sha256="cd" * 32, labels=np.arange(SIZE) % 4)
    notes = compare(a, replace(b, run=replace(b.run, probe=probe))).notes
    assert "the classes differ (10 in A, 4 in B): losses and accuracies cannot be compared" in notes
    assert "the probes are not the same: the labels are others" in notes
    assert "losses and accuracies are compared as those of two draws of the same kind" in notes


def test_thresholds_are_those_of_the_verdicts_and_of_the_smoothing() -> None:
    a, b = before_and_after()
    rough = best_and_last(a, Thresholds(smoothing=0.0))[1]
    assert rough is not None
    np.testing.assert_array_equal(rough.loss.samples, a.columns["probe/sample_loss"][-1])
    blind = compare(a, b, Thresholds(rise=90.0))
    assert blind.a.finding == judge(a, Thresholds(rise=90.0)).run
    assert blind.a.finding.state != "overfitting"


def test_a_hostile_prediction_column_is_left_alone() -> None:
    a, b = before_and_after()
    columns = {**b.columns, "probe/sample_prediction": np.zeros((24, 7))}
    comparison = compare(a, replace(b, columns=columns))
    assert comparison.best_accuracy is not None
    assert comparison.best_accuracy.p is None


def test_doubts_of_either_run_come_first_among_the_notes() -> None:
    a, b = before_and_after()
    doubt = Doubt("run", "epoch 3", "it looks wrong", "Look.", 1.0)
    assert compare(a, replace(b, doubts=(doubt,))).notes[0] == "B is in doubt: epoch 3: it looks wrong. Look."
    assert not any("doubt" in note for note in compare(a, b).notes)
