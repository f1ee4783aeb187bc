import pytest
import torch
from torch import Tensor, nn

from rfav_cli.graphs import constants, nodes

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(2):
            if x.shape[0] > 1:
                x = torch.tanh(self.fc(x))
        return x


def test_operators_in_loops_and_branches_are_seen() -> None:
    module = torch.jit.script(Branching().eval())
    kinds = [node.kind() for node in nodes(module.inlined_graph)]
    assert {"prim::Loop", "prim::If", "aten::tanh", "aten::linear"} <= set(kinds)
    assert "aten::tanh" not in {node.kind() for node in module.inlined_graph.nodes()}


def test_the_tensors_that_freezing_puts_into_the_code_are_found() -> None:
    module = torch.jit.script(Branching().eval())
    assert constants(module) == []
    assert {tuple(tensor.shape) for tensor in constants(torch.jit.freeze(module))} == {(3, 3), (3,)}
