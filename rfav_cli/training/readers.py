"""What reads the activations of one layer while a net trains, and adds up their penalty (Eq. 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.errors import RecipeError
from rfav_cli.training.entropy import entropy_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.utils.hooks import RemovableHandle

    from rfav_cli.training.target import Target


class Use:
    """The penalty of one use of a layer.

    Args:
        penalty: a scalar; None once it is not wanted any more.
    """

    __slots__ = ("penalty",)

    def __init__(self, penalty: Tensor | None) -> None:
        self.penalty = penalty


class Reader:
    """Adds up the sparsity penalty of a layer over its uses.

    Args:
        target: the layer.

    Attributes:
        called: the total was taken, so another forward begins from nothing.
        reached: it is known whether forwards reach the layer.
        seen: a forward has reached it.
        ran: the net has run in training since the total was taken, whatever it reached.
        slept: the layer has run in `eval()`, with gradients, since then.
        closed: nothing is read any more, not by compiled code either.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.called = False
        self.reached = False
        self.seen = False
        self.ran = False
        self.slept = False
        self.closed = False
        self._uses: list[Use] = []
        self._from = 0
        self._compiled: Tensor | None = None
        """What compiled code has added, which can keep no list."""

    @property
    def total(self) -> Tensor | None:
        """The penalty of the uses that are still wanted, a scalar; None where there are none."""
        penalties = [use.penalty for use in self._uses if use.penalty is not None]
        penalties += [] if self._compiled is None else [self._compiled]
        return sum(penalties[1:], start=penalties[0]) if penalties else None

    def clear(self) -> None:
        """Forget all uses."""
        for use in self._uses:
            use.penalty = None
        self._uses, self._from, self._compiled = [], 0, None
        self.ran = self.slept = False

    def restart(self) -> None:
        """Begin from nothing if the total was taken; there is something then if a checkpoint ran in the backward."""
        if self.called:
            self.called = False
            self._compiled = None

    def begin(self) -> None:
        """A forward of the net begins."""
        self.restart()
        self._uses = [use for use in self._uses if use.penalty is not None]
        self._from = len(self._uses)

    def end(self) -> list[Use]:
        """It has ended: the uses that it had."""
        if self._compiled is not None:  # of a part of the net
            self._uses.append(Use(self._compiled))
            self._compiled = None
        return self._uses[self._from :]

    def give_up(self) -> None:
        """It has failed."""
        del self._uses[self._from :]
        self._compiled = None

    def add(self, entropy: Tensor) -> None:
        """Take in the entropies of a use, summed over positions, a mean over samples.

        Raises:
            RecipeError: what was measured has no axis for the batch; its shape is given then.
        """
        if entropy.dim():
            raise _without_batch(self.target.name, entropy.tolist())
        self._uses.append(Use(entropy * -self.target.lambda_))


class HookReader(Reader):
    """One that hooks the layer of an eager net.

    Copies of the net, such as those that average weights, share the hooks; what they do is not read.

    Args:
        target: the layer.
        with_bias: the bias is part of the activation.
    """

    def __init__(self, target: Target, *, with_bias: bool) -> None:
        super().__init__(target)
        self._with_bias = with_bias or target.scores
        self._norms: list[_BatchNorm] = []
        self._last: tuple[Tensor, int, Tensor | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # A pickle of the net has its hooks; nobody takes what they would read, but for the regularizer's own pickle.
        unread = {"_uses": [], "_from": 0, "_compiled": None, "called": False, "closed": True, "_last": None}
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
            self.target.module.register_forward_hook(self._on_output, prepend=True),
            *(norm.register_forward_pre_hook(self._on_norm) for norm in norms),
        ]

    def clear(self) -> None:
        """Forget all uses."""
        super().clear()
        self._last = None

    def give_up(self) -> None:
        """The forward has failed."""
        super().give_up()
        self._last = None

    def _on_output(self, module: Any, _: Any, output: Tensor) -> None:
        if self.closed or module is not self.target.module or not torch.is_grad_enabled():
            return
        if not module.training:
            self.slept = True
            return
        if not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active():
            raise RecipeError(
                "the penalties cannot be taken inside torch.func's grad, vmap and their like",
                "Add them in a loop that calls backward(), or give the penalty of `rfav_cli.equations` an activation.",
            )
        self._check(output)
        bias = None if self._with_bias else module.bias
        before = self._compiled
        self._take(entropy_sum(output, self.target.channel_dim, bias), len(output), before)
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
            self._take(entropy_sum(activation, 1, None), len(output), before, again=True)

    def _take(self, entropies: Tensor, samples: int, before: Tensor | None, *, again: bool = False) -> None:
        """Add a use, or put another figure in the place of the last one."""
        penalty = entropies * (-self.target.lambda_ / max(samples, 1))
        # A checkpointed part runs again during the backward. Compiled code cannot ask; what it adds then is forgotten
        # when the next forward begins.
        if torch.compiler.is_compiling():
            self._compiled = penalty if before is None else before + penalty
        elif torch._C._current_graph_task_id() == -1:
            if again:
                self._uses.pop()
            self._uses.append(Use(penalty))

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
