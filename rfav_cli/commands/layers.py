"""The layers of a net, before any run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli import remote
from rfav_cli.commands.measuring import name_of, open_options, sample_options
from rfav_cli.errors import ModelError, UsageError
from rfav_cli.options import Layers, flat
from rfav_cli.records import LayerList, ListedLayer, Settings
from rfav_cli.records.tasks import AUTO

if TYPE_CHECKING:
    from rfav_cli.activations.network import Network, OpenOptions
    from rfav_cli.measure.setup import Setup


def run(options: Layers) -> LayerList:
    """List the layers of a net, and say of each whether a run would measure it, or why not.

    Nothing is measured and nothing is written. Without a probe the layers are those that the net holds, since only a
    forward shows which of them it uses, and what comes out of them.

    Returns:
        The layers, and what a run would look at.

    Raises:
        UsageError: there is neither a checkpoint nor `model`.
        ModelError: the net cannot be made, no layer is left to measure, or a program is given without a probe.
        CheckpointError: the checkpoint cannot be read, or is none of the net.
        SampleError: the probe cannot be read, or does not fit the net.
    """
    from rfav_cli.activations.specs import net_maker
    from rfav_cli.data.probe import load_probe
    from rfav_cli.measure.device import pick_device
    from rfav_cli.measure.own_loss import own_loss
    from rfav_cli.measure.setup import fit

    model = options.model
    task = "" if options.task == AUTO else options.task
    settings = Settings(
        model=name_of(model, options.model_arg),
        output=options.output or "",
        weights=options.weights or "",
        task=task,
    )
    make_model = net_maker(model, options.model_arg)
    opening = open_options(settings, make_model, pick_device(options.device))
    network = _open(options, opening)
    if options.probe is None:
        return _held(network, opening)
    samples = sample_options(options)
    probe = load_probe(options.probe, size=options.probe_size, options=samples, thumbnails=0)
    loss = own_loss(options.loss)
    setup = fit(network, probe, opening, settings, layers=options.layers, skip=options.skip, loss=loss)
    return LayerList(_listed(setup), setup.subject, (*probe.notes, *setup.notes), setup.doubts)


layers = flat(Layers, run)


def _open(options: Layers, opening: OpenOptions) -> Network:
    """The net with the weights of the checkpoint, or those that its code gives it."""
    from rfav_cli.activations import networks
    from rfav_cli.activations.networks import eager
    from rfav_cli.checkpoints import formats
    from rfav_cli.checkpoints.formats.base import ReadOptions

    if options.checkpoint is not None:
        reading = ReadOptions.of(options, opening.device)
        return networks.open_network(formats.read(remote.place(options.checkpoint), reading), opening)
    if opening.make_model is None:
        raise UsageError("there is no net to look at", "Give --model, or a CHECKPOINT that brings its own code.")
    return eager.open_fresh(opening.make_model, opening)


def _held(network: Network, opening: OpenOptions) -> LayerList:
    """The layers that an eager net holds."""
    if network.kind != "eager":
        raise ModelError("the layers of a program are known by a forward alone", "Give samples to run with --probe.")
    rows = (
        ListedLayer(held.name, held.kind, held.weight_shape, held.parameters if held.weight_shape else None)
        for held in network.held()
    )
    return LayerList(tuple(rows), notes=tuple(opening.notes))


def _listed(setup: Setup) -> tuple[ListedLayer, ...]:
    """The layers that the forward reaches, in its order, then what cannot be measured."""
    held = {layer.name: layer for layer in setup.network.held()}
    reached = {layer.name: layer for layer in setup.trace.layers}
    reasons = {layer.name: layer.reason for layer in setup.run.skipped}

    def row(name: str) -> ListedLayer:
        layer, holder = reached.get(name), held.get(name)
        described = layer or holder
        return ListedLayer(
            name,
            kind=described.kind if described else "",
            weight_shape=described.weight_shape if described else (),
            parameters=holder.parameters if holder and holder.weight_shape else None,
            channels=layer.channels if layer else None,
            positions=layer.positions if layer else None,
            uses=setup.uses.get(name, 0) if layer else 0,
            reason=reasons.get(name, ""),
        )

    return tuple(row(name) for name in dict.fromkeys([*reached, *reasons]))
