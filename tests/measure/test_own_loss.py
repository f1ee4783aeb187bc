"""A loss of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from rfav_cli.errors import ModelError
from rfav_cli.measure.own_loss import own_loss

if TYPE_CHECKING:
    from pathlib import Path

SCORES, LABELS = torch.tensor([[1.0], [2.0], [4.0]]), np.array([1.0, 0.0, 1.0])


def absolute(scores: Tensor, labels: Tensor) -> Tensor:
    assert labels.dtype == torch.float32
    return (scores[:, 0] - labels).abs()


def called(loss: Any, scores: Tensor = SCORES, labels: Any = LABELS) -> list[float]:
    own = own_loss(loss)
    assert own is not None
    return own(scores, labels).tolist()


def test_a_function_is_called_with_scores_and_labels() -> None:
    assert called(absolute) == [0, 2, 3]
    own = own_loss(absolute)
    assert own is not None
    assert own.name == "tests.measure.test_own_loss:absolute"
    assert own_loss(None) is None


def test_a_file_names_it_and_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "loss_beside.py").write_text("FACTOR = 2\n")
    text = (
        "def twice(scores, labels):\n    from loss_beside import FACTOR\n"
        "    return FACTOR * (scores[:, 0] - labels).abs()\n"
    )
    (tmp_path / "mine.py").write_text(text)
    assert called(f"{tmp_path / 'mine.py'}:twice") == [0, 4, 6]


@pytest.mark.parametrize(
    "loss", ["torch.nn:MSELoss", nn.MSELoss(), nn.MSELoss, "torch.nn.functional:mse_loss", mse_loss]
)
def test_torchs_own_losses_give_one_a_sample(loss: Any) -> None:
    assert called(loss, SCORES[:, 0]) == [0, 4, 9]


def test_whole_labels_stay_whole() -> None:
    assert called("torch.nn.functional:cross_entropy", torch.zeros(2, 4), np.array([0, 3], np.uint8)) == pytest.approx(
        [np.log(4)] * 2
    )


def no_tensor(scores: Tensor, labels: Tensor) -> float:
    return float(scores.sum() + labels.sum())


def mean(scores: Tensor, labels: Tensor) -> Tensor:
    return absolute(scores, labels).mean()


def infinite(scores: Tensor, labels: Tensor) -> Tensor:
    return absolute(scores, labels).log()


def failing(scores: Tensor, labels: Tensor) -> Tensor:
    raise KeyError(f"{len(scores)}, {len(labels)}")


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (no_tensor, "gives float, no tensor"),
        (mean, r"shape \(\) for 3 samples\n.*reduction='none'"),
        ("torch.nn.functional:mse_loss", r"shape \(3, 3\) for 3 samples"),
        (infinite, "gives -inf for scores that are finite"),
        (failing, r"for scores \(3, 1\) and labels \(3,\) it raised KeyError"),
        ("math:pi", "nothing to be called"),
        ("torch.nn:Linear", "made without arguments"),
        ("no.such.module:loss", "there is no module"),
    ],
)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_what_is_no_loss_is_refused(loss: Any, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        called(loss)
    assert caught.match(words)
    assert "--loss" in caught.value.what


def test_scores_that_are_not_finite_may_have_such_losses() -> None:
    assert np.isnan(called(absolute, torch.full((3, 1), torch.nan))).all()


def test_a_row_of_one_number_a_sample_will_do() -> None:
    assert called(lambda scores, labels: scores - labels[:, None]) == [0, 2, 3]
