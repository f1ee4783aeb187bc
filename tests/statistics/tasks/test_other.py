import numpy as np
import torch

from rfav_cli.statistics.tasks import task_of
from tests.statistics.tasks.held import figures


def test_the_loss_is_the_users_own_and_there_is_no_other_figure() -> None:
    output, labels = np.arange(6.0).reshape(6, 1), np.ones(6)
    found = figures("other", output, labels, own_loss=lambda scores, rows: scores[:, 0] + rows.start)
    assert found["sample_loss"].tolist() == [0, 1, 2, 6, 7, 8]
    assert np.isnan(found["accuracy"])
    assert set(found) == {"loss", "accuracy", "sample_loss"}


def test_any_labels_will_do() -> None:
    raw = np.full((2, 3), 0.5)
    assert task_of("other").labels(raw, (7,)) is raw
    assert task_of("other").reads(())
    assert task_of("other").choices(torch.zeros(2, 2), 2, None) is None
