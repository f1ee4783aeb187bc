"""What is measured on, and how: the probe, the settings and how checkpoints are opened, from what the user gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rfav_cli.errors import UsageError
from rfav_cli.records import ALONE, CENTERINGS, Settings
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.data.probe import Probe
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.options.groups import Checkpoints, Measured, Samples
    from rfav_cli.records import Ranks


class Prepared(NamedTuple):
    """What every checkpoint of a run is measured with."""

    probe: Probe
    settings: Settings
    options: OpenOptions
    reading: ReadOptions


def prepare(
    probe: str | Path,
    options: Measured,
    *,
    model_name: str = "",
    make_model: Callable[[], torch.nn.Module] | None = None,
    trust_pickle: bool = False,
    ranks: Ranks = ALONE,
) -> Prepared:
    """Load a probe, and say with it what is measured.

    Args:
        probe: where the held-out samples are.
        options: how they are read and what is measured of the net.
        model_name: what the store calls the net.
        make_model: makes an eager net.
        trust_pickle: load pickles that may run code.
        ranks: of several processes, which this one is; each has a device of its own.

    Raises:
        SampleError: the probe cannot be read.
        ModelError: there is no such device.
        UsageError: there is no such centering.
    """
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.data.probe import load_probe
    from rfav_cli.measure.device import pick_device

    kept = options.probe_size if options.maps == "all" else options.maps
    samples = sample_options(options)
    loaded = load_probe(str(probe), size=options.probe_size, seed=options.seed, options=samples, thumbnails=kept)
    settings = Settings(
        options.with_bias,
        options.centering,
        options.fold_norm,
        model_name,
        options.output or "",
        maps=min(kept, len(loaded)),
        outputs=loaded.labels is not None or not options.no_outputs,
    )
    device = pick_device(options.device, ranks)
    opening = open_options(settings, make_model, device)
    return Prepared(loaded, settings, opening, ReadOptions(trust_pickle, device))


def prepare_checkpoints(options: Checkpoints, ranks: Ranks = ALONE) -> Prepared:
    """As `prepare`, for nets whose weights come from files."""
    from rfav_cli.activations.factory import make_factory

    model = options.model
    return prepare(
        options.probe,
        options,
        model_name=name_of(model, options.model_arg),
        make_model=make_factory(model, options.model_arg) if isinstance(model, str) else model,
        trust_pickle=options.i_trust_this_pickle,
        ranks=ranks,
    )


def open_options(
    settings: Settings, make_model: Callable[[], torch.nn.Module] | None, device: torch.device
) -> OpenOptions:
    """How the nets of a run are opened. The arguments are as for `prepare`.

    Raises:
        UsageError: there is no such centering.
    """
    from rfav_cli.activations.network import OpenOptions

    if settings.centering not in CENTERINGS:
        raise UsageError(f"--centering {printable(settings.centering)}: not known", "Give pearson or paper.")
    return OpenOptions(
        device=device,
        make_model=make_model,
        model_name=settings.model,
        with_bias=settings.with_bias,
        fold_norm=settings.fold_norm,
    )


def sample_options(options: Samples) -> SampleOptions:
    """How samples are read."""
    from rfav_cli.data.sources import SampleOptions

    mean, std = floats(options.mean), floats(options.std)
    return SampleOptions(options.layout, options.resize, options.gray, mean, std, path_or_none(options.classes))


def name_of(model: str | Callable[..., object] | None, arguments: Sequence[str]) -> str:
    """What the store calls a net: the specification with its arguments, or where a callable was defined."""
    if model is None:
        return ""
    name = model if isinstance(model, str) else f"{model.__module__}:{getattr(model, '__qualname__', repr(model))}"
    return f"{name}({', '.join(arguments)})" if arguments else name


def floats(values: Sequence[float] | float | None) -> tuple[float, ...] | None:
    """One number or several as a tuple."""
    if values is None:
        return None
    return (values,) if isinstance(values, (int, float)) else tuple(values)


def path_or_none(value: str | Path | None) -> Path | None:
    """A path where there is one."""
    return None if value is None else Path(value)
