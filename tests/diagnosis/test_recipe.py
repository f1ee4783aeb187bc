from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rfav_cli import equations
from rfav_cli.diagnosis import recommend
from rfav_cli.diagnosis.recipe import SCORES, lambda_by_rule
from rfav_cli.errors import UsageError
from rfav_cli.records import (
    CLASSIFIER,
    RULES,
    Checkpoint,
    FilterFinding,
    History,
    Layer,
    LayerFinding,
    Onset,
    ProbeRecord,
    Run,
    RunFinding,
    SkippedLayer,
    Verdict,
)

CORRELATED = FilterFinding("correlated", 0, "mean |correlation| 0.40 throughout")
CORRELATING = FilterFinding("correlating", 0, "mean |correlation| 0.10, then 0.50")
LAYERS = (
    Layer("conv1", "Conv2d", 8, (8, 3, 3, 3), (32, 32)),
    Layer("conv4", "Conv2d", 16, (16, 8, 3, 3), (12, 12)),
    Layer("fc1", "Linear", 64, (64, 256), ()),
)
EPOCHS = (-1, 0, 2, 4, 6)


def make_history(*, labels: bool = True, **columns: object) -> History:
    size = len(EPOCHS)
    whole = {
        "entropy/mean": np.linspace([2.0, 2.5, 4.0], [1.9, 1.0, 0.5], size),
        "probe/loss": np.linspace(2.3, 3.0, size) if labels else np.full(size, np.nan),
    }
    return History(
        "rfav.h5",
        Run(LAYERS, (), ProbeRecord("ab" * 32, 10, np.arange(10) if labels else None)),
        tuple(Checkpoint(epoch, f"run/{epoch}.pt", f"{epoch % 10}" * 64) for epoch in EPOCHS),
        (),
        whole | columns,
    )


def make_verdict(
    state: str = "overfitting",
    *,
    onset: int | None = 4,
    states: tuple[str | None, ...] = ("stable", "collapsed", "collapsed"),
    onsets: tuple[int | None, ...] = (None, 4, 2),
    filters: tuple[tuple[FilterFinding, ...], ...] = ((), (), ()),
) -> Verdict:
    layers = tuple(
        LayerFinding(
            layer.name,
            layer_state,
            since and Onset(since, since, since),
            evidence=f"what {layer.name} did",
            filters=found,
        )
        for layer, layer_state, since, found in zip(LAYERS, states, onsets, filters, strict=True)
    )
    return Verdict(RunFinding(state, "because", onset=onset and Onset(onset, onset, onset)), layers)


def test_the_papers_targets() -> None:
    """sr3Net: lambda on the layers that collapse, kappa on the first one, which is correlated from the start."""
    recipe = recommend(make_history(), make_verdict(filters=((CORRELATED,), (), ())), "paper")
    assert [(layer.name, layer.finding, layer.lambda_, layer.kappa) for layer in recipe.layers] == [
        ("conv1", "correlated", 0.0, 1.0),
        ("conv4", "collapsed", 0.001, 0.0),
        ("fc1", "collapsed", 0.001, 0.0),
    ]
    assert (recipe.rule, recipe.store, recipe.digest) == ("paper", "rfav.h5", make_history().digest)
    assert recipe.loss == 3.0
    assert recipe.reason == "because"
    assert CORRELATED.evidence in recipe.layers[0].why
    assert recipe.layers[1].why == "collapsed since epoch 4: what conv4 did"


def test_a_layer_can_need_both() -> None:
    both = make_verdict(filters=((), (), (CORRELATING, FilterFinding("duplicate", 3, "3 pairs"))))
    layer = recommend(make_history(), both, "balanced").layers[-1]
    assert (layer.finding, layer.lambda_, layer.kappa) == ("collapsed, correlating", 0.1, 1.0)
    assert CORRELATING.evidence in layer.why
    assert "3 pairs" not in layer.why


@pytest.mark.parametrize("problem", ["constant", "duplicate"])
def test_filters_that_are_not_correlated_as_a_whole_get_no_kappa(problem: str) -> None:
    finding = FilterFinding(problem, 2, "two of them")
    assert [layer.kappa for layer in recommend(make_history(), make_verdict(filters=((finding,),) * 3)).layers] == [
        0,
        0,
    ]


@pytest.mark.parametrize(("layer", "lambda_"), [*zip(LAYERS, (0.001, 0.001, 0.1), strict=True)])
def test_balanced_gives_a_dense_layer_what_was_measured_to_help(layer: Layer, lambda_: float) -> None:
    assert lambda_by_rule(layer, "balanced") == pytest.approx(lambda_)
    assert lambda_by_rule(layer, "paper") == 0.001


@pytest.mark.parametrize("positions", [(), (1,), (7,), (4, 5), (99,), (100,), (32, 32), (4, 32, 32)])
def test_balanced_by_its_formula(positions: tuple[int, ...]) -> None:
    layer = Layer("x", "Linear", 8, (8, 8), positions)
    count = 1
    for side in positions:
        count *= side
    assert lambda_by_rule(layer, "balanced") == pytest.approx(max(0.001, 0.1 / count))


@pytest.mark.parametrize("layer", LAYERS)
def test_even_weighs_the_mean_entropy_of_each_layer_alike(layer: Layer) -> None:
    positions = int(np.prod(layer.positions))
    assert lambda_by_rule(layer, "even") * positions == pytest.approx(0.3)
    assert lambda_by_rule(layer, "adaptive") == pytest.approx(0.3 * lambda_by_rule(layer, "even"))


@pytest.mark.parametrize("rule", RULES)
def test_the_size_of_eq_5_is_the_penalty_on_the_activations(rule: str) -> None:
    """Against the penalty itself, on activations whose mean entropy the history holds."""
    generator = torch.Generator().manual_seed(0)
    activations = [torch.randn(6, each.channels, *each.positions, generator=generator) for each in LAYERS]
    means = [float(equations.entropy(a, dim=1).mean()) for a in activations]
    history = make_history(**{"entropy/mean": np.tile(means, (len(EPOCHS), 1))})
    recipe = recommend(history, make_verdict(states=("collapsed",) * 3, onsets=(2, 2, 2)), rule)
    for layer, activation in zip(recipe.layers, activations, strict=True):
        expected = float(equations.sparsity_penalty(activation, 1, layer.lambda_))
        assert layer.sparsity == pytest.approx(expected, rel=1e-5)
        assert layer.decorrelation is None


def columns_of_filters(layers: list[torch.Tensor]) -> dict[str, np.ndarray]:
    """What the store would hold of filters (groups, members, K), by numpy alone."""
    means, histograms = [], []
    for filters in layers:
        pairs = np.concatenate([np.corrcoef(group)[np.tril_indices(len(group), -1)] for group in filters.numpy()])
        means.append(pairs.mean())
        histograms.append(np.bincount((pairs.round(2) * 100).round().astype(int) + 100, minlength=201))
    return {
        "correlation/mean": np.tile(means, (len(EPOCHS), 1)),
        "correlation/histogram": np.tile(np.array(histograms, np.uint32), (len(EPOCHS), 1, 1)),
    }


@pytest.mark.parametrize(("signed", "within"), [(True, 1e-9), (False, 0.02)])
def test_the_size_of_eq_7_is_the_penalty_on_the_filters(signed: bool, within: float) -> None:
    """Within groups: the second layer has four of them."""
    generator = torch.Generator().manual_seed(0)
    filters = [torch.randn(shape, generator=generator) for shape in ((1, 8, 27), (4, 4, 18), (1, 64, 256))]
    filters[1] = filters[1].abs() + torch.arange(18)
    verdict = make_verdict(filters=((CORRELATED,), (CORRELATED,), (CORRELATING,)))
    recipe = recommend(make_history(**columns_of_filters(filters)), verdict, "paper", signed=signed)
    assert recipe.squared is not signed
    for layer, each in zip(recipe.layers, filters, strict=True):
        expected = float(equations.decorrelation_penalty(each.double(), squared=not signed))
        assert layer.decorrelation == pytest.approx(layer.kappa * expected, rel=within)


def test_without_a_histogram_a_layer_is_one_group_and_squares_are_not_known() -> None:
    history = make_history(**{"correlation/mean": np.full((len(EPOCHS), 3), 0.5)})
    verdict = make_verdict(filters=((CORRELATED,), (), ()))
    assert recommend(history, verdict, "paper", signed=True).layers[0].decorrelation == 0.5 * (8 * 7 / 2)
    assert recommend(history, verdict, "paper").layers[0].decorrelation is None


def test_sizes_are_of_the_last_figures_that_are_finite() -> None:
    entropies = np.linspace([2.0, 2.5, 4.0], [1.9, 1.0, 0.5], len(EPOCHS))
    entropies[-1, 1], entropies[:, 2] = np.nan, np.nan
    means = np.full((len(EPOCHS), 3), 0.25)
    means[-2:, 0], means[:, 1] = np.nan, np.nan
    histogram = np.zeros((len(EPOCHS), 3, 201), np.uint32)
    histogram[2, 0, [90, 130]] = [20, 8]
    histogram[-1, 0, 100] = 3  # of another epoch than the last finite mean
    loss = np.full(len(EPOCHS), np.inf)
    figures = {"entropy/mean": entropies, "correlation/mean": means, "correlation/histogram": histogram}
    history = make_history(**figures, **{"probe/loss": loss})
    verdict = make_verdict(filters=((CORRELATED,), (CORRELATED,), ()))
    recipe = recommend(history, verdict, "paper")
    conv1, conv4, fc1 = recipe.layers
    assert recommend(history, verdict, "paper", signed=True).layers[0].decorrelation == 0.25 * 28
    assert conv1.decorrelation == pytest.approx(20 * 0.1**2 + 8 * 0.3**2)
    assert conv4.sparsity == pytest.approx(-0.001 * 144 * entropies[-2, 1])
    assert conv4.decorrelation is None
    assert fc1.sparsity is None
    assert recipe.loss is None


@pytest.mark.parametrize(
    ("run_onset", "layer_onsets", "rewind"),
    [
        (4, (None, 2, 2), 4),  # the run's own onset counts
        (3, (None, 2, 2), 2),  # the last measured before
        (None, (None, 4, 2), 2),  # the first layer's where the run has none
        (None, (4, 6, None), 6),  # but not that of a layer that only falls
        (0, (None, 2, 2), 0),
        (-2, (None, 2, 2), None),
        (None, (None, None, None), None),
        (99, (None, 2, 2), 6),
    ],
)
def test_without_labels_it_starts_at_the_onset(
    run_onset: int | None, layer_onsets: tuple[int | None, ...], rewind: int | None
) -> None:
    verdict = make_verdict("sparsifying", onset=None, states=("falling", "collapsed", "collapsed"), onsets=layer_onsets)
    if run_onset is not None:
        run = RunFinding("sparsifying", "because", onset=Onset(run_onset, run_onset, run_onset))
        verdict = Verdict(run, verdict.layers)
    recipe = recommend(make_history(labels=False), verdict)
    assert recipe.rewind == rewind
    assert recipe.checkpoint == (None if rewind is None else f"run/{rewind}.pt")


def test_with_labels_it_starts_at_the_lowest_loss_whatever_the_onset() -> None:
    loss = np.array([2.3, 1.9, 1.2, 1.4, 3.0])
    recipe = recommend(make_history(**{"probe/loss": loss}), make_verdict(onset=4))
    assert (recipe.rewind, recipe.checkpoint) == (2, "run/2.pt")
    broken = np.array([2.3, 1.9, np.nan, 1.4, 3.0])
    assert recommend(make_history(**{"probe/loss": broken}), make_verdict(onset=4)).rewind == 4


CLASSIFIED = replace(make_history().run, skipped=(SkippedLayer("fc2", CLASSIFIER),))


def test_adaptive_aims_at_the_predictions_as_well() -> None:
    recipe = recommend(replace(make_history(), run=CLASSIFIED), make_verdict())
    assert [(layer.name, layer.target) for layer in recipe.layers] == [
        ("conv4", "activation"),
        ("fc1", "activation"),
        ("fc2", "scores"),
    ]
    assert recipe.layers[1].lambda_ == recipe.layers[2].lambda_ == SCORES
    assert len(recommend(replace(make_history(), run=CLASSIFIED), make_verdict(), "even").layers) == 2


def test_where_no_layer_collapses_adaptive_aims_at_all() -> None:
    verdict = make_verdict(states=("stable", "falling", None), filters=((CORRELATED,), (), ()))
    recipe = recommend(make_history(), verdict)
    assert [(layer.name, layer.kappa) for layer in recipe.layers] == [("conv1", 0.0), ("conv4", 0.0), ("fc1", 0.0)]
    for layer, measured in zip(recipe.layers, LAYERS, strict=True):
        assert layer.lambda_ == lambda_by_rule(measured, "adaptive")
        assert layer.sparsity is not None
    assert recommend(make_history(), verdict, "even").layers == ()
    assert [layer.name for layer in recommend(make_history(), verdict, "paper").layers] == ["conv1"]


@pytest.mark.parametrize(("rule", "kappa"), [("adaptive", 0.0), ("even", 0.0), ("paper", 1.0), ("balanced", 1.0)])
def test_correlations_are_of_the_weights_and_count_by_the_papers_rules_alone(rule: str, kappa: float) -> None:
    verdict = make_verdict(filters=((), (), (CORRELATING,)))
    assert recommend(make_history(), verdict, rule).layers[1].kappa == kappa


NORMALISED = replace(
    make_history().run,
    layers=(LAYERS[0], replace(LAYERS[1], normalised=True), LAYERS[2]),
    skipped=(SkippedLayer("fc2", CLASSIFIER),),
)


DENSE = replace(CLASSIFIED, layers=tuple(replace(layer, kind="Linear") for layer in LAYERS))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("run", "made"), [(NORMALISED, "batch normalisation"), (DENSE, "without convolutions")])
def test_nothing_is_recommended_for_nets_that_lost_by_it(run: Run, made: str, rule: str) -> None:
    recipe = recommend(replace(make_history(), run=run), make_verdict(filters=((CORRELATED,), (), ())), rule)
    assert (recipe.layers, recipe.rewind, recipe.checkpoint) == ((), None, None)
    assert made in recipe.reason
    assert "temperature" in recipe.reason
    assert "epoch -1 is the best checkpoint" in recipe.reason


@pytest.mark.parametrize("run", [NORMALISED, DENSE])
def test_they_are_given_where_they_are_asked_for_anyway(run: Run) -> None:
    history = replace(make_history(), run=run)
    even, adaptive = (recommend(history, make_verdict(), rule, anyway=True) for rule in ("even", "adaptive"))
    assert [layer.name for layer in even.layers] == ["conv4", "fc1"]
    assert [(layer.name, layer.target) for layer in adaptive.layers] == [("fc2", "scores")]


@pytest.mark.parametrize("state", ["overfitting", "sparsifying"])
def test_both_ill_states_get_a_recipe(state: str) -> None:
    assert len(recommend(make_history(), make_verdict(state)).layers) == 2


def test_a_healthy_run_gets_nothing_and_says_so() -> None:
    recipe = recommend(make_history(), make_verdict("healthy", onset=None))
    assert (recipe.layers, recipe.rewind, recipe.checkpoint) == ((), None, None)
    assert recipe.reason == "healthy, so there is nothing to do: because"


def test_correlation_in_a_healthy_run_is_mentioned_and_left_alone() -> None:
    recipe = recommend(make_history(), make_verdict("healthy", filters=((CORRELATED,), (), ())))
    assert recipe.layers == ()
    assert "conv1" in recipe.reason
    assert "correlated" in recipe.reason


@pytest.mark.parametrize("state", ["unclear", "not learning", "broken"])
def test_a_run_that_is_not_known_to_overfit_is_not_blamed_on_its_layers(state: str) -> None:
    recipe = recommend(make_history(), make_verdict(state))
    assert (recipe.layers, recipe.reason) == ((), "because; penalties were measured on runs that overfit alone")


def test_of_an_unknown_run_nothing_can_be_recommended() -> None:
    recipe = recommend(make_history(), make_verdict("unknown", filters=((CORRELATED,), (), ())))
    assert (recipe.layers, recipe.rewind) == ((), None)
    assert recipe.reason == "nothing can be recommended: because"


def test_overfitting_that_no_layer_shows_leaves_nothing_to_aim_at() -> None:
    recipe = recommend(make_history(), make_verdict(states=("stable", "falling", None)), "even")
    assert (recipe.layers, recipe.rewind) == ((), None)
    assert "overfitting, but no layer" in recipe.reason
    assert "epoch -1" in recipe.reason  # what to keep in place of the last checkpoint


def test_without_epochs() -> None:
    nothing = {name: np.zeros((0, *shape)) for name, shape in (("entropy/mean", (3,)), ("probe/loss", ()))}
    history = History("rfav.h5", make_history().run, (), (), nothing)
    recipe = recommend(history, make_verdict("unknown", states=(None,) * 3, onsets=(None,) * 3))
    assert (recipe.layers, recipe.loss) == ((), None)


def test_an_unknown_rule_names_the_known() -> None:
    with pytest.raises(UsageError, match="adaptive, even, paper, balanced"):
        recommend(make_history(), make_verdict(), "boldest")
