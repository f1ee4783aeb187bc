"""The loop against a training written out by hand, and what it says when a net breaks down."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from rfav_cli.errors import ModelError, TrainingError
from rfav_cli.records import TrainingEpoch, TrainingStep
from rfav_cli.training.position import Position
from tests.training.loops import CPU, HOW, Net, make_loop, trained

if TYPE_CHECKING:
    from pathlib import Path


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert list(one) == list(other)
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_it_is_the_training_that_one_writes_by_hand(data: Path) -> None:
    loop = make_loop(data)
    model = copy.deepcopy(loop.net.model)
    weights, events = trained(loop)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    losses = []
    for epoch, rate in enumerate([0.05, 0.05, 0.005, 0.0005]):
        optimizer.param_groups[0]["lr"] = rate
        model.train()
        seed = int(np.random.SeedSequence([0, epoch + 1]).generate_state(1, np.uint64)[0]) // 2
        torch.manual_seed(seed)
        total = 0.0
        for images, labels in loop.training.shuffled(epoch, 0, CPU):
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        losses.append(total / 36)
    assert_same(weights, dict(model.state_dict()))
    rows = [event for event in events if isinstance(event, TrainingEpoch)]
    assert [row.epoch for row in rows] == [-1, 0, 1, 2, 3]
    assert [row.train_loss for row in rows[1:]] == pytest.approx(losses)
    assert [row.learning_rate for row in rows] == pytest.approx([None, 0.05, 0.05, 0.005, 0.0005])
    model.eval()
    (held_out,) = [torch.cat(part) for part in [[i for i, _ in loop.validation.in_order(CPU)]]]  # type: ignore[union-attr]
    labels = torch.cat([label for _, label in loop.validation.in_order(CPU)])  # type: ignore[union-attr]
    scores = model(held_out)
    assert rows[-1].validation_loss == pytest.approx(cross_entropy(scores, labels).item(), rel=1e-5)
    assert rows[-1].validation_accuracy == pytest.approx((scores.argmax(1) == labels).double().mean().item())


def test_without_weights_the_penalties_change_no_bit(data: Path) -> None:
    plain, _ = trained(make_loop(data))
    nothing, events = trained(make_loop(data, recipe={"conv2": (0.0, 0.0), "fc1": (0.0, 0.0)}))
    assert_same(plain, nothing)
    assert all(event.penalty == 0 for event in events if isinstance(event, TrainingStep))
    something, _ = trained(make_loop(data, recipe={"conv2": (0.001, 0.0)}))
    assert not torch.equal(plain["conv2.weight"], something["conv2.weight"])


def test_penalties_are_told_apart_from_the_loss(data: Path) -> None:
    _, events = trained(make_loop(data, recipe={"conv1": (0.0, 0.01), "conv2": (0.002, 0.0)}))
    rows = [event for event in events if isinstance(event, TrainingEpoch)]
    assert rows[0].penalties == {}
    for row in rows[1:]:
        assert set(row.penalties) == {"decorrelation/conv1", "sparsity/conv2"}
        assert -0.002 * 16 * np.log(8) <= row.penalties["sparsity/conv2"] < 0
    steps = [event for event in events if isinstance(event, TrainingStep)]
    first = [step for step in steps if step.epoch == 0]
    assert [step.step for step in first] == [1, 2, 3, 4, 5]
    assert {step.steps for step in steps} == {5}
    means = np.average([step.penalty for step in first], weights=[8, 8, 8, 8, 4])
    assert sum(rows[1].penalties.values()) == pytest.approx(means, rel=1e-5)


@pytest.mark.parametrize("stop", [0, 1, 3, 6, 7, 8, 12, 18, 24, 25])
def test_a_training_goes_on_from_any_step_to_the_same_weights(data: Path, stop: int, tmp_path: Path) -> None:
    recipe = {"conv1": (0.0, 0.01), "conv2": (0.002, 0.0)}
    whole, events = trained(make_loop(data, recipe=recipe))
    loop, position = make_loop(data, recipe=recipe), Position()
    running = loop.events(position)
    for _ in range(stop):
        next(running)
    torch.save([loop.net.model.state_dict(), loop.optimizer.state_dict(), position.capture()], tmp_path / "state.pt")
    torch.manual_seed(stop)  # another process knows nothing of this one's generator
    model, optimizer, saved = torch.load(tmp_path / "state.pt", weights_only=True)
    again = make_loop(data, recipe=recipe)
    again.net.model.load_state_dict(model)
    again.optimizer.load_state_dict(optimizer)
    weights, rest = trained(again, Position.restored(saved))
    assert_same(weights, whole)
    assert [_plain(event) for event in rest] == [_plain(event) for event in events[stop:]]


def _plain(event: Any) -> Any:
    return replace(event, seconds=0.0) if isinstance(event, TrainingEpoch) else event


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_adam_goes_on_as_well(data: Path, optimizer: str, tmp_path: Path) -> None:
    how = replace(HOW, optimizer=optimizer, momentum=0.0, learning_rate=0.01, schedule="cosine")
    whole, _ = trained(make_loop(data, how))
    loop, position = make_loop(data, how), Position()
    running = loop.events(position)
    for _ in range(9):
        next(running)
    torch.save([loop.net.model.state_dict(), loop.optimizer.state_dict(), position.capture()], tmp_path / "state.pt")
    model, state, saved = torch.load(tmp_path / "state.pt", weights_only=True)
    again = make_loop(data, how)
    again.net.model.load_state_dict(model)
    again.optimizer.load_state_dict(state)
    assert_same(trained(again, Position.restored(saved))[0], whole)


def test_amp_trains_in_bfloat16(data: Path) -> None:
    seen = set()

    class Watched(Net):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.conv1.register_forward_hook(lambda *call: seen.add((call[-1].dtype, torch.is_grad_enabled())))
            return super().forward(images)

    plain, _ = trained(make_loop(data))
    seen.clear()
    weights, _ = trained(make_loop(data, replace(HOW, amp=True), make=Watched))
    assert {(torch.bfloat16, True), (torch.bfloat16, False)} <= seen
    assert all(value.dtype != torch.bfloat16 for value in weights.values())
    assert not torch.equal(plain["fc1.weight"], weights["fc1.weight"])
    torch.testing.assert_close(plain["fc1.weight"], weights["fc1.weight"], rtol=0.2, atol=0.05)


class Breaking(Net):
    """Breaks in the third forward of its second training epoch, in the way that the class is told."""

    forwards = 0
    how = ""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.forwards += 1
        if self.forwards >= 8 and self.training:
            with torch.no_grad():
                self.break_down()
        return super().forward(images)

    def break_down(self) -> None:
        if self.how == "weight":
            self.conv2.weight[0, 0, 0, 0] = torch.nan
        elif self.how == "output":
            self.fc1.weight.fill_(3e38)
            self.fc1.bias.fill_(3e38)


@pytest.mark.parametrize(("how", "said"), [("weight", "the weight of conv2"), ("output", "the output of fc1")])
def test_a_loss_that_is_not_finite_ends_the_training_and_says_where(data: Path, how: str, said: str) -> None:
    class Chosen(Breaking):
        pass

    Chosen.how = how
    told: list[Any] = []
    with pytest.raises(TrainingError, match=r"epoch 1, step 3: the loss is (nan|inf)") as caught:
        told.extend(make_loop(data, make=Chosen).events(Position()))
    assert said in caught.value.what
    assert "epoch 0 is the last good one" in caught.value.remedy


def test_a_last_step_that_breaks_the_weights_is_found_before_they_are_kept(data: Path) -> None:
    class LastStep(Net):
        seen = 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            scores = super().forward(images)
            if self.training:
                self.seen += 1
                if self.seen == 5:
                    scores.register_hook(lambda gradient: gradient * torch.nan)
            return scores

    events: list[Any] = []
    with pytest.raises(TrainingError, match=r"epoch 0.*conv1\.weight is not finite after the last step"):
        events.extend(make_loop(data, make=LastStep).events(Position()))
    assert [event.epoch for event in events if isinstance(event, TrainingEpoch)] == [-1]


def test_a_penalty_that_is_not_finite_is_named(data: Path) -> None:
    with pytest.raises(TrainingError, match=r"epoch 0, step 1: the penalty sparsity/conv2 is -inf"):
        list(make_loop(data, recipe={"conv2": (1e308, 0.0)}).events(Position()))


@pytest.mark.parametrize("how", ["forward", "evaluation", "gradient", "scores"])
def test_where_the_net_itself_fails_is_said(data: Path, how: str) -> None:
    class Failing(Net):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            scores = super().forward(images)
            if how == "forward" and self.training:
                raise ValueError("no\x1b[31m such thing\nand more")
            if how == "evaluation" and not self.training and len(images) > 2:
                return scores.view(2, 3)
            if how == "gradient" and self.training:
                return scores.detach()
            return scores.sum() if how == "scores" and self.training else scores

    said = {
        "forward": r"^epoch 0, step 1: the net failed: ValueError: no\\x1b\[31m such thing$",
        "evaluation": r"^epoch -1, validation: the net failed: RuntimeError: shape",
        "gradient": "^no gradient of the loss reaches a weight",
        "scores": r"^in training the net's output, \(\), is no row of class scores$",
    }
    with pytest.raises(ModelError) as caught:
        list(make_loop(data, make=Failing).events(Position()))
    assert re.search(said[how], caught.value.what)
    assert caught.value.remedy


def test_a_buffer_that_is_meant_to_be_infinite_is_no_breakdown(data: Path) -> None:
    class Masked(Net):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mask", torch.full((3, 3), -torch.inf).triu(1))

    weights, events = trained(make_loop(data, make=Masked))
    assert len([each for each in events if isinstance(each, TrainingEpoch)]) == 5
    assert weights["mask"].isinf().sum() == 3


def test_too_little_memory_is_said(data: Path) -> None:
    class Greedy(Net):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            if self.training:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(images)

    with pytest.raises(ModelError, match="--batch-size 8 needs more memory"):
        list(make_loop(data, make=Greedy).events(Position()))
