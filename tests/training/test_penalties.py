"""The penalties in a training loop: what they add up to, and that nothing that nets are trained with loses them."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import rfav_cli
from rfav_cli import equations, nets, recipes
from rfav_cli.errors import RecipeError
from rfav_cli.records import LayerRecipe, Recipe
from rfav_cli.training.penalties import TargetedRegularizer
from tests.training import ddp_worker
from tests.training.nets import BREAKS_THE_GRAPH, RECIPE, Net, Normed, batch, penalties, steps

if TYPE_CHECKING:
    from pathlib import Path


def assert_same(found: tuple[Any, Any], expected: tuple[Any, Any]) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def recipe(**layers: tuple[float, float]) -> Recipe:
    each = tuple(LayerRecipe(name, "", *pair) for name, pair in layers.items())
    return Recipe("paper", "", "", None, None, None, each)


# What it gives


def test_each_penalty_is_that_of_the_definition() -> None:
    net = Net()
    images, labels = batch()
    regularizer = rfav_cli.TargetedRegularizer(net, RECIPE)
    functional.cross_entropy(net(images), labels)
    total = regularizer()
    expected = penalties(net, images)
    assert regularizer.values == pytest.approx(expected, rel=1e-5)
    assert total.item() == pytest.approx(sum(expected.values()), rel=1e-5)
    assert total.shape == ()


def test_gradients_are_those_of_the_equations() -> None:
    net = Net()
    images, _ = batch()
    regularizer = TargetedRegularizer(net, RECIPE)
    net(images)
    regularizer().backward()

    twin = Net()
    one = functional.conv2d(images, twin.conv1.weight, padding=1)
    first = functional.relu(one + twin.conv1.bias[:, None, None])
    two = functional.conv2d(first, twin.conv2.weight, padding=1, groups=2)
    three = functional.conv2d(
        functional.relu(two + twin.conv2.bias[:, None, None]), twin.conv2.weight, padding=1, groups=2
    )
    pooled = functional.relu(three + twin.conv2.bias[:, None, None]).mean((2, 3))
    loss = equations.sparsity_penalty(one, 1, 0.1) + equations.sparsity_penalty(two, 1, 0.01)
    loss += equations.sparsity_penalty(three, 1, 0.01) + equations.sparsity_penalty(pooled @ twin.fc1.weight.T, 1, 0.3)
    loss += equations.decorrelation_penalty(twin.conv1.weight.flatten(1))
    loss += 0.5 * equations.decorrelation_penalty(twin.conv2.weight.reshape(2, 4, -1))
    loss.backward()
    for one, other in zip(net.parameters(), twin.parameters(), strict=True):
        expected = torch.zeros_like(one) if other.grad is None else other.grad
        torch.testing.assert_close(
            torch.zeros_like(one) if one.grad is None else one.grad, expected, rtol=1e-4, atol=1e-5
        )


def test_a_bias_is_part_of_the_activation_if_asked_for() -> None:
    layer = nn.Linear(3, 4)
    images = torch.randn(5, 3)
    regularizer = TargetedRegularizer(layer, {"": (1.0, 0.0)}, with_bias=True)
    output = layer(images)
    assert regularizer().item() == pytest.approx(equations.sparsity_penalty(output, 1, 1.0).item())


@pytest.mark.parametrize("in_a_file", [False, True])
@pytest.mark.parametrize(
    ("measured", "other"),
    [
        ({"with_bias": True}, {"with_bias": False}),
        ({"fold_norm": False}, {"fold_norm": True}),
        ({"centering": "paper"}, {"centering": "pearson"}),
    ],
)
def test_it_penalises_as_the_recipe_was_measured_unless_told_otherwise(
    tmp_path: Path, measured: dict[str, Any], other: dict[str, Any], in_a_file: bool
) -> None:
    net, images, pairs = Normed(), batch()[0], {"conv1": (0.1, 0.3)}
    known: Any = replace(recipe(**pairs), **measured)
    if in_a_file:
        (tmp_path / "recipe.toml").write_text(recipes.dump(known), encoding="utf-8")
        known = tmp_path / "recipe.toml"

    def value(asked: Any, **options: Any) -> dict[str, float]:
        with TargetedRegularizer(net, asked, **options) as regularizer:
            net(images)
            regularizer()
        return regularizer.values

    assert value(known) == value(pairs, **measured)
    assert value(known, **other) == value(pairs) != value(known)


@pytest.mark.parametrize("options", [{"squared": False}, {"squared": True}, {"centering": "paper"}])
def test_the_other_forms_of_the_decorrelation_penalty(options: dict[str, Any]) -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2)
    rows = layer.weight.detach().reshape(2, 2, 3, 9).transpose(1, 2).flatten(2)
    found = TargetedRegularizer(layer, {"": (0.0, 2.0)}, **options)()
    assert found.item() == pytest.approx(2 * equations.decorrelation_penalty(rows, **options).item(), rel=1e-5)


SCORES = Recipe("adaptive", "", "", None, None, None, (LayerRecipe("fc2", "", 0.3, 0.0, target="scores"),))


def test_the_penalty_on_scores_is_the_entropy_of_the_predictions_in_double_precision() -> None:
    """With the bias, since that is what the softmax sees; against autograd in float64, to float32's digits."""
    net, (images, _) = Net(), batch()
    nn.init.normal_(net.fc2.bias, 0.0, 2.0)
    TargetedRegularizer(net, SCORES)  # a second one is not in the way
    regularizer = TargetedRegularizer(net, SCORES)
    net(images)
    found = regularizer()
    found.backward()
    wide = copy.deepcopy(Net()).double()
    wide.load_state_dict(net.state_dict())
    shares = wide(images.double()).softmax(1)
    expected = 0.3 * (shares * shares.log()).sum(1).mean()
    expected.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    for one, other in zip(net.parameters(), wide.parameters(), strict=True):
        torch.testing.assert_close(one.grad.double(), other.grad, rtol=1e-4, atol=1e-6)


def test_scores_have_their_bias_and_no_normalisation_whatever_activations_have() -> None:
    net, images = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), torch.randn(6, 3)
    for options in ({}, {"fold_norm": True}, {"with_bias": True}):
        asked = Recipe("even", "", "", None, None, None, (LayerRecipe("0", "", 1.0, 0.0, target="scores"),))
        with TargetedRegularizer(net, asked, **options) as regularizer:
            net(images)
            assert regularizer().item() == pytest.approx(equations.sparsity_penalty(net[0](images), 1, 1.0).item())


def test_every_lambda_follows_and_no_kappa_does() -> None:
    net, (images, _) = Net(), batch()
    regularizer = TargetedRegularizer(net, replace(recipe(**RECIPE), rule="adaptive"))
    assert regularizer.adaptive
    before = penalties(net, images)
    factor = regularizer.follow(0.8, 0.6)
    assert factor == regularizer.factor == pytest.approx(math.exp(1.2))
    net(images)
    regularizer()
    expected = {name: value * (factor if name.startswith("sparsity") else 1) for name, value in before.items()}
    assert regularizer.values == pytest.approx(expected, rel=1e-5)
    other = TargetedRegularizer(net, RECIPE)
    assert not other.adaptive
    other.load_state_dict(regularizer.state_dict())
    assert other.factor == factor


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 5), st.integers(2, 4))
def test_the_penalty_does_not_depend_on_the_batch_size(samples: int, times: int) -> None:
    net = Net()
    images, _ = batch(samples)
    regularizer = TargetedRegularizer(net, RECIPE)
    net(images)
    small = regularizer().item()
    net(torch.cat([images] * times))
    assert regularizer().item() == pytest.approx(small, rel=1e-5)


def test_saturated_activations_and_degenerate_filters_have_finite_gradients() -> None:
    net = Net()
    with torch.no_grad():
        net.conv1.weight[:4] = net.conv1.weight[0]
        net.conv1.weight[4:] = 0
        net.conv2.weight.mul_(1e4)
    for centering in ("pearson", "paper"):
        regularizer = TargetedRegularizer(net, RECIPE, centering=centering)
        net(batch()[0])
        regularizer().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())
        regularizer.close()


def test_it_keeps_the_entropy_up() -> None:
    plain, kept = Net(), Net()
    for net, lambda_ in ((plain, 0.0), (kept, 0.3)):
        nn.init.normal_(net.fc1.weight, std=5.0, generator=torch.Generator().manual_seed(5))
        steps(net, TargetedRegularizer(net, {"fc1": (lambda_, 0.0)}), 20)
    after = [-penalties(net, batch()[0], {"fc1": (1.0, 0.0)})["sparsity/fc1"] for net in (plain, kept)]
    assert after[1] > after[0] + 0.1


def test_zeros_train_bit_for_bit_as_without() -> None:
    plain, zero = Net(), Net()
    images, labels = batch()
    regularizer = TargetedRegularizer(zero, {"conv1": (0.0, 0.0), "fc1": (0.0, 0.0)})
    for net, penalty in ((plain, None), (zero, regularizer)):
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        for _ in range(3):
            optimizer.zero_grad()
            loss = functional.cross_entropy(net(images), labels)
            (loss + penalty() if penalty else loss).backward()
            optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), zero.parameters(), strict=True))
    assert not any(module._forward_hooks for module in zero.modules())


# When it reads


def test_validation_adds_nothing() -> None:
    net, images = Net(), batch()[0]
    regularizer = TargetedRegularizer(net, RECIPE)
    net(images)
    expected = regularizer().item()
    values = regularizer.values
    net(images)
    net.eval()
    net(images)
    with pytest.warns(UserWarning, match=r"no penalty in eval\(\): conv1, conv2, fc1"):
        assert regularizer().item() == 0
    assert regularizer.values == {}
    assert regularizer().item() == 0  # said once
    net.train()
    with torch.no_grad():
        net(images)
        assert regularizer().item() == 0
    assert regularizer().item() == pytest.approx(expected)
    assert regularizer.values == values


def test_forwards_since_the_last_call_are_added_up() -> None:
    net, (images, _) = Net(), batch()
    regularizer = TargetedRegularizer(net, {"conv2": (0.1, 1.0)})
    net(images[:2])
    regularizer()
    first = regularizer.values
    outputs = [net(images[:2]), net(images[2:])]
    with pytest.warns(UserWarning, match="the penalties of 2 forwards are added up"):
        regularizer()
    del outputs
    both = regularizer.values
    net(images[2:])
    regularizer()
    second = regularizer.values
    assert both["sparsity/conv2"] == pytest.approx(first["sparsity/conv2"] + second["sparsity/conv2"], rel=1e-5)
    assert both["decorrelation/conv2"] == first["decorrelation/conv2"]


def test_accumulated_gradients_are_those_of_the_whole_batch() -> None:
    whole, parts = Net(), Net()
    _, expected = steps(whole, TargetedRegularizer(whole, RECIPE), rate=0.0)
    regularizer = TargetedRegularizer(parts, RECIPE)
    for images, labels in zip(*(tensor.chunk(2) for tensor in batch()), strict=True):
        ((functional.cross_entropy(parts(images), labels) + regularizer()) / 2).backward()
    assert_same(({name: p.grad for name, p in parts.named_parameters()}, 0), (expected, 0))


def test_a_call_before_the_forward_is_an_error_and_cleared_forwards_are_forgotten() -> None:
    net, images = Net(), batch()[0]
    regularizer = TargetedRegularizer(net, RECIPE)
    with pytest.raises(RecipeError, match="no forward with gradients has reached conv1, conv2, fc1"):
        regularizer()
    net(images)
    regularizer.clear()
    with pytest.raises(RecipeError, match="after the forward and before its backward"):
        regularizer()


def test_a_forward_that_fails_counts_for_nothing() -> None:
    class Failing(Net):
        def forward(self, x: torch.Tensor, fail: bool = False) -> torch.Tensor:
            scores = super().forward(x)
            if fail:
                raise MemoryError
            return scores

    net, images = Failing(), batch()[0]
    regularizer = TargetedRegularizer(net, {"conv2": (0.1, 0.0)})
    outputs = [net(images[:1])]
    try:
        net(images, fail=True)
    except MemoryError:
        outputs.append(net(images[1:]))
    with pytest.warns(UserWarning, match="the penalties of 2 forwards"):
        total = regularizer().item()
    del outputs
    net(images[:1])
    first = regularizer().item()
    net(images[1:])
    assert total == pytest.approx(first + regularizer().item(), rel=1e-5)
    with pytest.raises(MemoryError):
        net(images, fail=True)
    with pytest.raises(RecipeError, match="no forward"):  # nothing of it is kept in memory either
        regularizer()


def test_a_layer_that_no_forward_reaches_is_said_once() -> None:
    net = Net()
    net.spare = nn.Linear(3, 4)
    regularizer = TargetedRegularizer(net, RECIPE | {"spare": (0.1, 0.0)})
    net(batch()[0])
    with pytest.warns(UserWarning, match="no forward has reached spare"):
        regularizer()
    net(batch()[0])
    regularizer()
    assert "sparsity/spare" not in regularizer.values


@pytest.mark.parametrize("compiled", [False, True])
def test_chance_may_have_a_forward_pass_all_layers_by(compiled: bool) -> None:
    class Dropping(Net):
        def forward(self, x: torch.Tensor, drop: bool = False) -> torch.Tensor:
            x = self.conv1(x)
            return self.fc2(functional.relu(self.fc1((x if drop else self.block(x)).mean((2, 3)))))

    net, images = Dropping(), batch()[0]
    regularizer = TargetedRegularizer(net, {"conv2": (0.1, 0.0)})
    model: Any = torch.compile(net, backend="eager") if compiled else net
    model(images)
    first = regularizer().item()
    model(images, drop=True)
    assert regularizer().item() == 0
    assert regularizer.values == {}
    model(images)
    assert regularizer().item() == pytest.approx(first, rel=1e-6)
    with pytest.raises(RecipeError, match="no forward"):
        regularizer()
    net.eval()(images)
    net.train()
    with pytest.raises(RecipeError, match="no forward"):
        regularizer()
    never = Dropping()
    regularizer = TargetedRegularizer(never, {"conv2": (0.1, 0.0)})
    never(images, drop=True)
    with pytest.raises(RecipeError, match="no forward"):
        regularizer()


def test_after_closing_nothing_is_read() -> None:
    net, images = Net(), batch()[0]
    with TargetedRegularizer(net, RECIPE) as regularizer:
        net(images)
        regularizer()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    compiled = torch.compile(net, backend="eager")
    regularizer = TargetedRegularizer(net, RECIPE)
    compiled(images)
    regularizer.close()
    compiled(images)
    with pytest.raises(RecipeError, match="no forward"):
        regularizer()


# What nets are trained with


def test_copies_of_a_net_are_not_read() -> None:
    net, images = Net(), batch()[0]
    regularizer = TargetedRegularizer(net, RECIPE)
    net(images)
    average = torch.optim.swa_utils.AveragedModel(net)
    average(images)
    expected = penalties(net, images)
    regularizer()
    assert regularizer.values == pytest.approx(expected, rel=1e-5)
    copy.deepcopy(net)(images)
    with pytest.raises(RecipeError, match="no forward"):
        regularizer()


def test_a_pickled_net_reads_only_for_a_regularizer_that_was_pickled_with_it() -> None:
    net, images = Net(), batch()[0]
    regularizer = TargetedRegularizer(net, {"conv2": (0.1, 0.0)})
    net(images)
    alone = pickle.loads(pickle.dumps(net))
    together, taken_along = pickle.loads(pickle.dumps((net, regularizer)))
    expected = regularizer().item()
    alone(images)
    (hook,) = alone.conv2._forward_hooks.values()
    assert hook.__self__.total is None
    together(images)
    assert taken_along().item() == pytest.approx(expected, rel=1e-6)
    taken_along.close()
    assert not together.conv2._forward_hooks
    net(images)
    assert regularizer().item() == pytest.approx(expected, rel=1e-6)


def test_looking_at_a_computed_weight_does_not_change_it() -> None:
    net, images = Net(), batch()[0]
    nn.utils.parametrizations.spectral_norm(net.conv1)
    plain = copy.deepcopy(net)
    regularizer = TargetedRegularizer(net, {"conv1": (0.1, 1.0)})
    seen: list[torch.Tensor] = []
    net.conv1.parametrizations.weight.register_forward_hook(lambda *call: seen.append(call[-1]))
    for _ in range(2):
        plain(images)
        net(images)
        used = seen[-1]
        regularizer()
        torch.testing.assert_close(seen[-1], used)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(net.get_buffer(name), buffer, rtol=0, atol=0)
    assert net.conv1.parametrizations.weight.training


def test_reentrant_checkpointing_is_refused() -> None:
    net, images = Net(), batch()[0]
    regularizer = TargetedRegularizer(net, {"conv2": (0.1, 0.0)})
    checkpoint(net.block, net.conv1(images), use_reentrant=True)
    with pytest.raises(RecipeError, match="use_reentrant=False"):
        regularizer()


def test_checkpointing_counts_once() -> None:
    plain, checkpointed = Net(), Net(checkpointed=True)
    expected = steps(plain, TargetedRegularizer(plain, RECIPE), 3)
    assert_same(steps(checkpointed, TargetedRegularizer(checkpointed, RECIPE), 3), expected)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("when", ["before", "after", "after a run"])
def test_compiled_nets(backend: str, when: str) -> None:
    plain, net = Net(), Net()
    expected = steps(plain, TargetedRegularizer(plain, RECIPE), 3)
    regularizer = TargetedRegularizer(net, RECIPE) if when == "before" else None
    compiled = torch.compile(net, backend=backend, fullgraph=True)
    if when == "after a run":
        compiled(batch()[0])
    regularizer = regularizer or TargetedRegularizer(compiled, RECIPE)
    assert_same(steps(compiled, regularizer, 3), expected)


@BREAKS_THE_GRAPH
@pytest.mark.parametrize("part", [False, True])
def test_compiled_and_checkpointed_nets_count_once(part: bool) -> None:
    plain, net = Net(), Net(checkpointed=True)
    expected = steps(plain, TargetedRegularizer(plain, RECIPE), 3)
    model: Any = net
    if part:
        net.block = torch.compile(net.block, backend="aot_eager")
    else:
        model = torch.compile(net, backend="aot_eager")
    assert_same(steps(model, TargetedRegularizer(model, RECIPE), 3), expected)


def test_autocast_leaves_the_penalties_their_digits() -> None:
    net, images = Net(), batch()[0]
    regularizer = TargetedRegularizer(net, RECIPE)
    with torch.autocast("cpu", torch.bfloat16):
        net(images)
        total = regularizer()
    total.backward()
    expected = penalties(net, images)
    assert total.dtype is torch.float32
    assert regularizer.values == pytest.approx(expected, rel=3e-3)
    for name in ("decorrelation/conv1", "decorrelation/conv2"):
        assert regularizer.values[name] == pytest.approx(expected[name], rel=1e-5)
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())


def test_two_processes_are_as_one(tmp_path: Path) -> None:
    net = Net()
    regularizer = TargetedRegularizer(net, RECIPE)
    expected = []
    images, labels = batch()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(images), labels)
        penalty = regularizer()
        (loss + penalty).backward()
        optimizer.step()
        expected.append(penalty.item())
    torch.multiprocessing.spawn(ddp_worker.run, (2, tmp_path), nprocs=2)
    one, other = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    for (first, gradients), (second, others) in zip(one, other, strict=True):
        assert [(a + b) / 2 for a, b in zip(first, second, strict=True)] == pytest.approx(expected, abs=1e-5)
        assert_same((gradients, others), ([p.grad for p in net.parameters()],) * 2)


def test_a_recipe_is_a_record_a_file_a_name_or_a_mapping(tmp_path: Path) -> None:
    asked = recipe(conv3=(0.001, 0.0), conv4=(0.001, 0.0), fc1=(0.001, 0.0), conv1=(0.0, 1.0))
    asked = replace(asked, squared=False)
    (tmp_path / "recipe.toml").write_text(recipes.dump(asked), encoding="utf-8")
    mapping = {layer.name: (layer.lambda_, layer.kappa) for layer in asked.layers}
    net, images = nets.vanilla_net("s"), torch.randn(2, 3, 32, 32)
    found = []
    for form in (asked, tmp_path / "recipe.toml", str(tmp_path / "recipe.toml"), "paper:sr3", mapping):
        with TargetedRegularizer(net, form, squared=False if form is mapping else None) as regularizer:
            net(images)
            regularizer()
            found.append(regularizer.values)
    assert all(values == found[0] for values in found)
    assert set(found[0]) == {"sparsity/conv3", "sparsity/conv4", "sparsity/fc1", "decorrelation/conv1"}
