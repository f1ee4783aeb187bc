"""The state of a layer is a property of the function: by scale and shape, where a store has them."""

from dataclasses import replace

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.layer_states import judge_layers, unjudged_layers
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, falling, make_history, overfitting, sample_losses

T = Thresholds()
EVERY, SINCE = np.arange(-1, 40), 15
GONE = np.clip((EVERY - SINCE) / (39 - SINCE), 0, 1)


def grown(growths, shapes, factors=None):
    """An overfitting run of layers that grow so many times and lose so much shape, each larger by a factor."""
    names = [f"fc{index}" for index in range(len(growths))]
    factors = factors or [1.0] * len(growths)
    return make_history(
        EVERY,
        {name: falling(EVERY, SINCE, 0.5) for name in names},
        sample_losses(overfitting(EVERY, SINCE, 0.4)),
        activation__scale=np.stack([factor * growth**GONE for factor, growth in zip(factors, growths, strict=True)], 1),
        activation__shape=np.stack([0.8 * TOP - shape * GONE for shape in shapes], 1),
    )


def test_layers_are_judged_by_scale_and_shape_and_not_by_the_entropy():
    verdict = judge(grown([1.0, 3.0, 1.0], [0.0, 0.0, 1.5]))
    assert [layer.state for layer in verdict.layers] == ["stable", "collapsed", "collapsed"]
    assert verdict.run.reason.endswith("the activations of fc1 grow; the entropy collapses in fc2")
    _, by_scale, by_shape = verdict.layers
    assert by_scale.scale > 0.9 > 0.1 > abs(by_scale.shape)
    assert by_shape.shape > 1.3 > 0.1 > abs(by_shape.scale)


@pytest.mark.parametrize("factors", [[100.0, 0.01, 1.0], [1e-6, 1.0, 1e6]])
def test_what_is_written_larger_in_one_layer_and_smaller_in_another_is_judged_alike(factors):
    one, other = judge(grown([1.2, 3.0, 1.0], [0.0, 0.1, 1.5])), judge(grown([1.2, 3.0, 1.0], [0.0, 0.1, 1.5], factors))
    assert one.run == other.run
    for before, after in zip(one.layers, other.layers, strict=True):
        assert (before.state, before.onset) == (after.state, after.onset)
        assert (before.fall, before.scale, before.shape) == pytest.approx((after.fall, after.scale, after.shape))


def test_growth_in_a_run_that_is_not_known_to_overfit_is_learning():
    assert [layer.state for layer in judge_layers(grown([5.0], [0.0]), None, T)] == ["stable"]
    assert [layer.state for layer in judge_layers(grown([1.0], [0.8 * TOP]), None, replace(T, sparse=0.5))] == [
        "collapsed"
    ]


def test_a_layer_without_scale_and_shape_is_judged_by_its_entropy():
    history = grown([1.0, 1.0], [0.0, 0.0])
    history.columns["activation/scale"][:, 1] = np.nan
    history.columns["activation/shape"][:, 1] = np.nan
    assert [layer.state for layer in judge(history).layers] == ["stable", "collapsed"]
    assert judge(history).layers[1].scale is None


def test_epochs_in_which_a_layer_is_all_zero_are_not_judged():
    history = grown([1.0], [0.0])
    history.columns["activation/scale"][5:8] = 0.0
    history.columns["activation/shape"][5:8] = np.nan
    assert judge(history).layers[0].state == "stable"
    history.columns["activation/scale"][4:] = 0.0
    (layer,) = judge(history).layers
    assert (layer.state, layer.evidence) == (None, "finite in 4 of 41 epochs, 5 are needed")


def test_layers_that_are_not_judged_say_why():
    (layer,) = unjudged_layers(grown([1.0], [0.0]), "not judged: a reason", T)
    assert (layer.state, layer.evidence) == (None, "not judged: a reason")
