"""Nets made by the user's own code (`--model`), with weights from state_dicts: torch.save's files and safetensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from rfav_cli.activations.hooks import (
    StopForward,
    Tap,
    find_taps,
    hooked,
    norm_scale,
    plain_forward,
    refresh_weights,
)
from rfav_cli.activations.network import Activation, Network, Payload, Sink, Survey
from rfav_cli.activations.trace import Observer
from rfav_cli.checkpoints.pickles import is_torch_save, load_pickle
from rfav_cli.checkpoints.state_dicts import Candidate, Match, candidates, complete, match, shapes, stored_epoch
from rfav_cli.errors import CheckpointError, ModelError, SampleError
from rfav_cli.text import named, printable, what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch.nn.modules.batchnorm import _BatchNorm

    from rfav_cli.activations.networks import OpenOptions

_LONGEST_HEADER = 100_000_000


def recognises(path: Path) -> bool:
    """Whether the file is torch.save's or safetensors', told by its first bytes and, for an archive, its names."""
    return is_torch_save(path) or _is_safetensors(path)


def read(path: Path, options: OpenOptions) -> Payload:
    """Read the state_dicts that a file holds; tensors stay in the file until they are used.

    Raises:
        CheckpointError: the file is damaged, would run code, or holds no state_dict.
    """
    content = _read_content(path, options.trust_pickle)
    found = candidates(content)
    if not found:
        raise CheckpointError(
            f"{path}: holds {_article(content)}, not a state_dict", "Save the net's state_dict() and give that."
        )
    return Payload("eager", path, found, stored_epoch(content))


def peek_epoch(path: Path, trust_pickle: bool = False) -> int | None:
    """The epoch that a file holds, or None.

    Raises:
        CheckpointError: the file is damaged or would run code.
    """
    return None if _is_safetensors(path) else stored_epoch(load_pickle(path, trust_pickle))


def open_network(payload: Payload, options: OpenOptions) -> EagerNetwork:
    """Make the net and load the checkpoint into it.

    Raises:
        ModelError: there is no `--model`, or it makes no nn.Module.
        CheckpointError: the weights are not those of the net.
    """
    if options.make_model is None:
        largest: Candidate = max(payload.content, key=lambda candidate: len(candidate.weights))
        raise ModelError(
            f"{payload.path}: a state_dict needs --model, the code that makes its net",
            f"Give --model package.module:factory. The file holds\n{shapes(largest.weights)}",
        )
    network = open_fresh(options.make_model, options)
    network.load(payload)
    return network


def open_fresh(make_model: Callable[[], nn.Module], options: OpenOptions) -> EagerNetwork:
    """Make the net with the weights that its code gives it; raises ModelError where that is no eager nn.Module."""
    model = make_model()
    if not isinstance(model, nn.Module) or isinstance(model, torch.jit.ScriptModule):
        raise ModelError(
            f"--model {options.model_name}: makes a {type(model).__name__}, not an eager torch.nn.Module",
            "Name a function or class that returns the net.",
        )
    return EagerNetwork(model, options)


class EagerNetwork(Network):
    """One warm net, `model`, read by forward hooks."""

    kind: ClassVar[str] = "eager"

    def __init__(self, model: nn.Module, options: OpenOptions) -> None:
        while isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        self.model = model.float().eval().to(options.device)
        self._options = options
        self._taps = find_taps(self.model)
        self._norms: Mapping[str, _BatchNorm] = {}
        self._scales: dict[str, Tensor | None] = {}
        convolutions = (nn.Conv2d, nn.ConvTranspose2d)
        self._planes = [p for m in model.modules() if isinstance(m, convolutions) for p in m.parameters()]
        self._channels_last = bool(self._planes)

    def load(self, payload: Payload) -> None:
        """See `Network.load`."""
        expected = self.model.state_dict()
        matches = [(candidate, match(expected, candidate.weights)) for candidate in payload.content]
        fitting = [(candidate, found) for candidate, found in matches if found.fits]
        if not fitting:
            raise _misfit(payload.path, matches)
        taken, found = fitting[0]
        if len(fitting) > 1:
            self._note(taken, [candidate for candidate, _ in fitting])
        # Updated rather than made anew: the net's own dictionary says which versions of its modules its names are of.
        expected.update(complete(expected, taken.weights, found.pairs))
        try:
            self.model.load_state_dict(expected, strict=True)
        except (RuntimeError, LookupError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{payload.path}: {what_it_says(error, part='all')}", "Give the checkpoints of this net."
            ) from error
        self._arrange()
        refresh_weights(self._taps)
        self._scale()

    def survey(self, images: Tensor) -> Survey:
        """See `Network.survey`."""
        observer = Observer(self.model)
        try:
            try:
                observer.run(self.arranged(images))
            except RuntimeError:
                if not self._channels_last:
                    raise
                self.use_default_format()
                observer.run(self.arranged(images))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise _unfit(images, observer, error) from error
        self._taps = observer.taps(len(images))
        self._norms = observer.folded(self._taps) if self._options.fold_norm else {}
        self._scale()
        return observer.survey(len(images))

    def forward(self, images: Tensor, sink: Sink) -> Any:
        """See `Network.forward`."""

        def read_output(tap: Tap, output: Tensor) -> bool:
            bias = None if self._options.with_bias or tap.module.bias is None else tap.module.bias.detach()
            return sink(Activation(tap.name, output, tap.channel_dim, bias, self._scales.get(tap.name)))

        try:
            with plain_forward(), hooked(self._taps, read_output):
                return self.model(self.arranged(images))
        except StopForward:
            return None

    def filters(self, layer: str) -> Tensor:
        """See `Network.filters`."""
        rows = next(tap for tap in self._taps if tap.name == layer).filters()
        scale = self._scales.get(layer)
        return rows if scale is None else rows * scale.view(rows.shape[0], rows.shape[1], 1)

    def use_default_format(self) -> None:
        """Take batches in the default memory format from now on: `x.view(len(x), -1)` needs it."""
        self._channels_last = False
        self._arrange()

    def arranged(self, images: Tensor) -> Tensor:
        """A batch, of whatever memory format, in the one that the net takes."""
        planes = self._channels_last and images.ndim == 4
        return images.contiguous(memory_format=torch.channels_last if planes else torch.contiguous_format)

    def _arrange(self) -> None:
        """Lay the convolutions' weights out as the images are: channels last is what CPUs and GPUs are fastest in."""
        layout = torch.channels_last if self._channels_last else torch.contiguous_format
        for weight in self._planes:
            if not is_lazy(weight) and weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=layout)

    def _scale(self) -> None:
        self._scales = {name: norm_scale(norm) for name, norm in self._norms.items()}

    def _note(self, taken: Candidate, fitting: list[Candidate]) -> None:
        names = ", ".join(repr(candidate.name) for candidate in fitting)
        note = f"took {taken.name!r} of {printable(names)}"
        if note not in self._options.notes:
            self._options.notes.append(note)


def _read_content(path: Path, trust_pickle: bool) -> Any:
    if not _is_safetensors(path):
        return load_pickle(path, trust_pickle)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise CheckpointError(
            f"{path}: reading safetensors needs a package that is not installed",
            "pip install 'rfav-cli[safetensors]'",
        ) from error
    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged or cut off", "Copy or save the file again, or leave it out.") from error


def _is_safetensors(path: Path) -> bool:
    """Whether the file begins with the length of a JSON header and its brace."""
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def _article(content: Any) -> str:
    if isinstance(content, list | tuple):
        return f"a {type(content).__name__} of {len(content)}"
    return "a mapping without tensors" if isinstance(content, dict) else f"a {printable(type(content).__name__)}"


def _misfit(path: Path, matches: list[tuple[Candidate, Match]]) -> CheckpointError:
    nearest = min((found for _, found in matches), key=lambda found: found.distance)
    return CheckpointError(
        f"{path}: not a checkpoint of this net: {nearest.differences()}",
        "Give the --model that these weights were saved from, or leave the file out.",
    )


def _unfit(images: Tensor, observer: Observer, error: Exception) -> SampleError:
    shape = "x".join(map(str, images.shape[1:]))
    what = f"the net does not run on samples of {shape}: {named(error, part='last')}"
    if observer.current is None:
        return SampleError(what, "Give samples of the shape that the net was trained on.")
    tap, given = observer.current
    weight = tap.module.weight
    axis, unit = (-1, "features") if tap.kind == "Linear" else (1, "channels")
    takes = tap.module.in_features if tap.kind == "Linear" else tap.module.in_channels
    has = given[axis] if len(given) > 1 else given[0]
    remedy = f"{tap.name} takes {takes} {unit}, it was given {has}: --gray, --resize or another probe."
    return SampleError(f"{what} (in {tap.name}, weight {'x'.join(map(str, weight.shape))})", remedy)
