"""The operators and the constants of a TorchScript graph, for those that check one and those that run or train it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def nodes(block: Any) -> Iterator[Any]:
    """The operators of a graph, those in branches and loops too."""
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from nodes(inner)


def constants(module: Any) -> list[Any]:
    """The tensors that stand in the code of a ScriptModule, as freezing puts them there."""
    values = (node for node in nodes(module.inlined_graph) if node.kind() == "prim::Constant")
    return [node.t("value") for node in values if node.hasAttribute("value") and node.kindOf("value") == "t"]
