"""Forwards whose penalties no call of the regularizer has taken yet, and which of them are still wanted."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from rfav_cli.training.readers import Reader, Use


class _Alive:
    """Lies beside the last operations of a forward, and dies with them."""


class _Pass:
    """A forward of the net.

    Args:
        uses: of layers in it.
        output: what the net gave.
        weights: that it ran with.
    """

    def __init__(self, uses: list[Use], output: Any, weights: Iterable[Tensor]) -> None:
        self._uses = uses
        self._weights = [(weight, weight._version) for weight in weights if not weight.is_inference()]
        ends = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor) and leaf.grad_fn is not None]
        self._alive: weakref.ref[_Alive] | None = None
        if ends:
            alive = _Alive()
            for end in ends:
                end.register_hook(self._on_backward)
                notes: Any = getattr(end.grad_fn, "metadata", {})
                notes[alive] = alive
            self._alive = weakref.ref(alive)

    @property
    def wanted(self) -> bool:
        """Whether it may be part of a loss yet."""
        return any(use.penalty is not None for use in self._uses)

    @property
    def outdated(self) -> bool:
        """Whether the weights have changed since."""
        return any(weight._version != version for weight, version in self._weights)

    @property
    def gone(self) -> bool:
        """Whether nothing holds what the net gave any more, so that no loss can be made of it."""
        return self._alive is not None and self._alive() is None

    def drop(self) -> None:
        for use in self._uses:
            use.penalty = None

    def _on_backward(self, _: Tensor) -> None:
        self.drop()


class Passes:
    """Says when a net runs, and forgets the penalties of forwards that no loss can take any more.

    That is what a backward has gone through, what was made of other weights than the net now has, and forwards before
    the last whose output nothing holds. Compiled code cannot tell them apart, so what it reads is kept.

    Args:
        root: the net, without wrappers.
        readers: of its layers.
    """

    def __init__(self, root: nn.Module, readers: Sequence[Reader]) -> None:
        self._root, self._readers = root, readers
        self._pending: list[_Pass] = []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_pending": []}

    def __deepcopy__(self, memo: dict[int, Any]) -> Passes:
        return self

    def attach(self) -> list[RemovableHandle]:
        """Hook the net."""
        return [
            self._root.register_forward_pre_hook(self._on_forward),
            self._root.register_forward_hook(self._on_end, always_call=True),
        ]

    def waiting(self) -> int:
        """How many forwards have penalties that are still wanted."""
        self._forget()
        return len(self._pending)

    def clear(self) -> None:
        """Forget all forwards."""
        self._pending = []

    def begin(self) -> None:
        """A forward begins."""
        self._forget()
        for reader in self._readers:
            reader.begin()

    def end(self, output: Any) -> None:
        """The net gave this."""
        uses = [use for reader in self._readers for use in reader.end()]
        if uses:
            weights = (weight for reader in self._readers for weight in reader.target.held_weights())
            self._pending.append(_Pass(uses, output, weights))

    def _forget(self) -> None:
        last = self._pending[-1:]
        for one in self._pending:
            if one.outdated or (one.gone and one not in last):
                one.drop()
        self._pending = [one for one in self._pending if one.wanted]

    def _on_forward(self, module: nn.Module, _: Any) -> None:
        if module is not self._root:
            return
        if torch.compiler.is_compiling():
            for reader in self._readers:
                reader.restart()
        else:
            self.begin()

    def _on_end(self, module: nn.Module, _: Any, output: Any) -> None:
        """Forget a forward that failed, which nobody calls the backward of; torch gives None for its output then.

        Compiled code cannot look at exceptions. Where it fails within a graph, that graph has added nothing yet.
        """
        if module is not self._root:
            return
        failed = not torch.compiler.is_compiling() and output is None and sys.exc_info()[0] is not None
        for reader in self._readers:
            if failed:
                reader.give_up()
            elif torch.is_grad_enabled():
                reader.ran = reader.ran or module.training
        if not torch.compiler.is_compiling() and not failed:
            self.end(output)
