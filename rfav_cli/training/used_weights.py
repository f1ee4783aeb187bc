"""The weight that a forward used, where that is not the one that the layer has outside of it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.hooks import RemovableHandle

    from rfav_cli.training.target import Target


class UsedWeight:
    """Watches what `torch.func.functional_call` puts in a weight's place.

    Args:
        target: the layer.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._used: Tensor | None = None
        self._said = False

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_used": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> UsedWeight:
        return self  # copies of a net share its hooks

    def attach(self) -> RemovableHandle:
        """Hook the layer."""
        return self._target.owner.register_forward_hook(self._on_output)

    def filters(self) -> Tensor:
        """The filters that the last forward in training used: (groups, D / groups, weights of one)."""
        used, self._used = self._used, None
        own = self._own()
        stands_in = used is not None and own is not None and used is not own and used.shape == own.shape
        # Weights that are sharded over ranks are whole in a forward alone.
        if used is None or not stands_in or hasattr(own, "full_tensor"):
            return self._target.weights()
        if not self._said:
            self._said = True
            warnings.warn(
                f"kappa of {self._target.name} is about the weights that took the place of its own in the forward",
                stacklevel=4,
            )
        return self._target.filters_in(used)

    def _own(self) -> Tensor | None:
        return self._target.owner._parameters.get("weight")

    def _on_output(self, module: Any, _: Any, __: Any) -> None:
        if torch.compiler.is_compiling() or module is not self._target.owner:
            return
        if module.training and torch.is_grad_enabled() and torch._C._current_graph_task_id() == -1:
            self._used = self._own()
