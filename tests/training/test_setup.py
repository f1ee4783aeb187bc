"""The net that is going to be trained: what fits and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.activations.network import OpenOptions
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import CheckpointError, ModelError, SampleError
from rfav_cli.training.data import load_data
from rfav_cli.training.setup import check_start, open_net
from tests.training.loops import CPU, Net, make_loop, trained

if TYPE_CHECKING:
    from pathlib import Path


def test_a_net_that_gives_no_class_scores_is_refused(data: Path) -> None:
    class Sums(Net):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images).sum(1)

    with pytest.raises(ModelError, match="no row of class scores"):
        make_loop(data, make=Sums)


def test_weights_that_are_not_finite_are_no_start(data: Path) -> None:
    class Broken(Net):
        def __init__(self) -> None:
            super().__init__()
            self.conv2.weight.data[0] = torch.nan

    with pytest.raises(CheckpointError, match=r"conv2\.weight is not finite"):
        make_loop(data, make=Broken)


def test_labels_beyond_the_outputs_are_refused(data: Path) -> None:
    with pytest.raises(SampleError, match="label 2 is beyond the 2 outputs"):
        make_loop(data, make=lambda: Net(2))


def test_probabilities_are_trained_as_such(data: Path) -> None:
    class Softmax(Net):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images).softmax(1)

    plain, _ = trained(make_loop(data))
    weights, _ = trained(make_loop(data, make=Softmax))
    torch.testing.assert_close(weights["fc2.weight"], plain["fc2.weight"], rtol=1e-3, atol=1e-4)


def test_the_scores_are_found_by_name_in_evaluation_and_in_training(data: Path) -> None:
    class Named(Net):
        def forward(self, images: torch.Tensor) -> Any:
            scores = super().forward(images)
            return {"features": -scores, "aux_logits": scores + 1, "logits": scores} if self.training else scores

    plain, _ = trained(make_loop(data))
    weights, _ = trained(make_loop(data, make=Named))
    torch.testing.assert_close(weights["fc2.weight"], plain["fc2.weight"], rtol=0, atol=0)


def test_two_heads_of_one_width_are_refused_until_one_is_named(data: Path) -> None:
    class Heads(Net):
        def forward(self, images: torch.Tensor) -> Any:
            scores = super().forward(images)
            return 2 * scores, scores

    with pytest.raises(ModelError, match="0 and 1 fit as the class scores, equally well"):
        make_loop(data, make=Heads)
    plain, _ = trained(make_loop(data))
    weights, _ = trained(make_loop(data, make=Heads, output="1"))
    torch.testing.assert_close(weights["fc2.weight"], plain["fc2.weight"], rtol=0, atol=0)


def test_auxiliary_scores_that_only_a_training_has_come_after_the_scores(data: Path) -> None:
    class Auxiliary(Net):
        def forward(self, images: torch.Tensor) -> Any:
            scores = super().forward(images)
            return (scores, 2 * scores) if self.training else scores

    plain, _ = trained(make_loop(data))
    training, _ = load_data(
        str(data), "0", SampleOptions(), seed=0, workers=0, skip_unreadable=False, report=lambda _: None
    )
    options = OpenOptions(device=CPU, make_model=Auxiliary)
    _, notes = open_net(options, None, ReadOptions(), training, None, output="", seed=0)
    assert [
        note for note in notes if "in training the net returns 0: 2x3, 1: 2x3; the class scores are taken of 0" in note
    ]
    weights, _ = trained(make_loop(data, make=Auxiliary))
    torch.testing.assert_close(weights["fc2.weight"], plain["fc2.weight"], rtol=0, atol=0)


def test_a_start_without_the_code_that_makes_its_net_is_refused(tmp_path: Path) -> None:
    torch.save(Net().state_dict(), tmp_path / "start.pt")
    check_start(tmp_path / "start.pt", ReadOptions(), OpenOptions(device=CPU, make_model=Net))
    with pytest.raises(ModelError, match="needs --model"):
        check_start(tmp_path / "start.pt", ReadOptions(), OpenOptions(device=CPU))


def test_fresh_weights_follow_from_the_seed(data: Path) -> None:
    one, other = (make_loop(data).net.model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
