"""`rfav recommend` on stores whose courses are drawn here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rfav_cli import open_store, recipes
from rfav_cli.records import Checkpoint, Layer, Measurement, ProbeRecord, Run, Settings
from rfav_cli.store import StoreWriter, pack
from tests.commands.judged import write_judged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands import Rfav

EPOCHS, SIZE, MOMENT = 24, 200, 8
LAYERS = (
    Layer("conv1", "Conv2d", 16, (16, 3, 5, 5), (16, 16)),
    Layer("conv2\x1b[31m", "Conv2d", 32, (32, 16, 3, 3), (12, 12)),
    Layer("fc1", "Linear", 64, (64, 256), ()),
)
ILL = ["conv2\x1b[31m", "fc1"]


def write_store(path: Path, *, overfits: bool, packed: bool = True, known: bool = True) -> None:
    """A run whose later layers lose their entropy after an onset of overfitting, or one whose curves level off.

    The first layer is correlated throughout in both. That the net has no normalisation is known, or is not.
    """
    random = np.random.default_rng(0)
    probe = ProbeRecord("ab" * 32, SIZE, np.arange(SIZE, dtype=np.int64) % 10)
    writer = StoreWriter.open(path, Run(LAYERS, (), probe, Settings(model="nets:make" if known else "")))
    hardness = random.uniform(0.5, 1.5, SIZE)
    histogram = np.zeros((3, 201), np.uint32)
    histogram[:, 120] = [120, 496, 2016]
    for epoch in range(-1, EPOCHS):
        learnt = np.exp(-(epoch + 1) / 3)
        since = max(epoch - MOMENT, 0) / (EPOCHS - MOMENT) if overfits else 0.0
        losses = hardness * (0.8 + 1.5 * learnt + 2 * since)
        kept = np.array([0.95, 0.9 - 0.8 * since, 0.8 - 0.7 * since])
        columns: dict[str, Any] = {
            "probe/loss": np.float64(losses.mean()),
            "probe/accuracy": np.float64(0.5),
            "probe/sample_loss": losses.astype(np.float32),
            "entropy/mean": kept * [layer.max_entropy for layer in LAYERS],
            "correlation/mean": np.array([0.2, 0.0, 0.0]),
            "correlation/abs_mean": np.array([0.5, 0.05, 0.05]),
            "correlation/degenerate": np.zeros(3, np.int64),
            "correlation/histogram": histogram,
        }
        writer.append(Measurement(Checkpoint(epoch, f"run/epoch_{epoch:03d}.pt", f"{epoch % 10}" * 64), columns))
    if packed:
        pack(path)


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overfitted")
    write_store(folder / "rfav.h5", overfits=True)
    return folder / "rfav.h5"


def test_the_table_and_the_recipe_of_a_run_that_overfits(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    done = rfav(tmp_path, "recommend", overfitted, "--out", "recipe.toml")
    assert (done.code, done.err) == (0, "recipe.toml: written\n")
    for words in ("Keep the ", "Train again with", "fc1", "collapsed", "lambda", "kappa", "Rewind to epoch "):
        assert words in done.out
    assert "\x1b" not in done.out
    recipe = recipes.load(tmp_path / "recipe.toml")
    assert {layer.name: (layer.lambda_, layer.kappa) for layer in recipe.layers} == {
        ILL[0]: (pytest.approx(0.3 / 144), 0.0),
        ILL[1]: (pytest.approx(0.3), 0.0),
    }
    assert (recipe.rule, recipe.squared, recipe.warning) == ("even", True, "")
    assert recipe.digest == open_store(overfitted).digest
    assert recipe.rewind is not None
    assert MOMENT - 3 <= recipe.rewind <= MOMENT
    assert recipe.checkpoint == f"run/epoch_{recipe.rewind:03d}.pt"
    text = " ".join(done.out.split())
    assert f"Rewind to epoch {recipe.rewind} (the lowest held-out loss): {recipe.checkpoint}" in text
    assert "another measure than the one above: epoch 23 is kept as it is" in text


def test_json_is_one_document_that_says_the_same(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    done = rfav(tmp_path, "recommend", overfitted, "--out", "recipe.toml", "--rule", "balanced", "--format", "json")
    signed = rfav(tmp_path, "recommend", overfitted, "--rule", "paper", "--signed", "--format", "json").json()
    assert (signed["squared"], signed["layers"][0]["decorrelation"]) == (False, pytest.approx(0.2 * 120))
    document, recipe = done.json(), recipes.load(tmp_path / "recipe.toml")
    keys = ("name", "lambda", "kappa")
    assert [tuple(layer[key] for key in keys) for layer in document["layers"]] == [
        (layer.name, layer.lambda_, layer.kappa) for layer in recipe.layers
    ]
    assert [layer["lambda"] for layer in document["layers"]] == [0.0, 0.001, pytest.approx(0.1)]
    assert document["squared"] is recipe.squared is True
    assert {layer["target"] for layer in document["layers"]} == {"activation"}
    assert (document["rewind"], document["digest"]) == (recipe.rewind, recipe.digest)
    conv1, conv2, _ = document["layers"]
    assert conv1["decorrelation"] == pytest.approx(0.2**2 * 120)
    last = open_store(overfitted).entropy[-1, 1]
    assert conv2["sparsity"] == pytest.approx(-0.001 * 144 * last)


def test_the_digest_is_that_of_the_store_packed_or_not(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    write_store(tmp_path / "loose.h5", overfits=True, packed=False)
    digests = {rfav(tmp_path, "recommend", path, "-f", "json").json()["digest"] for path in ("loose.h5", overfitted)}
    assert len(digests) == 1


def test_it_fits_a_narrow_terminal(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    done = rfav(tmp_path, "recommend", overfitted, environment={"COLUMNS": "60"})
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 60


def test_a_healthy_run_gets_no_recipe_and_advice(rfav: Rfav, tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", overfits=False)
    done = rfav(tmp_path, "recommend", "--out", "recipe.toml")
    assert (done.code, done.err) == (2, "recipe.toml: not written: no penalties are advised\n")
    text = " ".join(done.out.split())
    assert text.startswith("rfav.h5: healthy, so there is nothing to do: ")
    assert "correlated filters alone (conv1)" in text
    assert "Keep the last checkpoint, epoch 23 (run/epoch_023.pt)" in text
    assert not (tmp_path / "recipe.toml").exists()


def test_a_run_that_is_not_known_to_overfit_gets_penalties_where_they_are_asked_for(rfav: Rfav, tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", overfits=False)
    assert rfav(tmp_path, "recommend").code == 0  # that there is nothing to do is an answer
    done = rfav(tmp_path, "recommend", "--rule", "adaptive", "--anyway", "--out", "recipe.toml")
    assert (done.code, done.err) == (0, "recipe.toml: written\n")
    assert "Not advised: penalties were measured on runs that overfit alone; this one is healthy" in " ".join(
        done.out.split()
    )
    done = rfav(tmp_path, "recommend", "--rule", "even", "--anyway")
    assert (done.code, done.err) == (2, "--anyway: no penalty can be given\n")
    assert "no layer collapses that this rule could aim at, `--rule adaptive` aims" in " ".join(done.out.split())


def test_penalties_that_are_not_advised_are_given_on_request_with_a_warning(rfav: Rfav, tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", overfits=True, known=False)
    done = rfav(tmp_path, "recommend", "--out", "recipe.toml")
    assert (done.code, done.err) == (2, "recipe.toml: not written: no penalties are advised\n")
    assert "lambda" not in done.out
    assert not (tmp_path / "recipe.toml").exists()
    done = rfav(tmp_path, "recommend", "--out", "recipe.toml", "--anyway")
    assert (done.code, done.err) == (0, "recipe.toml: written\n")
    assert "Not advised: " in done.out
    recipe = recipes.load(tmp_path / "recipe.toml")
    assert (recipe.rule, [layer.name for layer in recipe.layers]) == ("adaptive", ILL)
    assert "# Not advised: " in (tmp_path / "recipe.toml").read_text()


def test_correlated_filters_are_penalised_by_the_rules_of_the_paper_alone(
    rfav: Rfav, overfitted: Path, tmp_path: Path
) -> None:
    for rule, layers in (("even", ILL), ("paper", ["conv1", *ILL]), ("balanced", ["conv1", *ILL])):
        document = rfav(tmp_path, "recommend", overfitted, "--rule", rule, "-f", "json").json()
        assert [layer["name"] for layer in document["layers"]] == layers
    assert "correlated" in rfav(tmp_path, "recommend", overfitted, "--rule", "paper").out


def test_a_rule_that_lowers_the_loss_at_no_cost_is_given_on_request(
    rfav: Rfav, overfitted: Path, tmp_path: Path
) -> None:
    given = rfav(tmp_path, "recommend", overfitted, "--rule", "adaptive", "--format", "json").json()
    assert [layer["lambda"] for layer in given["layers"]] == pytest.approx([0.09 / 144, 0.09])
    assert given["warning"] is None


def test_penalties_for_a_net_of_unknown_make_are_given_on_request_with_a_warning(rfav: Rfav, tmp_path: Path) -> None:
    store = write_judged(tmp_path, overfits=True, settings=Settings())
    arguments = ("recommend", store, "--format", "json")
    refused, given = rfav(tmp_path, *arguments).json(), rfav(tmp_path, *arguments, "--anyway").json()
    assert refused["layers"] == []
    assert "penalties are not advised" in refused["reason"]
    assert [layer["name"] for layer in given["layers"]] == ["conv2", "fc1"]
    assert "not known" in given["warning"]


def test_without_a_verdict_nothing_is_said_and_nothing_written(rfav: Rfav, measured: Path, tmp_path: Path) -> None:
    """A run of five epochs, where six are asked for; a recipe that is there already stays."""
    arguments = ("recommend", measured / "rfav.h5", "--fewest", "6", "--out", "recipe.toml", "--format", "json")
    done = rfav(tmp_path, *arguments)
    assert (done.code, done.out) == (2, "")
    assert "nothing can be recommended" in done.err
    assert not (tmp_path / "recipe.toml").exists()


def test_thresholds_are_options_and_keys_of_the_project(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    kappas = []
    for text, arguments in (
        ("", ()),
        ("correlated = 0.9\n", ()),
        ("correlated = 0.9\n", ("--correlated", "0.1")),
    ):
        (tmp_path / "pyproject.toml").write_text(f"[tool.rfav]\n{text}")
        done = rfav(tmp_path, "recommend", overfitted, "--rule", "paper", "-f", "json", *arguments)
        layers = done.json()["layers"]
        kappas.append(sum(layer["kappa"] for layer in layers))
    assert kappas == [1, 0, 1]


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1", "1.5", "half"])
def test_a_threshold_out_of_range_is_wrong_usage(rfav: Rfav, overfitted: Path, tmp_path: Path, value: str) -> None:
    done = rfav(tmp_path, "recommend", overfitted, "--correlated", value, "--out", "recipe.toml")
    assert (done.code, done.out) == (2, "")
    assert "--correlated" in done.err
    assert len(done.err.splitlines()) == 2
    assert not (tmp_path / "recipe.toml").exists()


def test_a_threshold_that_the_project_sets_wrongly(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.rfav]\ncertainty = true\n")
    done = rfav(tmp_path, "recommend", overfitted)
    assert (done.code, done.out) == (2, "")
    assert "pyproject.toml" in done.err
    assert "--certainty" in done.err


def test_another_recipe_is_replaced_and_nothing_else(rfav: Rfav, overfitted: Path, tmp_path: Path) -> None:
    for rule in ("even", "paper", "balanced"):
        assert rfav(tmp_path, "recommend", overfitted, "--out", "recipe.toml", "--rule", rule).code == 0
        assert recipes.load(tmp_path / "recipe.toml").rule == rule
    store = overfitted.read_bytes()
    done = rfav(overfitted.parent, "recommend", "rfav.h5", "--out", "rfav.h5")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: rfav.h5: `rfav recommend` reads it")
    assert overfitted.read_bytes() == store


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.h5"], "nothing.h5"),
        (["STORE", "--rule", "boldest"], "--rule"),
        (["STORE", "--format", "csv"], "--format"),
        (["STORE", "--out", "no/such/folder/recipe.toml"], "there is no folder no/such/folder"),
        (["STORE", "--out", "."], "is a folder"),
    ],
)
def test_what_cannot_be_done(rfav: Rfav, overfitted: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = rfav(tmp_path, "recommend", *(str(overfitted) if each == "STORE" else each for each in arguments))
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 2
    assert [*tmp_path.iterdir()] == []


def test_a_recipe_made_by_hand_comes_back_through_python(tmp_path: Path) -> None:
    write_store(tmp_path / "rfav.h5", overfits=True)
    from rfav_cli import recommend

    recommend(tmp_path / "rfav.h5", out=tmp_path / "recipe.toml")
    recipe = recipes.load(tmp_path / "recipe.toml")
    softer = replace(recipe, layers=tuple(replace(layer, lambda_=layer.lambda_ / 2) for layer in recipe.layers))
    (tmp_path / "recipe.toml").write_text(recipes.dump(softer), encoding="utf-8")
    assert recipes.load(tmp_path / "recipe.toml") == softer
