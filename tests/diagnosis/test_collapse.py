import numpy as np
import pytest

from rfav_cli.diagnosis.collapse import EARLIEST, LATEST, EntropyCourse, follow_layer
from rfav_cli.options.thresholds import Thresholds
from tests.diagnosis.conftest import TOP, falling

T = Thresholds()
EPOCHS = np.arange(-1, 40)
SINCE = 15


def follow(entropies, since=SINCE, epochs=EPOCHS, **changed):
    course = EntropyCourse.of(epochs, np.asarray(entropies, float), TOP, changed.pop("smoothing", T.smoothing))
    limit = changed.pop("limit", T.collapse_alone if since is None else T.collapse)
    return follow_layer("fc", course, since, limit, changed.pop("fall", T.fall))


@pytest.mark.parametrize("since", [SINCE, None])
def test_states_follow_what_is_lost(since):
    limit = T.collapse_alone if since is None else T.collapse
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
@pytest.mark.parametrize(("start", "counts"), [(0.004, False), (0.011, False), (0.05, True)])
def test_a_loss_of_next_to_nothing_is_none(since, start, counts):
    lost = follow(start * TOP * np.where(EPOCHS < SINCE + 5, 1.0, 0.2), since)
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
        "fc", EntropyCourse.of(EPOCHS, values / np.log(2), TOP / np.log(2), T.smoothing), SINCE, T.collapse, T.fall
    )
    assert (one.state, one.onset) == (other.state, other.onset)
    assert (one.confidence, one.fall_fraction) == pytest.approx((other.confidence, other.fall_fraction))
