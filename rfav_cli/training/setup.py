"""The net that is to be trained, found to fit its data before the first step."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.jit._fuser import optimized_execution
from torch.nn.functional import cross_entropy, nll_loss

from rfav_cli.activations.class_scores import choose_output, select_output, tensors
from rfav_cli.activations.examination import ROUNDING_OF_BATCHES, SAMPLES, few, settle_format
from rfav_cli.activations.hooks import uncompiled
from rfav_cli.activations.networks import eager, open_network, torchscript
from rfav_cli.activations.recording import Recording, differences
from rfav_cli.chance import drawn_from
from rfav_cli.checkpoints import archives, formats
from rfav_cli.data.probe import to_input
from rfav_cli.errors import CheckpointError, ModelError, SampleError
from rfav_cli.inputs import call, device
from rfav_cli.measure.device import exact_arithmetic
from rfav_cli.statistics.base import are_class_scores, are_probabilities
from rfav_cli.text import printable
from rfav_cli.training.finite import broken_weights
from rfav_cli.training.folder import plain
from rfav_cli.training.scripted import check_trainable, fixed_modes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import nn

    from rfav_cli.activations.class_scores import ChosenOutput
    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.inputs import Inputs
    from rfav_cli.training.data import Part
    from rfav_cli.training.folder import RunFolder


@dataclass(frozen=True)
class TrainedNet:
    """A net and how it is used.

    Attributes:
        network: holds the net.
        output: which of several outputs holds the class scores, by the user's choice; empty where that is to be found.
        probabilities: the scores are probabilities already.
        classes: how many the data have.
        alone: in evaluation the net returns nothing but its scores.
        found: the paths of all outputs -> the one that holds the scores; in training a net may return more.
    """

    network: eager.EagerNetwork | torchscript.ScriptNetwork
    output: str
    probabilities: bool
    classes: int = 0
    alone: bool = False
    found: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def model(self) -> nn.Module:
        """The net itself."""
        return self.network.model

    def scores(self, samples: Tensor) -> Tensor:
        """(n, classes) float32 scores of a batch, with gradients where they are on."""
        returned = self.model(self.network.arranged(samples))
        if self.output:
            return select_output(returned, self.output).float()
        outputs = dict(tensors(returned))
        if (paths := tuple(outputs)) not in self.found:
            self.found[paths] = self.choose(returned, samples).path
        return outputs[self.found[paths]].float()

    def choose(self, returned: Any, samples: Tensor) -> ChosenOutput:
        """Which of what the net returned holds the scores.

        In training a net may return auxiliary scores as well, after those that it returns alone in evaluation.
        """
        try:
            return choose_output(returned, samples, self.classes)
        except ModelError:
            if not self.alone:
                raise
            return choose_output(returned, samples)

    def save(self, folder: RunFolder, epoch: int) -> None:
        """Write the checkpoint of an epoch.

        Raises:
            TrainingError: it could not be written.
        """
        folder.save(epoch, plain(self.model.state_dict()))

    def confidence(self, scores: Tensor) -> Tensor:
        """The mean over a batch of the largest probability of a class."""
        return (scores if self.probabilities else scores.softmax(1)).max(1).values.mean()

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The mean cross-entropy of a batch, in nats."""
        if self.probabilities:
            return nll_loss(scores.clamp(min=torch.finfo(torch.float32).tiny).log(), labels)
        return cross_entropy(scores, labels)


@dataclass(frozen=True)
class TrainedProgram(TrainedNet):
    """A TorchScript net, whose checkpoints are TorchScript again.

    Attributes:
        beside: name -> content of what else its archive has, which theirs have, too.
    """

    network: torchscript.ScriptNetwork
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def scores(self, samples: Tensor) -> Tensor:
        """See `TrainedNet.scores`."""
        # The executor that optimises would compute the first steps otherwise than those after them.
        with optimized_execution(False):
            return super().scores(samples)

    def save(self, folder: RunFolder, epoch: int) -> None:
        """See `TrainedNet.save`."""
        folder.save_program(epoch, self.network.model, self.beside)


def check_start(start: Path | None, reading: ReadOptions, options: OpenOptions) -> None:
    """Refuse a checkpoint whose net cannot be trained, before anything is read or written.

    Raises:
        ModelError: it is a program that cannot be trained, or a state_dict without the code that makes its net.
        CheckpointError: it is no checkpoint.
    """
    if start is None:
        return
    form = formats.format_of(start)
    if form == "exported":
        raise ModelError(
            f"{start}: an exported program, which cannot be trained from here",
            "Give --init a state_dict, with --model for the code that makes its net, or TorchScript.",
        )
    if form != "torchscript" and options.make_model is None:
        open_network(formats.read(start, reading), options)  # raises an error that lists what the file holds


def open_net(
    options: OpenOptions,
    start: Path | None,
    reading: ReadOptions,
    data: Part,
    validation: Part | None,
    *,
    output: str,
    seed: int,
) -> tuple[TrainedNet, tuple[str, ...]]:
    """Make the net, load its first weights, and run it on two samples.

    Args:
        options: how it is made and where it runs.
        start: the checkpoint that it starts from; None for fresh weights, which follow from the seed.
        reading: how that is read.
        data: what it is going to be trained on.
        validation: what it is going to be validated on.
        output: index or key of the output that holds the class scores.
        seed: of the fresh weights.

    Returns:
        The net, and what the user should be told.

    Raises:
        ModelError: the net cannot be made or returns no class scores.
        CheckpointError: the checkpoint is none of this net, or its weights are not finite.
        SampleError: the data do not fit the net.
    """
    torch.manual_seed(seed)
    network = _open(options, start, reading)
    images = data.read(np.arange(min(SAMPLES, len(data))))
    samples = to_input(torch.from_numpy(images).to(options.device), data.mean, data.std)
    try:
        trace = network.trace(samples[:2].clone())
    except SampleError as error:
        raise SampleError(f"{printable(data.source.name)}: {error.what}", error.remedy) from error
    _suit_format(network, samples[: few(trace, network, len(samples))])
    samples = samples[:2]
    answer = network.forward(samples.clone(), lambda _: False)
    alone = isinstance(answer, Tensor)
    parts = [data, *([] if validation is None else [validation])]
    chosen, classes = _choose_scores(answer, samples, parts, output)
    _check_finite(network.model, options.model_name if start is None else str(start))
    probabilities = are_probabilities(chosen.tensor.float())
    notes = [*options.notes, *_notes(network, options), chosen.note]
    if probabilities:
        notes.append("the net returns probabilities; the loss is taken of their logarithms")
    if isinstance(network, eager.EagerNetwork) or start is None:
        net = TrainedNet(network, output, probabilities, classes, alone)
        returned = _returned_in_training(net.model, network.arranged(samples.clone())) if alone else None
        if not isinstance(returned, Tensor | None) and (note := net.choose(returned, samples).note):
            notes.append(f"in training {note}")
    else:
        beside, left = archives.extra_files(start)
        notes += [f"{start}: the extra file {printable(name, 80)} is left out of the checkpoints" for name in left]
        net = TrainedProgram(network, output, probabilities, classes, alone, beside=beside)
    return net, tuple(note for note in notes if note)


def _choose_scores(answer: Any, samples: Tensor, parts: Sequence[Part], output: str) -> tuple[ChosenOutput, int]:
    """The output that holds the scores, which fit the labels of each part, and how many classes these have."""
    classes = max(len(parts[0].source.classes), *(int(part.labels.max()) + 1 for part in parts))
    chosen = choose_output(answer, samples, classes, output)
    _check_scores(chosen.tensor, len(samples))
    for part in parts:
        _check_fits(part, chosen.tensor.shape[1])
    return chosen, classes


def _check_finite(model: nn.Module, where: str) -> None:
    parameters = {name for name, _ in model.named_parameters()}
    if broken := [name for name in broken_weights(model) if name in parameters]:
        raise CheckpointError(f"{where}: {broken[0]} is not finite", "Give weights from before that with --init.")


def _open(
    options: OpenOptions, start: Path | None, reading: ReadOptions
) -> eager.EagerNetwork | torchscript.ScriptNetwork:
    if start is None:
        assert options.make_model is not None  # noqa: S101 - `find_start` asks for one of the two
        return eager.open_fresh(options.make_model, options)
    payload = formats.read(start, reading)
    if payload.kind == "eager":
        return eager.open_network(payload, options)
    check_trainable(payload.content, str(start))
    return torchscript.open_network(payload, options)


def _suit_format(network: eager.EagerNetwork | torchscript.ScriptNetwork, samples: Tensor) -> None:
    """Have a net take images channels last where it gives the same in it, in training as well.

    Training may have branches of its own. Dropout is off meanwhile: it draws for each place in memory.
    """
    with exact_arithmetic():
        settle_format(network, samples)
        if network.channels_last:
            network.use_channels_last(_trains_in_both(network, samples))


def _trains_in_both(network: eager.EagerNetwork | torchscript.ScriptNetwork, samples: Tensor) -> bool:
    """Whether copies of a net in training give the same in both memory formats; not where they cannot be run."""
    recordings = []
    try:
        for wanted in (False, True):
            network.use_channels_last(wanted)
            twin = copy.deepcopy(network.model).train()
            for module in twin.modules():
                if "Dropout" in getattr(module, "original_name", type(module).__name__):
                    module.eval()
            with uncompiled(), optimized_execution(False), drawn_from(0, samples.device):
                recordings.append(Recording.of(len(samples), twin(network.arranged(samples.clone()))))
    except Exception:  # nobody has promised that a net can be copied; the first step says what is wrong, and when
        return False
    return max(differences(*recordings).values()) <= ROUNDING_OF_BATCHES


def _returned_in_training(model: nn.Module, samples: Inputs) -> Any:
    """What a copy of the net returns in training, or None where that cannot be told."""
    try:
        with drawn_from(0, device(samples)):
            return call(copy.deepcopy(model).train(), samples)
    except Exception:  # as above
        return None


def _notes(network: eager.EagerNetwork | torchscript.ScriptNetwork, options: OpenOptions) -> Iterator[str]:
    """What the user should be told of a TorchScript net."""
    if isinstance(network, eager.EagerNetwork):
        return
    if options.make_model is not None:
        yield "the checkpoint is TorchScript, which brings its own code: --model is not used"
    if fixed := fixed_modes(network.model):
        yield f"the program was made in evaluation mode, as tracing does: {fixed} stay as they are there"


def _check_scores(scores: Tensor, samples: int) -> None:
    if not are_class_scores(scores, samples):
        kind = f"{scores.dtype} {tuple(scores.shape)}".removeprefix("torch.")
        raise ModelError(
            f"the net's output, {kind}, is no row of class scores, so it cannot be trained",
            "Give a net that returns one score a class, or choose another of its outputs with --output.",
        )


def _check_fits(part: Part, outputs: int) -> None:
    top = int(part.labels.max())
    if top >= outputs:
        named = f" ({printable(part.source.classes[top])})" if top < len(part.source.classes) else ""
        raise SampleError(
            f"{printable(part.source.name)}: label {top}{named} is beyond the {outputs} outputs of the net",
            "Give a net with an output a class (--model-arg classes=…), or the order of the classes with --classes.",
        )
