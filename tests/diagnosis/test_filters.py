import numpy as np
import pytest

from rfav_cli.diagnosis.filters import correlation_by_chance, look_at_filters
from rfav_cli.options.thresholds import Thresholds
from rfav_cli.records import Layer
from tests.diagnosis.conftest import TOP, make_history

T = Thresholds()
EPOCHS = np.arange(-1, 7)
LAYER = Layer("fc", "Linear", 64, (64, 32), ())
CHANCE = correlation_by_chance(LAYER)


def history_of(sizes=None, histogram=None, degenerate=0, epochs=EPOCHS):
    """One layer with its mean |correlation| (E,), and the last epoch's histogram (201,) and degenerate filters."""
    count = len(epochs)
    bins = np.zeros((count, 1, 201), np.uint32)
    if histogram is not None:
        bins[-1, 0] = histogram
    constant = np.zeros((count, 1), np.int64)
    constant[-1:] = degenerate
    return make_history(
        epochs,
        {"fc": np.full(count, TOP)},
        correlation__abs_mean=np.full((count, 1), CHANCE) if sizes is None else np.asarray(sizes, float)[:, None],
        correlation__histogram=bins,
        correlation__degenerate=constant,
    )


def found(*arguments, **changed):
    thresholds = Thresholds(**{name: changed.pop(name) for name in ("duplicate", "correlated") if name in changed})
    return look_at_filters(history_of(*arguments, **changed), thresholds)[0]


def pairs_at(**counts):
    """A histogram with pairs at coefficients such as p95 (0.95) and m100 (-1.00)."""
    bins = np.zeros(201)
    for name, count in counts.items():
        bins[100 + int(name[1:]) * (1 if name[0] == "p" else -1)] = count
    return bins


@pytest.mark.parametrize(("weights", "channels"), [(2, 40), (3, 200), (9, 200), (27, 200), (400, 100)])
def test_chance_is_what_random_filters_have(weights, channels):
    random = np.random.default_rng(weights)
    sizes = []
    for _ in range(20):
        coefficients = np.corrcoef(random.standard_normal((channels, weights)))
        sizes.append(np.abs(coefficients[np.tril_indices(channels, -1)]).mean())
    layer = Layer("conv", "Conv2d", channels, (channels, weights, 1, 1), (4, 4))
    assert correlation_by_chance(layer) == pytest.approx(np.mean(sizes), rel=0.02)


def test_one_weight_a_filter_is_always_alike():
    assert correlation_by_chance(Layer("norm", "Conv2d", 8, (8, 1, 1, 1), (4, 4))) == 1.0


def test_nothing_is_said_of_random_filters():
    assert found(histogram=pairs_at(p0=1000, p94=5, m94=5)) == ()


def test_constant_filters_are_counted():
    (finding,) = found(degenerate=3)
    assert (finding.problem, finding.count) == ("constant", 3)
    assert "3 of 64 filters" in finding.evidence


def test_pairs_beyond_the_limit_are_counted_on_both_sides():
    (finding,) = found(histogram=pairs_at(p95=100, m95=100, p96=1, p100=2, m97=4, m0=9))
    assert (finding.problem, finding.count) == ("duplicate", 7)
    assert "7 pairs" in finding.evidence
    (one,) = found(histogram=pairs_at(m100=1))
    assert "1 pair of" in one.evidence


@pytest.mark.parametrize("cents", range(0, 100, 7))
def test_each_bin_is_on_its_side_of_the_limit(cents):
    histogram = np.ones(201)
    (finding,) = found(histogram=histogram, duplicate=cents / 100)
    assert finding.count == 2 * (100 - cents)


def test_no_pair_is_beyond_one():
    assert found(histogram=np.ones(201), duplicate=1.0) == ()


def test_correlated_from_the_start():
    (finding,) = found(np.full(8, CHANCE + T.correlated + 0.01))
    assert (finding.problem, finding.count) == ("correlated", 0)
    assert f"{CHANCE:.2f}" in finding.evidence


def test_correlating_over_the_epochs():
    sizes = np.linspace(CHANCE, CHANCE + T.correlated + 0.01, 7)
    (finding,) = found([CHANCE, *sizes])
    assert (finding.problem, finding.count) == ("correlating", 0)
    assert f"{sizes[-1]:.2f} at epoch 6" in finding.evidence


def test_a_little_more_than_chance_is_neither():
    assert found(np.linspace(CHANCE, CHANCE + T.correlated - 0.01, 8)) == ()


def test_what_was_correlated_and_is_no_more_is_passed_over():
    assert found(np.linspace(CHANCE + 2 * T.correlated, CHANCE, 8)) == ()


def test_untrained_weights_say_nothing():
    high = CHANCE + 2 * T.correlated
    assert found([high, *[CHANCE] * 7]) == ()
    assert found([CHANCE, *[high] * 7])[0].problem == "correlated"
    assert found([high], epochs=np.array([-1])) == ()


def test_epochs_without_a_figure_are_passed_over():
    high = CHANCE + 2 * T.correlated
    assert found([np.nan] * 8) == ()
    (finding,) = found([np.nan, np.nan, high, np.nan, high, high, np.inf, np.nan])
    assert "at epoch 1," in finding.evidence
    assert "at epoch 4," in finding.evidence


def test_the_limit_is_a_threshold():
    assert found(np.full(8, CHANCE + 0.05), correlated=0.04)[0].problem == "correlated"
    assert found(np.full(8, CHANCE + 0.05), correlated=0.06) == ()


@pytest.mark.parametrize("missing", ["abs_mean", "histogram", "degenerate"])
def test_a_store_without_correlations_says_nothing(missing):
    history = history_of(np.full(8, 0.9), np.ones(201), 3)
    del history.columns[f"correlation/{missing}"]
    assert look_at_filters(history, T) == ((),)


def test_no_epoch_says_nothing():
    assert look_at_filters(history_of(epochs=np.arange(0)), T) == ((),)


def test_each_layer_has_its_own():
    names = ("a", "b", "c")
    degenerate = np.zeros((8, 3), np.int64)
    degenerate[-1] = (0, 2, 0)
    degenerate[0] = 9
    sizes = np.tile([CHANCE, CHANCE, 0.9], (8, 1))
    history = make_history(
        EPOCHS,
        {name: np.full(8, TOP) for name in names},
        correlation__abs_mean=sizes,
        correlation__histogram=np.zeros((8, 3, 201), np.uint32),
        correlation__degenerate=degenerate,
    )
    assert [[each.problem for each in layer] for layer in look_at_filters(history, T)] == [
        [],
        ["constant"],
        ["correlated"],
    ]
