"""TorchScript nets in training: their penalties are those of the eager net, to the gradients."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rfav_cli import equations
from rfav_cli.activations.network import OpenOptions
from rfav_cli.activations.networks import torchscript
from rfav_cli.errors import ModelError, RecipeError
from rfav_cli.records import LayerRecipe, Payload, Recipe
from rfav_cli.training.penalties import TargetedRegularizer
from rfav_cli.training.scripted import Program, fixed_modes
from tests.activations.networks.program_nets import NETS, make, samples
from tests.activations.networks.test_torchscript import Picking

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]
FORMS = ("scripted", "traced")


class Small(nn.Module):
    """A net with a layer that is used twice, one of groups, one that is written over, and a normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.twice = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 3)

    def forward(self, images: Tensor, times: int = 2) -> Tensor:
        x = torch.relu(self.norm(self.conv(images)))
        for _ in range(times):
            x = self.twice(x).relu_()
        return self.fc(self.drop(x.mean((2, 3))))


ALL = {"conv": (0.1, 0.3), "twice": (0.05, 0.2), "fc": (0.2, 0.1)}


def program(net: nn.Module, form: str = "scripted", images: Tensor | None = None) -> torch.jit.ScriptModule:
    """A net as it comes out of a TorchScript file."""
    given = samples(2) if images is None else images
    made = torch.jit.trace(net, given, check_trace=False) if form == "traced" else torch.jit.script(net)
    if form == "frozen":
        made = torch.jit.freeze(made)
    file = io.BytesIO()
    torch.jit.save(made, file)
    file.seek(0)
    return torch.jit.load(file)


def traced_layers(module: torch.jit.ScriptModule) -> dict[str, str]:
    """Name -> kind of each layer, as a store has them."""
    payload = Payload("torchscript", None, module)  # type: ignore[arg-type]  # the path is for messages
    trace = torchscript.open_network(payload, OpenOptions(torch.device("cpu"))).trace(samples(2))
    return {layer.name: layer.kind for layer in trace.layers}


def step(net: nn.Module, regularizer: TargetedRegularizer, images: Tensor) -> tuple[float, dict[str, Tensor]]:
    """The loss with its penalties, and all gradients."""
    net.zero_grad()
    torch.manual_seed(1)
    loss = net(images).square().mean() + regularizer()
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def assert_as_eager(net: nn.Module, form: str, recipe: Any, **options: bool) -> dict[str, float]:
    module, eager = program(net.eval(), form), copy.deepcopy(net)
    ours, theirs = (TargetedRegularizer(each, recipe, **options) for each in (module, eager))
    for each in (module, eager):
        each.train()
    for inner in eager.modules() if form == "traced" else ():
        if isinstance(inner, nn.BatchNorm2d | nn.Dropout):
            inner.eval()
    for count in (2, 5, 5, 5):  # the executor that optimises has its say from the third on
        found, expected = (step(each, r, samples(count)) for each, r in ((module, ours), (eager, theirs)))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        assert ours.values == pytest.approx(theirs.values, rel=1e-5, abs=1e-6)
    return ours.values


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NETS)
def test_layers_are_called_as_in_a_store(name: str, form: str) -> None:
    module = program(make(name), form)
    assert {name: layer.kind for name, layer in Program(module).layers.items()} == traced_layers(module)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["Chain", "Blocks", "Branching", "Signal"])
def test_penalties_and_gradients_are_those_of_the_eager_net(name: str, form: str) -> None:
    net = make(name)
    layers = Program(program(net, form)).layers
    recipe = {name: (0.1, 0.2) for name, layer in layers.items() if name != "depthwise"}
    values = assert_as_eager(net, form, recipe | {"depthwise": (0.1, 0.0)} if name == "Chain" else recipe)
    assert {f"sparsity/{name}" for name in layers} <= set(values)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "options", [{"with_bias": True}, {"fold_norm": False}, {"with_bias": True, "fold_norm": False}]
)
def test_with_bias_and_before_the_normalisation(form: str, options: dict[str, bool]) -> None:
    torch.manual_seed(0)
    net = Small()
    nn.init.uniform_(net.norm.weight, 0.5, 3)
    nn.init.uniform_(net.norm.running_var, 0.5, 3)
    values = assert_as_eager(net, form, ALL, **options)
    plain = assert_as_eager(net, form, ALL)
    assert values["sparsity/conv"] != pytest.approx(plain["sparsity/conv"], rel=1e-3)
    assert (values["sparsity/twice"] == plain["sparsity/twice"]) == ("with_bias" not in options)


@pytest.mark.parametrize("form", FORMS)
def test_scores_are_penalised_with_their_bias_and_without_the_normalisation(form: str) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    nn.init.uniform_(net[1].weight, 0.5, 3)
    images = torch.randn(6, 3)
    module = program(net, form, images).train()
    name = next(iter(Program(module).layers))
    layers = (LayerRecipe(name, "", 1.0, 0.0, target="scores"),)
    recipe = Recipe("even", "", "", None, None, None, layers, fold_norm=True)
    with TargetedRegularizer(module, recipe) as regularizer:
        module(images)
        assert regularizer().item() == pytest.approx(equations.sparsity_penalty(net[0](images), 1, 1.0).item())


@pytest.mark.parametrize("form", FORMS)
def test_what_was_written_over_is_not_folded(form: str) -> None:
    class Over(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.norm = nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            y.relu_()
            return self.norm(y)

    assert_as_eager(Over(), form, {"conv": (0.1, 0.0)}, fold_norm=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pair", [(0.3, 0.0), (0.0, 0.3)], ids=["sparsity", "decorrelation"])
def test_gradients_are_those_of_finite_differences(form: str, pair: tuple[float, float]) -> None:
    torch.manual_seed(0)
    images = samples(2).double()
    module = program(Small().double().eval(), form, images).train()
    module.eval() if form == "traced" else [each.eval() for each in (module.norm, module.drop)]
    module.train() if form == "traced" else None
    regularizer = TargetedRegularizer(module, dict.fromkeys(ALL, pair))

    def penalties(*_: Tensor) -> Tensor:
        module(images)
        return regularizer()

    assert torch.autograd.gradcheck(penalties, tuple(module.parameters()), atol=1e-6)


def test_nothing_to_penalise_leaves_the_forward_as_it_is() -> None:
    module = program(Small())
    before = module.forward
    TargetedRegularizer(module, dict.fromkeys(ALL, (0.0, 0.0)))
    assert module.forward is before


def test_validation_adds_nothing_and_forwards_add_up() -> None:
    module, images = program(Small()).train(), samples(4)
    regularizer = TargetedRegularizer(module, {"conv": (0.1, 0.0)})
    module(images)
    once = regularizer().item()
    outputs = [module(images)]
    module.eval()
    module(images)
    module.train()
    with torch.no_grad():
        module(images)
    outputs.append(module(images))
    with pytest.warns(UserWarning, match="the penalties of 2 forwards"):
        assert regularizer().item() == pytest.approx(2 * once, rel=1e-5)
    outputs.clear()
    with pytest.raises(RecipeError, match="no forward"):
        regularizer()
    module.conv.eval()
    module(images)
    with pytest.warns(UserWarning, match=r"no penalty in eval\(\): conv"):
        assert regularizer().item() == 0


def test_arguments_go_where_they_belong() -> None:
    module, eager = program(Small().eval()), Small()
    eager.load_state_dict(module.state_dict())
    regularizers = [TargetedRegularizer(each, {"twice": (0.1, 0.0)}) for each in (module, eager)]
    for args, kwargs in [((samples(2), 3), {}), ((), {"times": 1, "images": samples(2)}), ((samples(2),), {})]:
        for each in (module, eager):
            each.train()
            torch.manual_seed(0)
            each(*args, **kwargs)
        ours, theirs = (regularizer().item() for regularizer in regularizers)
        assert ours == pytest.approx(theirs, rel=1e-5)


def test_the_module_itself_stays_as_it_is_and_one_regularizer_can_follow_another() -> None:
    module = program(Small()).train()
    regularizer = TargetedRegularizer(module, ALL)
    assert "rfav::" not in str(module.inlined_graph)
    assert "rfav::" not in str(program_of(module).inlined_graph)
    copy.deepcopy(module)(samples(2))
    with pytest.raises(RecipeError, match="no forward"):
        regularizer()
    with pytest.raises(RecipeError, match=r"close\(\)"):
        TargetedRegularizer(module, ALL)
    regularizer.close()
    with TargetedRegularizer(module, ALL) as other:
        module(samples(2))
        assert other().item() != 0


def program_of(module: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    return torch.jit.load(io.BytesIO(module.save_to_buffer()))


def test_what_cannot_be_trained_is_said() -> None:
    with pytest.raises(ModelError, match="frozen"):
        TargetedRegularizer(program(Small().eval(), "frozen"), ALL)
    with pytest.raises(ModelError, match="takes a gradient"):
        TargetedRegularizer(program(Small().requires_grad_(requires_grad=False)), ALL)
    with pytest.raises(RecipeError, match="picks some of its modules"):
        TargetedRegularizer(program(Picking()), {"parts.0.fc": (0.1, 0.0)})
    with pytest.raises(RecipeError, match="no such layer") as caught:
        TargetedRegularizer(program(Small()), {"conv9": (0.1, 0.0)})
    assert caught.value.remedy == "The net's layers are: conv, twice, fc."
    regularizer = TargetedRegularizer(program(nn.Conv2d(3, 4, 3)).train(), {"conv2d_1": (0.0, 1.0)})
    assert regularizer().item() != 0


def test_a_layer_without_a_batch_is_an_error() -> None:
    module = program(nn.Sequential(nn.Conv2d(3, 4, 3))).train()
    TargetedRegularizer(module, {"0": (0.1, 0.0)})
    with pytest.raises(RecipeError, match=r"'0' gives \(4, 4, 4\), which has no axis for the batch"):
        module(samples(1)[0])


def test_modes_that_are_fixed_in_a_program() -> None:
    assert fixed_modes(program(Small())) == ""
    assert fixed_modes(program(Small().eval(), "traced")) == "1 x batch normalisation and 1 x dropout"
