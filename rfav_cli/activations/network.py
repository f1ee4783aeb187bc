"""What every kind of network gives to be measured: its layers, its weights, and its activations as they arise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from rfav_cli.activations.memory_format import laid_out
from rfav_cli.inputs import changed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from rfav_cli.activations.norm_input import NormInput
    from rfav_cli.inputs import Arguments, Inputs
    from rfav_cli.records import HeldLayer, Layer, Nonlinearity, Payload, SkippedLayer


@dataclass(frozen=True)
class Activation:
    """One use of one layer in one forward, valid only until the sink returns: what follows may write over it.

    Attributes:
        layer: the layer's name.
        values: the layer's output, bias included: (N, D, *positions) where channel_dim is 1, (N, *positions, D) where
            it is -1. Any memory format, any floating type.
        channel_dim: 1 (convolutions) or -1 (linear layers).
        bias: (D,) or None.
        scale: (D,), the gamma/sigma of the batch normalisation that follows, where it is folded in; else None.
        norm: what that normalisation multiplies the values by and then adds, (D,) each, folded in or not; None where
            there is none that all uses of the layer go into, as they are.
    """

    layer: str
    values: Tensor
    channel_dim: int
    bias: Tensor | None = None
    scale: Tensor | None = None
    norm: tuple[Tensor, Tensor] | None = None

    def plain(self) -> Tensor:
        """What goes into the nonlinearity that follows: bias included, after the batch normalisation that follows.

        Returns:
            (N, D, *positions), float32 or wider, in any memory format. Where nothing is to be computed it is a view of
            the values: never to be modified, and valid no longer than they are.
        """
        values = self.values.detach().movedim(self.channel_dim, 1)
        values = values.to(torch.promote_types(values.dtype, torch.float32))
        if self.norm is None:
            return values
        scale, shift = (factor.detach().to(values.dtype).view(-1, *[1] * (values.dim() - 2)) for factor in self.norm)
        return torch.addcmul(shift, values, scale)


Sink = Callable[[Activation], bool]
"""Reads an activation at once and keeps nothing of it; returns True when the forward need not go on."""


@dataclass(frozen=True)
class Trace:
    """What one small forward shows of a net.

    Attributes:
        layers: every layer that can be measured, in the order of its first use, the classifier included.
        uses: how often each layer was used, by name.
        skipped: what cannot be measured, and why (not reached, weights used without a module, quantised, lazy, ...).
    """

    layers: tuple[Layer, ...]
    uses: Mapping[str, int]
    skipped: tuple[SkippedLayer, ...]


@dataclass(frozen=True)
class OpenOptions:
    """How networks are opened.

    Attributes:
        device: where they run.
        make_model: makes an eager net with any weights, or None where no `--model` was given.
        model_name: the `--model` specification, for messages.
        with_bias: the bias is part of the activation: no `Activation.bias` is given.
        fold_norm: give `Activation.scale` for layers that a batch normalisation follows, and fold it into `filters`.
        weights: which of several state_dicts is meant: "ema", "model" or its key; empty for what its name says.
        notes: what the user should be told once is added here.
    """

    device: torch.device
    make_model: Callable[[], torch.nn.Module] | None = None
    model_name: str = ""
    with_bias: bool = False
    fold_norm: bool = True
    weights: str = ""
    notes: list[str] = field(default_factory=list)


class Network(ABC):
    """A net that takes the checkpoints of one run in turn.

    One warm object serves all checkpoints of a run: `load` puts a checkpoint's weights into it.

    Attributes:
        channels_last: it takes images in that memory format; else in the default one.
        settled: which of the two is not open any more (`memory_format.settle_format`).
        has_planes: it may have layers that are faster in the former.
        most_samples: how many samples one forward takes at most; None for any number.
    """

    kind: ClassVar[str]
    channels_last = False
    settled = False
    has_planes = True
    most_samples: int | None = None

    @abstractmethod
    def load(self, payload: Payload) -> None:
        """Put a checkpoint's weights into the net, in float32, in evaluation mode, on the net's device.

        Raises:
            CheckpointError: the file's weights are not those of this net; the message lists the differences.
        """

    @abstractmethod
    def trace(self, inputs: Inputs) -> Trace:
        """Run a few samples and say which layers there are.

        Args:
            inputs: (n, ...) on the net's device.

        Raises:
            SampleError: the net does not run on samples of this shape; the message gives both shapes.
        """

    @abstractmethod
    def forward(self, inputs: Inputs, sink: Sink, *, unmeasured: bool = False) -> Any:
        """Run a batch, giving each use of each layer to the sink as it arises.

        Args:
            inputs: (n, ...) on the net's device, in any memory format. The net may write over them.
            sink: see `Sink`; the forward ends early when it returns True.
            unmeasured: give it those of layers that `trace` has skipped as well, in whatever shape.

        Returns:
            What the net returned (tensor, tuple, list, dict), or None when the sink ended it.
        """

    @abstractmethod
    def filters(self, layer: str, *, folded: bool = True) -> Tensor:
        """The weights of a layer as rows, for Eq. 6.

        Args:
            layer: its name.
            folded: with the normalisation folded in where that was asked for; else as the checkpoint has them.

        Returns:
            (groups, D / groups, weights of one filter), float32.
        """

    def norm_input(self, inputs: Inputs) -> NormInput | None:
        """Run a batch as far as the first batch normalisation with running statistics.

        Args:
            inputs: (n, ...) on the net's device, such as the net was measured with.

        Returns:
            What that is given and expects; None where there is none, which is what a kind of network says that cannot
            tell.
        """
        del inputs
        return None

    def use_channels_last(self, wanted: bool) -> None:
        """Take images channels last from now on, or in the default format."""
        self.channels_last = wanted

    def arranged(self, inputs: Inputs) -> Inputs:
        """A batch, of whatever memory format, in the one that the net takes."""
        return changed(inputs, lambda tensor: laid_out(tensor, channels_last=self.channels_last))

    def arguments(self) -> Arguments | None:
        """What its forward takes; None where it does not tell."""
        return None

    def batch_statistics(self) -> tuple[str, ...]:
        """The modules of which is known that they normalise by the statistics of their batch."""
        return ()

    @abstractmethod
    def held(self) -> tuple[HeldLayer, ...]:
        """The layers that the net holds, in its order; those of the trace where only use shows what a layer is."""

    def normalised(self) -> Mapping[str, bool]:
        """The layers whose outputs go into a normalisation, before which their scale is free.

        Returns:
            Name -> whether that can be folded in: a batch normalisation with running statistics, which all uses of the
            layer go into, as they are, and nothing else takes before.
        """
        return {}

    def nonlinearity(self, layer: str) -> Nonlinearity | None:
        """What the net applies to `Activation.plain` of every use of a layer, and to nothing but that.

        None where it is not known, which is what a kind of network says that cannot tell.
        """
        del layer
        return None
