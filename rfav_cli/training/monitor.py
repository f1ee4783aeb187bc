"""A net under training as a checkpoint that need not be saved: its weights in a copy of their own."""

from __future__ import annotations

import copy
import hashlib
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from rfav_cli.activations.hooks import find_hooks
from rfav_cli.activations.networks import eager
from rfav_cli.checkpoints.state_dicts import candidates
from rfav_cli.errors import ModelError
from rfav_cli.measure.checkpoint import BatchSize, measure_weights
from rfav_cli.measure.setup import fit
from rfav_cli.records import Checkpoint, Payload
from rfav_cli.text import named, printable
from rfav_cli.training.position import own_random_state
from rfav_cli.training.targets import unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.data.probe import Probe
    from rfav_cli.measure.own_loss import OwnLoss
    from rfav_cli.records import Doubt, Event, Measurement, Run, Settings

LIVE = Path("(live)")
"""What a store has for the path of weights that were in no file."""


class LiveNet:
    """Measures a net as it is, without touching it.

    A copy of the net takes its weights and is measured, so modes, types, devices, gradients, hooks and the optimizer of
    the net itself stay as they are.

    Args:
        model: the net, also wrapped.
        probe: the samples.
        options: how the copy is made and where it runs; `make_model` makes it in place of a copy.
        settings: what is measured.
        layers, skip: globs of the layers to measure and to leave out.
        batch_size: samples a forward, None for automatic.
        loss: the user's own.

    Raises:
        ModelError: it is no net, cannot be copied, has no layer to measure, or lazy ones without weights.
        SampleError: the probe does not fit the net.
    """

    def __init__(
        self,
        model: nn.Module,
        probe: Probe,
        options: OpenOptions,
        settings: Settings,
        *,
        layers: Sequence[str] = (),
        skip: Sequence[str] = (),
        batch_size: int | None = None,
        loss: OwnLoss | None = None,
    ) -> None:
        if not isinstance(model, nn.Module) or isinstance(model, torch.jit.ScriptModule):
            raise ModelError(
                f"a Monitor measures an eager torch.nn.Module, not a {printable(type(model).__name__)}",
                "Give the net that is trained.",
            )
        self._model = unwrapped(model)
        if not find_hooks(self._model):
            raise ModelError(
                "the net has no layer of torch that can be measured",
                "Give a net with layers of torch.nn, such as Linear; those of other frameworks are not measured.",
            )
        if any(is_lazy(weight) for weight in self._model.parameters()):
            raise ModelError("the net has lazy layers without weights", "Run a batch through it first.")
        with undisturbed(options.device):
            network = eager.open_fresh(options.make_model or (lambda: copy_of(self._model)), options)
            network.load(self._payload())
            self._setup = fit(network, probe, options, settings, layers=layers, skip=skip, loss=loss)
        self._size = BatchSize.of(batch_size, self._setup.device, self._setup.run.layers)

    @property
    def run(self) -> Run:
        """What is measured."""
        return self._setup.run

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told."""
        return self._setup.notes

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Why the figures may not be those of the net as its owner runs it."""
        return self._setup.doubts

    def checkpoint(self, epoch: int) -> Checkpoint:
        """What a store calls the weights as they are now."""
        return Checkpoint(epoch, str(LIVE), sha256_of(self._model.state_dict()))

    def measure(self, checkpoint: Checkpoint, report: Callable[[Event], None]) -> Measurement:
        """Measure the weights as they are now.

        Raises:
            CheckpointError: the net has other weights than it had at first, or did not reach some layer.
        """
        with undisturbed(self._setup.device):
            return measure_weights(self._setup, self._payload(), checkpoint, self._size, lambda _: None, report)

    def _payload(self) -> Payload:
        return Payload("eager", LIVE, candidates(self._model.state_dict()))


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Compute as `analyze` does, whatever block of the training this is called from, and leave no trace in it."""
    with own_random_state(), torch.inference_mode(False), torch.autocast(device.type, enabled=False):
        yield


def copy_of(model: nn.Module) -> nn.Module:
    """A copy of a net, without wrappers within it and the hooks of others; hooks that compute weights stay.

    Raises:
        ModelError: something in it cannot be copied.
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks):
            memo[id(hooks)] = OrderedDict()
        memo[id(module._backward_pre_hooks)] = OrderedDict()
        derived = (value for value in vars(module).values() if isinstance(value, Tensor) and not value.is_leaf)
        memo.update({id(value): value.detach().clone() for value in derived})
    try:
        with torch.no_grad():
            twin = copy.deepcopy(model, memo)
            for module, copied in zip(model.modules(), twin.modules(), strict=True):
                own_hooks = {key: hook for key, hook in module._forward_pre_hooks.items() if _is_of_torch(hook)}
                copied._forward_pre_hooks = OrderedDict(copy.deepcopy(own_hooks, memo))
                own = vars(copied)
                if "_original_forward" in own:  # accelerate's, which puts autocast around forward
                    own["forward"] = own["_original_forward"]
    except Exception as error:  # what a net holds, and what copying that raises, can be anything
        raise ModelError(
            f"the net cannot be copied to be measured: {named(error, part='all')}",
            "Give the Monitor make_model=, a callable that makes the net.",
        ) from error
    _unwrap_within(twin)
    return twin


def sha256_of(state: Mapping[str, Any]) -> str:
    """SHA-256 in hex of a state_dict: names, types, shapes and the tensors' bytes, on whatever device."""
    sha = hashlib.sha256()
    for name, value in state.items():
        if isinstance(value, Tensor) and not is_lazy(value):
            sha.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            sha.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()


def _unwrap_within(module: nn.Module) -> None:
    for name, child in module._modules.items():
        if child is not None:
            module._modules[name] = unwrapped(child)
            _unwrap_within(unwrapped(child))


def _is_of_torch(hook: object) -> bool:
    """Whether a hook is one of torch's own: `weight_norm`, `spectral_norm`, pruning, lazy layers."""
    return str(getattr(hook, "__module__", "")).startswith("torch.")
