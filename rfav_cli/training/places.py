"""Where penalised layers are in a net, so that one that is replaced while the net trains does not go unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from rfav_cli.training.target import Target

    Way = tuple[tuple[nn.Module, str, nn.Module], ...]


class Places:
    """Each layer by the way to it from the net: module, the name of its child, the child.

    Args:
        root: the net, without wrappers.
        targets: its layers.
    """

    def __init__(self, root: nn.Module, targets: Sequence[Target]) -> None:
        self._root = root
        self._ways = [(target, _way(root, target.owner) or ()) for target in targets]

    def gone(self) -> list[str]:
        """Names of layers that are not in the net any more; each is named once."""
        left, gone = [], []
        for target, way in self._ways:
            if all(parent._modules.get(key) is child for parent, key, child in way):
                left.append((target, way))
            elif (found := _way(self._root, target.owner)) is not None:  # a wrapper was put around it, say
                left.append((target, found))
            else:
                gone.append(target.name)
        self._ways = left
        return gone


def _way(root: nn.Module, module: nn.Module) -> Way | None:
    """The way to a module; None where it is not in the net."""
    if root is module:
        return ()
    pending: list[tuple[nn.Module, Way]] = [(root, ())]
    seen = {root}
    while pending:
        parent, way = pending.pop()
        for key, child in parent._modules.items():
            if child is None or child in seen:
                continue
            longer = (*way, (parent, key, child))
            if child is module:
                return longer
            seen.add(child)
            pending.append((child, longer))
    return None
