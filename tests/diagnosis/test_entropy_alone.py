"""Probes without labels: what is said rests on entropy alone, and says so."""

import numpy as np

from rfav_cli.diagnosis import judge
from tests.diagnosis.conftest import TOP, falling, make_history

EPOCHS = np.arange(-1, 40)


def test_a_net_whose_entropies_stay_is_unclear():
    verdict = judge(make_history(EPOCHS, {"conv": np.full(41, 0.9 * TOP), "fc": np.full(41, 0.5 * TOP)}))
    assert (verdict.run.state, verdict.run.basis) == ("unclear", "entropy alone")
    assert "labels for the probe would decide it" in verdict.run.reason
    assert [layer.state for layer in verdict.layers] == ["stable", "stable"]


def test_layers_that_lose_nearly_all_tell_where_and_not_whether():
    verdict = judge(
        make_history(
            EPOCHS, {"conv": np.full(41, 0.9 * TOP), "fc1": falling(EPOCHS, 5, 0.95), "fc2": falling(EPOCHS, 5, 0.95)}
        )
    )
    assert verdict.run.state == "sparsifying"
    assert verdict.run.basis == "entropy alone"
    assert verdict.run.reason.startswith("the entropy collapses in fc1, fc2; whether it overfits is not known")
    assert verdict.run.onset
    assert [layer.state for layer in verdict.layers] == ["stable", "collapsed", "collapsed"]


def test_labels_are_what_makes_the_difference():
    entropies = {"fc": np.full(41, 0.9 * TOP)}
    alone = judge(make_history(EPOCHS, entropies))
    both = judge(make_history(EPOCHS, entropies, np.full((41, 10), 1.0)))
    assert (alone.run.state, both.run.state) == ("unclear", "healthy")
    assert both.run.basis == "held-out loss and accuracy"


def test_too_few_epochs_are_too_few_here_too():
    verdict = judge(make_history(EPOCHS[:3], {"fc": np.full(3, TOP)}))
    assert (verdict.run.state, verdict.run.basis) == ("unknown", "")
