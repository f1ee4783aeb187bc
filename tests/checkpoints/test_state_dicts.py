from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from rfav_cli.checkpoints.state_dicts import candidates, payload_of, stored_epoch
from rfav_cli.errors import CheckpointError


def test_candidates_at_any_depth_the_usual_ones_first() -> None:
    state = {"w": torch.zeros(1)}
    content = {
        "ema_model": dict(state),
        "mine": dict(state),
        "optimizer": {"state": dict(state)},
        "run": {"a": {"model_state_dict": dict(state)}},
        "deep": {"a": {"b": {"c": {"d": dict(state)}}}},
        "loss": torch.zeros(()),
        "lr": 0.1,
    }
    assert [found.name for found in candidates(content)] == ["", "run.a.model_state_dict", "mine", "ema_model"]


def test_a_mapping_that_holds_itself_ends() -> None:
    content: dict[str, object] = {"w": torch.zeros(1)}
    content |= {f"self{i}": content for i in range(50)}
    assert [found.name for found in candidates(content)] == [""]


@pytest.mark.parametrize(
    "content", [None, [], {"epoch": "3"}, {"epoch": True}, {"epoch": -2}, {"epoch": torch.ones(1)}]
)
def test_no_stored_epoch(content: object) -> None:
    assert stored_epoch(content) is None


def test_a_payload_has_the_weights_and_the_epoch_beside_them() -> None:
    payload = payload_of(Path("net.npz"), {"state_dict": nn.Linear(2, 3).state_dict(), "epoch": 7})
    assert (payload.kind, payload.path, payload.epoch) == ("eager", Path("net.npz"), 7)
    assert [(candidate.name, list(candidate.weights)) for candidate in payload.content] == [
        ("state_dict", ["weight", "bias"])
    ]


def test_what_holds_no_weights_is_said_by_what_it_is() -> None:
    for content, words in (([1, 2], "a list of 2"), ({"epoch": 3}, "a mapping without tensors"), (3, "a int")):
        with pytest.raises(CheckpointError, match=f"^net: holds {words}, not a state_dict\n"):
            payload_of(Path("net"), content)
