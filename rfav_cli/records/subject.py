"""What a run looks at, and the layers of its net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.records.doubt import Doubt


@dataclass(frozen=True)
class Subject:
    """What a run looks at: said at the end of an analysis, and by `rfav layers` before one.

    Attributes:
        probe: where the samples are from, as the user gave it.
        samples: N.
        classes: how many the samples are of; 0 without labels.
        mean, std: what the samples are normalised by, one value a channel; None where they are not.
        layers: the names of the layers that are measured, in forward order.
        output: the path of the output that is taken as the scores, from the outside in with dots between; empty where
            the net returns one tensor, or none that is known.
        output_shape: of that output for one sample; None where nothing is taken as scores.
        reads_output: the predictions, and with labels the loss, are measured.
        classifier: the layer whose output is the scores; empty where there is none.
        train_probe: where the training samples are from; empty where there are none.
        train_samples: M.
        task: what the net is asked for; empty without labels.
        loss: the name of the held-out loss.
        as_is: the samples come from code as they enter the net, normalised there or not.
    """

    probe: str
    samples: int
    classes: int
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    layers: tuple[str, ...]
    output: str
    output_shape: tuple[int, ...] | None
    reads_output: bool
    classifier: str
    train_probe: str = ""
    train_samples: int = 0
    task: str = ""
    loss: str = ""
    as_is: bool = False


@dataclass(frozen=True)
class HeldLayer:
    """A layer that a net holds, whether its forward reaches it or not.

    Attributes:
        name: as in `Layer`.
        kind: likewise.
        weight_shape: likewise; () where the weight has no shape yet (a lazy layer).
        parameters: how many numbers it has learnt, its bias included.
    """

    name: str
    kind: str
    weight_shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class ListedLayer:
    """A layer as `rfav layers` lists it.

    Attributes:
        name: the layer's, or that of weights that are used without a layer.
        kind: as in `Layer`; empty where it is no layer that could be measured.
        weight_shape: as in `Layer`; () where it is not known.
        parameters: of the layer, its bias included; None where they are not known.
        channels: D; None where no forward was seen to reach the layer.
        positions: as in `Layer`; None likewise.
        uses: how often a forward uses it.
        reason: why it is not measured; empty where it is, or where there is no probe to tell by.
    """

    name: str
    kind: str = ""
    weight_shape: tuple[int, ...] = ()
    parameters: int | None = None
    channels: int | None = None
    positions: tuple[int, ...] | None = None
    uses: int = 0
    reason: str = ""


@dataclass(frozen=True)
class LayerList:
    """The layers of a net, before anything is measured.

    Attributes:
        layers: those that the forward reaches, in its order, then the others; without a probe as the net holds them.
        subject: what a run would look at; None without a probe.
        notes: what the user should be told.
        doubts: why the figures of a run might not be those of the run as its owner ran it.
    """

    layers: tuple[ListedLayer, ...]
    subject: Subject | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
