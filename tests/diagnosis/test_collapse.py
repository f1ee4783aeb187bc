import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rfav_cli.diagnosis.collapse import EARLIEST, LATEST, LayerCourse, follow_layer
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, falling

T = Thresholds()
EPOCHS = np.arange(-1, 40)
SINCE = 15


def follow(entropies, since=SINCE, epochs=EPOCHS, **changed):
    course = LayerCourse.of(epochs, np.asarray(entropies, float), TOP, changed.pop("smoothing", T.smoothing))
    limit = changed.pop("limit", T.sparse if since is None else T.collapse)
    return follow_layer("fc", course, since, limit, changed.pop("fall", T.fall))


@pytest.mark.parametrize("since", [SINCE, None])
def test_states_follow_what_is_lost(since):
    limit = T.sparse if since is None else T.collapse
    lost = follow(falling(EPOCHS, SINCE, min(limit + 0.1, 1)), since)
    assert (lost.state, lost.name) == ("collapsed", "fc")
    assert lost.confidence > 0.9
    assert follow(falling(EPOCHS, SINCE, 0.0), since).state == "stable"
    between = follow(falling(EPOCHS, SINCE, (T.fall + limit) / 2), since)
    assert between.state == ("stable" if since is None else "falling")


def test_what_was_lost_before_the_moment_of_overfitting_does_not_count():
    early = 0.9 * TOP * np.clip(1 - 0.05 * (EPOCHS + 1), 0.3, 1)
    assert follow(early, since=25).state == "stable"
    assert follow(early, since=0).state == "collapsed"


def test_the_fall_is_in_nats_and_in_shares():
    lost = follow(falling(EPOCHS, SINCE, 0.5), smoothing=0.0)
    assert lost.fall == pytest.approx(0.45 * TOP)
    assert lost.fall_fraction == pytest.approx(0.45)
    assert f"{0.9 * TOP:.2f} nat at epoch" in lost.evidence
    assert f"to {0.45 * TOP:.2f} at epoch 39" in lost.evidence


def test_the_onset_is_where_a_tenth_is_lost():
    lost = follow(falling(EPOCHS, SINCE, 0.5), smoothing=0.0)
    length = EPOCHS[-1] - SINCE
    assert lost.onset.epoch == pytest.approx(SINCE + 0.1 * length, abs=1)
    assert lost.onset.low == pytest.approx(SINCE + EARLIEST * length, abs=1)
    assert lost.onset.high == pytest.approx(SINCE + LATEST * length, abs=1)
    assert lost.onset.low <= lost.onset.epoch <= lost.onset.high


def test_a_stable_layer_has_no_onset():
    assert follow(falling(EPOCHS, SINCE, 0.0)).onset is None


@pytest.mark.parametrize("step", [1, 10])
@pytest.mark.parametrize("count", [20, 40, 160])
def test_a_longer_plateau_never_falls(step, count):
    epochs = np.arange(count) * step
    for seed in range(30):
        wobble = 1 + 0.01 * np.random.default_rng(seed).standard_normal(count)
        assert follow(0.8 * TOP * wobble, since=3, epochs=epochs).state == "stable"


def test_the_highest_of_many_points_that_wobble_is_no_fall():
    epochs = np.arange(100) * 10
    wobbles = [1 + 0.03 * np.random.default_rng(seed).standard_normal(100) for seed in range(100)]
    found = [follow(0.8 * TOP * wobble, since=30, epochs=epochs) for wobble in wobbles]
    assert np.mean([each.state != "stable" for each in found]) <= 0.15
    assert np.median([each.fall / (0.8 * TOP) for each in found]) > T.fall
    assert "of noise" in found[0].evidence


def test_a_layer_that_starts_collapsed_and_stays_so_is_stable():
    nothing = follow(np.zeros(41), since=None)
    assert (nothing.state, nothing.fall) == ("stable", 0)
    assert follow(np.full(41, 0.02 * TOP)).state == "stable"


def test_epochs_without_an_entropy_are_passed_over():
    whole = falling(EPOCHS, SINCE, 0.5)
    holes = whole.copy()
    holes[[3, 20, 21]] = np.nan
    gone = np.isfinite(holes)
    assert follow(holes) == follow(whole[gone], epochs=EPOCHS[gone])
    assert follow(holes).state == "collapsed"


def test_the_moment_of_overfitting_may_lie_after_the_last_entropy():
    assert follow(falling(EPOCHS, SINCE, 0.5), since=100).state == "stable"


@pytest.mark.parametrize("since", [SINCE, None])
def test_a_limit_of_nothing_is_no_mistake(since):
    rising = 0.5 * TOP * (1 + 0.01 * EPOCHS) + 0.01 * np.random.default_rng(0).standard_normal(41)
    assert follow(rising, since, limit=0.0, fall=0.0).state in {"stable", "falling", "collapsed"}
    level = follow(np.full(41, TOP), since, limit=0.0, fall=0.0)
    assert (level.state, level.fall) == ("stable", pytest.approx(0))


@pytest.mark.parametrize("since", [SINCE, None])
@pytest.mark.parametrize(("start", "counts"), [(0.004, False), (0.01, False), (0.05, True)])
def test_a_loss_of_next_to_nothing_is_none(since, start, counts):
    lost = follow(start * TOP * np.where(EPOCHS < SINCE + 5, 1.0, 0.04), since)
    assert lost.state == ("collapsed" if counts else "stable")
    assert ("% lost, less than 1% of ln D" in lost.evidence) == (not counts)
    assert lost.confidence > 0.9


@pytest.mark.parametrize("limit", [0.15, 0.65, 0.9])
def test_the_limit_is_a_share_of_the_layers_entropy(limit):
    for by, state in ((limit + 0.05, "collapsed"), (limit - 0.05, "falling")):
        lost = follow(falling(EPOCHS, SINCE, by), limit=limit, smoothing=0.0)
        assert lost.state == state
        assert f"{by:.0%} lost; {limit:.0%} is a collapse" in lost.evidence


@pytest.mark.parametrize("seed", range(10))
def test_units_do_not_matter(seed):
    random = np.random.default_rng(seed)
    values = falling(EPOCHS, SINCE, random.random()) * (1 + 0.02 * random.standard_normal(41))
    one = follow(values)
    other = follow_layer(
        "fc", LayerCourse.of(EPOCHS, values / np.log(2), TOP / np.log(2), T.smoothing), SINCE, T.collapse, T.fall
    )
    assert (one.state, one.onset) == (other.state, other.onset)
    assert (one.confidence, one.fall_fraction) == pytest.approx((other.confidence, other.fall_fraction))


def grown(growth=1.0, shape=0.0, factor=1.0, since=SINCE):
    """Scales and shapes of a layer whose activations grow so many times from an epoch on, and lose so much shape."""
    gone = np.clip((EPOCHS - since) / (EPOCHS[-1] - since), 0, 1)
    return factor * 2.0 * growth**gone, 0.8 * TOP - shape * gone


def follow_parts(growth=1.0, shape=0.0, factor=1.0, since=SINCE, *, shape_alone=False, limit=T.collapse):
    scales, shapes = grown(growth, shape, factor)
    entropies = np.full(41, 0.5 * TOP)
    course = LayerCourse.of(EPOCHS, entropies, TOP, 0.0, scales, shapes, shape_alone=shape_alone)
    return follow_layer("fc", course, since, limit, T.fall)


@pytest.mark.parametrize(
    ("growth", "shape", "state"),
    [
        (1.0, 0.0, "stable"),
        (3.2, 0.0, "collapsed"),
        (1.0, 1.2, "collapsed"),
        (1.4, 0.0, "falling"),
        (0.3, 0.0, "stable"),
    ],
)
def test_a_fall_is_growth_and_loss_of_shape(growth, shape, state):
    found = follow_parts(growth, shape)
    assert found.state == state
    assert found.fall == pytest.approx(max(np.log(growth) + shape, 0), abs=1e-9)
    assert found.scale + found.shape == pytest.approx(found.fall)
    if growth > 1:
        assert (found.scale, found.shape) == pytest.approx((np.log(growth), shape))


def test_the_words_say_what_a_fall_is_made_of():
    grew, lost, both = (follow_parts(*each).evidence for each in ((3.2, 0.0), (1.0, 1.2), (2.0, 0.5)))
    ends = [0.8 * TOP, 0.8 * TOP - 1.2, 0.8 * TOP - 0.5]
    whole, low, less = (f"{end:.2f}" for end in ends)
    same, fewer = "the share of filters that take part is unchanged", "fewer filters take part (shape"
    assert grew.startswith(f"activations grew 3.2 times since epoch 15; {same}: ")
    assert lost.startswith(f"activations kept their size since epoch 15; {fewer} {whole} to {low} nat): ")
    assert both.startswith(f"activations grew 2 times since epoch 15; {fewer} {whole} to {less} nat): ")
    assert "more filters take part" in follow_parts(20.0, -0.5).evidence
    assert grew.endswith("28% of ln D lost; 15% is a collapse")
    assert "shrank to 50%" in follow_parts(0.5, 1.5).evidence


@given(st.floats(1e-6, 1e6), st.floats(0.2, 20), st.floats(0, 2))
def test_a_layer_that_is_written_larger_or_smaller_is_the_same(factor, growth, shape):
    fall = (np.log(growth) + shape) / TOP
    assume(min(abs(fall - limit) for limit in (T.fall, T.collapse, 0.01, 0)) > 1e-6)  # not decided by rounding
    one, other = follow_parts(growth, shape), follow_parts(growth, shape, factor)
    assert one.state == other.state
    if one.onset:
        assert one.onset.epoch == pytest.approx(other.onset.epoch, abs=1)
    assert (one.fall, one.scale, one.shape) == pytest.approx((other.fall, other.scale, other.shape), abs=1e-6)


def test_growth_counts_for_nothing_where_a_run_is_not_known_to_overfit():
    assert follow_parts(100.0, 0.0, since=None, shape_alone=True).state == "stable"
    assert follow_parts(1.0, 3.0, since=None, shape_alone=True).state == "collapsed"
