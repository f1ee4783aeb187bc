"""What a training starts from, by its options, a recipe, or the run before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rfav_cli.errors import CheckpointError, ModelError
from rfav_cli.options import Train
from rfav_cli.records import Checkpoint, History, LayerRecipe, ProbeRecord, Recipe, Run, Settings
from rfav_cli.training.start import Start, model_of

RECIPE = Recipe("paper", "why", "", None, None, None, (LayerRecipe("conv1", "", 0.1, 0.0),))


def start(**options: Any) -> Start:
    return Start.of(Train(**({"data": "data.npz", "out": "new", "model": "nets.py:make"} | options)))


def history(path: Path, *checkpoints: Checkpoint, **settings: Any) -> History:
    run = Run((), (), ProbeRecord("ab" * 32, 1), Settings(**settings))
    return History(str(path), run, checkpoints, (), {})


def test_options_alone_give_fresh_weights_and_no_penalties() -> None:
    fresh = start(with_bias=True, output="scores").from_weights(None)
    assert (fresh.model, fresh.recipe, fresh.checkpoint, fresh.notes) == ("nets.py:make", None, None, ())
    assert (fresh.settings.with_bias, fresh.settings.output) == (True, "scores")


@pytest.mark.parametrize(("option", "recipe", "folded"), [(0, 1, True), (1, 1, False), (0, 0, False), (1, 0, False)])
def test_raw_penalties_are_for_whoever_asks_for_them(option: int, recipe: int, folded: bool) -> None:
    asked = start(no_fold_norm=bool(option)).with_recipe(replace(RECIPE, fold_norm=bool(recipe)))
    assert asked.settings.fold_norm == folded


def test_a_recipe_says_how_it_was_measured_and_where_it_rewinds_to(tmp_path: Path) -> None:
    (tmp_path / "epoch_3.pt").touch()
    recipe = replace(RECIPE, fold_norm=False, centering="paper", rewind=3, checkpoint=str(tmp_path / "epoch_3.pt"))
    begun = start().with_recipe(recipe).from_weights(None)
    assert begun.checkpoint == tmp_path / "epoch_3.pt"
    assert (begun.settings.with_bias, begun.settings.fold_norm, begun.settings.centering) == (False, False, "paper")
    assert begun.notes == (f"starts from epoch 3, {tmp_path / 'epoch_3.pt'} (--init gives others)",)
    assert start(with_bias=True).with_recipe(recipe).settings.with_bias


def test_a_recipe_without_a_checkpoint_starts_fresh_and_says_so() -> None:
    assert start().with_recipe(RECIPE).from_weights(None).notes == ("starts from fresh weights (--init gives others)",)


def test_the_run_before_gives_model_settings_and_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "epoch_2.pt").touch()
    before = history(
        tmp_path / "rfav.h5", Checkpoint(2, "epoch_2.pt", "cd" * 32), model="zoo:lenet(classes=3)", with_bias=True
    )
    begun = start(model=None).after_run(before, replace(RECIPE, rewind=2)).from_weights(None)
    assert (begun.model, begun.model_arg) == ("zoo:lenet", ("classes=3",))
    assert (begun.settings.with_bias, begun.settings.model) == (True, "")
    assert begun.checkpoint == tmp_path / "epoch_2.pt"  # beside the store
    assert begun.notes[1] == "penalties on conv1 (lambda 0.1)"
    begun.check_sha256("cd" * 32)
    with pytest.raises(CheckpointError, match=r"another file than the store .* efefefef…, the store has cdcdcdcd…"):
        begun.check_sha256("ef" * 32)


def test_a_run_that_needs_nothing_ends_before_it_begins(tmp_path: Path) -> None:
    nothing = start(model=None).after_run(history(tmp_path / "rfav.h5"), replace(RECIPE, layers=(), reason="healthy"))
    assert nothing.from_weights("no-such-file").done == f"{tmp_path / 'rfav.h5'}: healthy"


def test_a_store_chooses_no_code(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="made by code") as caught:
        start(model=None).after_run(history(tmp_path / "rfav.h5", model="os:system(cmd=a b)"), RECIPE)
    assert caught.value.remedy.endswith("--model os:system --model-arg 'cmd=a b'")


def test_init_wins_and_is_not_held_against_the_store(tmp_path: Path) -> None:
    (tmp_path / "own.pt").touch()
    begun = replace(start().with_recipe(RECIPE), checkpoint=Path("other.pt"), sha256="ab" * 32)
    own = begun.from_weights(tmp_path / "own.pt")
    assert (own.checkpoint, own.sha256, own.notes) == (tmp_path / "own.pt", "", ())
    assert begun.from_weights("fresh").checkpoint is None
    with pytest.raises(CheckpointError, match=r"other\.pt: no such checkpoint to start from"):
        begun.from_weights(None)


def test_something_has_to_make_the_net() -> None:
    with pytest.raises(ModelError, match="needs --model"):
        start(model=None).from_weights(None)


@pytest.mark.parametrize(
    ("name", "spec", "arguments"),
    [
        ("", None, ()),
        ("a.b:make", "a.b:make", ()),
        ("zoo:lenet(classes=10)", "zoo:lenet", ("classes=10",)),
        ("a:b(sizes=(1, 2), name=x, y)", "a:b", ("sizes=(1, 2)", "name=x, y")),
    ],
)
def test_what_a_store_calls_a_net_is_read_back(name: str, spec: str | None, arguments: tuple[str, ...]) -> None:
    assert model_of(name) == (spec, arguments)
