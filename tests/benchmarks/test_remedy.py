"""The remedy benchmark: its arithmetic by hand, its recipes, and that the page has the committed figures."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import rfav_cli
from benchmarks.detection.configurations import split
from benchmarks.pages import marked
from benchmarks.remedy.methods import recipe_options, source_options, sources
from benchmarks.remedy.nets import make
from benchmarks.remedy.record import make_of, record, whole_record
from benchmarks.remedy.results import PATIENCE, Outcome, read, stop_early
from benchmarks.remedy.runs import HALVES, REPORTING, TUNING
from benchmarks.remedy.score import HERE, document, load
from benchmarks.remedy.tables import FIGURES, differences, noise, pairs, t95
from rfav_cli.diagnosis import judge
from rfav_cli.diagnosis.remedy_record import GAINS
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from pathlib import Path

    from rfav_cli import History, Verdict

COMMITTED = [half for half in HALVES if (HERE / f"{half}.json").exists()]


def outcome(method: str, run: str, seed: int, accuracy: float, loss: float) -> Outcome:
    return Outcome(run, method, seed, accuracy, accuracy - 0.01, loss, loss + 1)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[History, Verdict]:
    history = rfav_cli.open_store(write_judged(tmp_path_factory.mktemp("judged"), overfits=True))
    return history, judge(history)


@pytest.mark.parametrize("half", COMMITTED)
def test_the_page_has_the_tables_that_the_figures_give(half: str) -> None:
    text = (HERE / "README.md").read_text(encoding="utf-8")
    assert marked(text, f"the {half} runs")[1] == document(load(HERE / f"{half}.json"))


def test_both_halves_are_committed() -> None:
    assert {"tuning", "reporting"} <= set(COMMITTED)


def test_each_half_is_of_its_half_of_the_detection_benchmark() -> None:
    reporting = {each.name for each in split()[1]}
    assert {each.name for each in REPORTING} <= reporting
    assert not {each.name for each in TUNING} & reporting
    assert len(REPORTING) >= 8
    assert len({each.data for each in REPORTING}) == 3
    assert len({each.net for each in REPORTING}) >= 3
    assert {each.optimizer for each in REPORTING} >= {"momentum", "adam"}


@given(st.lists(st.floats(0, 9), min_size=1, max_size=40))
def test_early_stopping_is_that_of_the_slow_twin(losses: list[float]) -> None:
    kept = 0
    for now in range(len(losses)):
        kept = losses.index(min(losses[: now + 1]))
        if now - kept >= PATIENCE:
            break
    assert stop_early(losses) == kept


def test_a_continued_training_has_the_past_of_its_source(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    rows = [
        {"epoch": e, "validation_loss": loss, "validation_accuracy": 0.1} for e, loss in enumerate([4, 2, 3, 5], -1)
    ]
    (folder / "plain.1.json").write_text(json.dumps({"rows": rows, "probe_loss": [4, 3, 2, 5]}))
    (folder / "plain+paper.1.json").write_text(json.dumps({"rows": rows[2:], "first": 1, "layers": {"fc1": [0.1, 0]}}))
    (folder / "plain+random.1.json").write_text(json.dumps({"rows": None}))
    found = {each.method: each for each in read(tmp_path, ["a"])}
    assert (found["plain"].best_loss, found["plain"].final_loss, found["plain"].rise) == (2, 5, 3)
    assert (found["early stopping"].best_loss, found["early stopping"].final_loss) == (2, 3)
    assert (found["plain+paper"].best_loss, found["plain+paper"].layers) == (2, ("fc1",))
    assert not found["plain+random"].mended
    assert found["plain+random"].final_loss == 5


def test_an_epoch_that_broke_down_is_never_the_best(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    rows = [
        {"epoch": -1, "validation_loss": None, "validation_accuracy": 0.2},  # what a log has for a loss of NaN
        {"epoch": 0, "validation_loss": 2.0, "validation_accuracy": 0.1},
        {"epoch": 1, "validation_loss": None, "validation_accuracy": 0.3},
    ]
    (tmp_path / "a" / "dropout.1.json").write_text(json.dumps({"rows": rows}))
    (found,) = read(tmp_path, ["a"])
    assert (found.best_loss, found.best_accuracy, found.final_accuracy) == (2.0, 0.3, 0.3)
    assert math.isnan(found.final_loss)


def test_differences_are_paired_by_run_and_seed() -> None:
    outcomes = [
        *(outcome("plain", run, seed, 0.4 + seed / 100, 2.0) for run in "ab" for seed in (1, 2)),
        *(outcome("plain+paper", "a", seed, 0.5 + seed / 100, 1.5) for seed in (1, 2)),
        *(outcome("plain+paper", "b", seed, 0.4 + seed / 100, 2.5) for seed in (1, 2)),
    ]
    assert pairs(outcomes, "plain+paper", "plain")["a"] == pytest.approx(np.array([[0.1, 0.1, -0.5, -0.5, 0]] * 2))
    (row,) = differences(outcomes)
    half = 12.71 * np.std([0.1, 0.0], ddof=1) / math.sqrt(2)
    mean, spread = row["best accuracy"].split(" ± ")
    assert (float(mean), float(spread)) == pytest.approx((0.05, half), abs=1e-3)
    assert row["accuracy better / worse"] == "1 / 0"
    assert row["last loss better / worse"] == "1 / 1"


def test_noise_is_pooled_over_the_runs() -> None:
    found = {"a": np.array([[0.0] * 5, [0.2] * 5]), "b": np.array([[1.0] * 5, [1.4] * 5])}
    deviation, freedom = noise(found, FIGURES[0])
    assert freedom == 2
    assert deviation == pytest.approx(math.sqrt((0.02 + 0.08) / 2))


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.71), (7, 2.36), (13, 2.23), (400, 2.09)])
def test_quantiles_are_never_too_small(freedom: int, quantile: float) -> None:
    assert t95(freedom) == quantile


def test_recipes_aim_where_their_name_says(judged: tuple[History, Verdict]) -> None:
    def options(recipe: str) -> dict[str, Any]:
        given = recipe_options(recipe, *judged, seed=1)
        assert given is not None
        return given

    def weights(recipe: str) -> dict[str, float]:
        return {each.name: each.lambda_ for each in options(recipe)["recipe"].layers}

    assert weights("paper") == {"conv2": 0.001, "fc1": 0.001}
    assert weights("even") == pytest.approx({"conv2": 0.3 / 36, "fc1": 0.3})
    assert weights("balanced") == pytest.approx({"conv2": 0.1 / 36, "fc1": 0.1})
    assert weights("even:c1") == pytest.approx({"conv2": 1 / 36, "fc1": 1})
    assert list(weights("all")) == ["conv1", "conv2", "fc1"]
    assert len(weights("random")) == 2
    assert weights("paper:x3") == pytest.approx({"conv2": 0.003, "fc1": 0.003})
    assert options("paper:fresh")["init"] == "fresh"
    assert options("paper")["init"] == options("paper")["recipe"].checkpoint != "fresh"


def test_nothing_is_recommended_for_a_healthy_run(tmp_path: Path) -> None:
    history = rfav_cli.open_store(write_judged(tmp_path, overfits=False))
    assert recipe_options("paper", history, judge(history), seed=1) is None


@pytest.mark.parametrize("run", REPORTING, ids=lambda run: run.name)
def test_each_source_is_a_net_that_takes_the_images(run: Any) -> None:
    for source in sources(run):
        given = dict(text.split("=") for text in source_options(run, source)["model_arg"])
        added = {name: True for name in ("norm", "dropout") if name in given}
        net = make(net=given["net"], classes=int(given["classes"]), **added)
        assert net.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, run.classes)
        kinds = {type(module).__name__ for module in net.modules()}
        assert ("BatchNorm2d" in kinds) == ("norm" in given or run.net.startswith("normnet"))
        assert ("Dropout" in kinds) == ("dropout" in given or run.net.startswith("dropnet"))


def test_advice_states_the_gains_that_the_committed_figures_give() -> None:
    assert whole_record() == GAINS


def test_a_recipe_is_held_against_what_it_goes_on_from() -> None:
    plain, normalised = "cifar10_lenet_2000_momentum_40epochs", "cifar10_normnet-s_5000_adam_20epochs"
    outcomes = [
        *(
            outcome(method, run, 1, 0.4 + by, 2.0)
            for run in (plain, normalised)
            for method, by in (("plain", 0.0), ("plain+even", 0.1))
        ),
        *(outcome(method, plain, 1, 0.4 + by, 2.0) for method, by in (("norm", 0.2), ("norm+even", 0.1))),
    ]
    (gain,) = (each for each in record(outcomes) if each.remedy == "even" and each.measure == "best accuracy")
    assert (gain.nets, gain.runs, gain.value) == ("normalised", 2, pytest.approx(0.0))  # one plain run has no interval
    assert make_of(plain, "plain") == "plain"
    assert make_of(plain, "norm") == make_of(normalised, "plain") == "normalised"
