"""Where a training is, and the chance that it makes use of."""

from __future__ import annotations

import pytest
import torch

from rfav_cli.training.position import Position, own_random_state


def test_means_are_over_the_samples_and_not_the_batches() -> None:
    position = Position(epoch=2)
    position.add(8, loss=1.0)
    position.add(2, loss=6.0)
    assert (position.step, position.mean("loss")) == (2, pytest.approx(2.0))
    position.start_next()
    assert (position.epoch, position.step, position.sums, position.seconds) == (3, 0, {}, 0.0)


def test_a_restored_position_draws_what_the_other_would_have_drawn() -> None:
    with own_random_state():
        position = Position(epoch=1)
        position.seed(5, 0)
        torch.rand(3)
        position.add(4, loss=1.0)
        saved = position.capture()
        expected = torch.rand(3)
        again = Position.restored(saved)
        again.seed(5, 0)
        assert torch.equal(torch.rand(3), expected)
    assert again.sums == position.sums


def test_between_epochs_no_state_is_kept_since_each_begins_from_its_seed() -> None:
    assert Position(epoch=1).capture()["random"] == []


@pytest.mark.parametrize("other", [(1, 0, 6), (2, 0, 5), (1, 1, 5)])
def test_seed_epoch_and_rank_decide_what_is_drawn(other: tuple[int, int, int]) -> None:
    def drawn(epoch: int, rank: int, seed: int) -> torch.Tensor:
        Position(epoch=epoch).seed(seed, rank)
        return torch.rand(4)

    with own_random_state():
        assert torch.equal(drawn(1, 0, 5), drawn(1, 0, 5))
        assert not torch.equal(drawn(1, 0, 5), drawn(*other))


def test_what_is_drawn_inside_is_unseen_outside_after_an_error_too() -> None:
    before = torch.get_rng_state()

    @own_random_state()
    def draw_and_fail() -> None:
        torch.rand(1)
        raise KeyError

    with pytest.raises(KeyError):
        draw_and_fail()
    assert torch.equal(torch.get_rng_state(), before)
