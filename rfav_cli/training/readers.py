"""What reads the activations of one layer while a net trains, and adds up their penalty (Eq. 5)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.errors import RecipeError
from rfav_cli.training.entropy import entropy_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.utils.hooks import RemovableHandle

    from rfav_cli.training.target import Target


class Reader:
    """Adds up the sparsity penalty of a layer over its uses.

    Args:
        target: the layer.

    Attributes:
        total: the penalty of the uses so far, a scalar; None when there were none.
        called: the total was taken, so another forward begins from nothing.
        reached: it is known whether forwards reach the layer.
        seen: a forward has reached it.
        ran: the net has run in training since the total was taken, whatever it reached.
        closed: nothing is read any more, not by compiled code either.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.total: Tensor | None = None
        self.called = False
        self.reached = False
        self.seen = False
        self.ran = False
        self.closed = False

    def clear(self) -> None:
        """Forget all uses."""
        self.total = None

    def add(self, entropy: Tensor) -> None:
        """Take in the entropies of a use, summed over positions, a mean over samples.

        Raises:
            RecipeError: what was measured has no axis for the batch; its shape is given then.
        """
        if entropy.dim():
            raise _without_batch(self.target.name, entropy.tolist())
        penalty = entropy * -self.target.lambda_
        self.total = penalty if self.total is None else self.total + penalty


class HookReader(Reader):
    """One that hooks the layer of an eager net.

    Copies of the net, such as those that average weights, share the hooks; what they do is not read.

    Args:
        target: the layer.
        root: the net that it is part of, without wrappers.
        with_bias: the bias is part of the activation.
    """

    def __init__(self, target: Target, root: nn.Module, *, with_bias: bool) -> None:
        super().__init__(target)
        self._root = root
        self._with_bias = with_bias or target.scores
        self._norms: list[_BatchNorm] = []
        self._last: tuple[Tensor, int, Tensor | None] | None = None
        self._before: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        # A pickle of the net has its hooks; nobody takes what they would read, but for the regularizer's own pickle.
        unread = {"total": None, "called": False, "closed": True, "_last": None, "_before": None}
        return self.__dict__ | unread

    def __deepcopy__(self, memo: dict[int, Any]) -> HookReader:
        return self

    def attach(self, norms: list[_BatchNorm]) -> list[RemovableHandle]:
        """Hook the layer, first of all, so that nothing has written over its output.

        Args:
            norms: the batch normalisations that are folded in if they take the layer's output; in scores none is.
        """
        self._norms = norms = [] if self.target.scores else norms
        return [
            self._root.register_forward_pre_hook(self._on_forward),
            self._root.register_forward_hook(self._on_end, always_call=True),
            self.target.module.register_forward_hook(self._on_output, prepend=True),
            *(norm.register_forward_pre_hook(self._on_norm) for norm in norms),
        ]

    def clear(self) -> None:
        """Forget all uses."""
        self.total = self._last = self._before = None
        self.ran = False

    def _on_forward(self, module: nn.Module, _: Any) -> None:
        # There is something to forget if compiled code ran again during the backward, for a checkpoint.
        if module is not self._root:
            return
        if self.called:
            self.called = False
            self.clear()
        if not torch.compiler.is_compiling():
            self._before = self.total

    def _on_end(self, module: nn.Module, _: Any, output: Any) -> None:
        """Forget a forward that failed, which nobody calls the backward of; torch gives None for its output then.

        Compiled code cannot look at exceptions. Where it fails within a graph, that graph has added nothing yet.
        """
        if module is not self._root:
            return
        if not torch.compiler.is_compiling() and output is None and sys.exc_info()[0] is not None:
            self.total, self._last = self._before, None
        elif module.training and torch.is_grad_enabled():
            self.ran = True
        self._before = None

    def _on_output(self, module: Any, _: Any, output: Tensor) -> None:
        if self.closed or module is not self.target.module or not module.training or not torch.is_grad_enabled():
            return
        self._check(output)
        bias = None if self._with_bias else module.bias
        before = self.total
        self._set(before, entropy_sum(output, self.target.channel_dim, bias), len(output))
        if self._norms and (self.target.channel_dim == 1 or output.dim() == 2):
            self._last = (output, output._version, before)

    def _on_norm(self, norm: Any, inputs: Any) -> None:
        """Put the folded activation in the place of the plain one."""
        if self._last is None or not inputs or inputs[0] is not self._last[0]:
            return
        output, version, before = self._last
        self._last = None
        if output._version == version:
            bias = None if self._with_bias else self.target.module.bias
            variance = None if norm.training else norm.running_var
            activation = folded(output, bias, norm_scale(output, norm.weight, variance, norm.eps))
            self._set(before, entropy_sum(activation, 1, None), len(output))

    def _set(self, before: Tensor | None, entropies: Tensor, samples: int) -> None:
        # A checkpointed part runs again during the backward. Compiled code cannot ask; what it adds then is forgotten
        # when the next forward begins.
        if torch.compiler.is_compiling() or torch._C._current_graph_task_id() == -1:
            penalty = entropies * (-self.target.lambda_ / max(samples, 1))
            self.total = penalty if before is None else before + penalty

    def _check(self, output: Tensor) -> None:
        kind, axes = self.target.kind, output.dim()
        if axes < 2 or (kind != "Linear" and axes != int(kind[-2]) + 2):
            raise _without_batch(self.target.name, output.shape)


def folded(values: Tensor, bias: Tensor | None, scale: Tensor) -> Tensor:
    """An activation (N, D, ...) without its bias (D,), times the scale (D,) of the batch normalisation that follows."""
    shape = (-1, *[1] * (values.dim() - 2))
    return (values if bias is None else values - bias.view(shape)) * scale.view(shape)


def norm_scale(values: Tensor, gamma: Tensor | None, variance: Tensor | None, eps: float) -> Tensor:
    """Gamma / sigma of a batch normalisation as it is in this forward: (D,), float32 or wider.

    Args:
        values: what it normalises, (N, D, ...).
        gamma: (D,) or None.
        variance: (D,) that it divides by the root of; None for that of the values.
        eps: what it adds to the variance.
    """
    if variance is None:
        wide = values.to(torch.promote_types(values.dtype, torch.float32))
        variance = wide.var([axis for axis in range(values.dim()) if axis != 1], unbiased=False)
    scale: Tensor = (variance + eps).rsqrt()
    return scale if gamma is None else scale * gamma


def _without_batch(name: str, shape: Sequence[int]) -> RecipeError:
    return RecipeError(
        f"layer {name!r} gives {tuple(shape)}, which has no axis for the batch",
        "Give the net batches, also of one sample.",
    )
