"""Sentences about epochs, of a run that is counted by steps."""

from __future__ import annotations

import pytest

from rfav_cli.records import Doubt, LayerFinding, Onset, RunFinding, Verdict
from rfav_cli.records.units import in_unit, said_in


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("overfits since epoch 12", "overfits since step 12"),
        ("Epochs 3, 4 (epoch 3 is the first epoch).", "Steps 3, 4 (step 3 is the first step)."),
        ("at epoch 3.", "at step 3."),
        ("give --epochs 'net_{epoch}_*.pt' or --epoch 3", "give --epochs 'net_{epoch}_*.pt' or --epoch 3"),
        (
            "runs/epoch/3.pt, epoch=3.ckpt, epoch_3.pt, my-epoch-3",
            "runs/epoch/3.pt, epoch=3.ckpt, epoch_3.pt, my-epoch-3",
        ),
        ("`epochs` of epoch 3", "`epochs` of step 3"),
        ("epochwise", "epochwise"),
    ],
)
def test_the_word_is_changed_and_no_option_path_or_name(words: str, said: str) -> None:
    assert in_unit(words, "step") == said
    assert in_unit(words, "epoch") == words
    assert in_unit(said, "step") == said


def test_a_verdict_is_said_in_steps_with_all_that_is_in_it() -> None:
    doubt = Doubt("epoch", "epoch 3", "epoch 3 is odd", "Look at epoch 3.", 0.9)
    verdict = Verdict(
        RunFinding("overfitting", "since epoch 3", onset=Onset(3, 2, 4)),
        (LayerFinding("epoch 1", "stable", evidence="flat to epoch 9"),),
        (doubt,),
    )
    said = said_in(verdict, "step")
    assert said.run == RunFinding("overfitting", "since step 3", onset=Onset(3, 2, 4, unit="step"))
    assert said.layers == (LayerFinding("epoch 1", "stable", evidence="flat to step 9"),)
    assert said.doubts == (Doubt("epoch", "step 3", "step 3 is odd", "Look at step 3.", 0.9),)
    assert said_in(verdict, "epoch") is verdict
