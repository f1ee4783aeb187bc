"""What is measured on, and how: the probe, the settings and how checkpoints are opened, from what the user gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from rfav_cli.errors import UsageError
from rfav_cli.records import ALONE
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.data.probe import Probe
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.records import Ranks, Settings


class Prepared(NamedTuple):
    """What every checkpoint of a run is measured with."""

    probe: Probe
    settings: Settings
    options: OpenOptions
    reading: ReadOptions


def prepare(
    probe: str | Path,
    samples: SampleOptions,
    settings: Settings,
    *,
    probe_size: int,
    seed: int,
    maps: int | Literal["all"],
    device: str,
    make_model: Callable[[], torch.nn.Module] | None,
    trust_pickle: bool = False,
    ranks: Ranks = ALONE,
) -> Prepared:
    """Load a probe, and say with it what is measured.

    Args:
        probe: where the held-out samples are.
        samples: how they are read.
        settings: what is measured; `outputs` where that is wanted without labels, too.
        probe_size: how many samples.
        seed: which.
        maps: of how many samples heatmaps are kept.
        device: "auto", "cpu", "cuda", "mps".
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

    thumbnails = probe_size if maps == "all" else maps
    loaded = load_probe(str(probe), size=probe_size, seed=seed, options=samples, thumbnails=thumbnails)
    outputs = loaded.labels is not None or settings.outputs
    place = pick_device(device, ranks)
    return Prepared(
        loaded,
        replace(settings, maps=min(thumbnails, len(loaded)), outputs=outputs),
        open_options(settings, make_model, place),
        ReadOptions(trust_pickle, place),
    )


def open_options(
    settings: Settings, make_model: Callable[[], torch.nn.Module] | None, device: torch.device
) -> OpenOptions:
    """How the nets of a run are opened. The arguments are as for `prepare`.

    Raises:
        UsageError: there is no such centering.
    """
    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.equations import Centering

    if settings.centering not in get_args(Centering):
        raise UsageError(f"--centering {printable(settings.centering)}: not known", "Give pearson or paper.")
    return OpenOptions(
        device=device,
        make_model=make_model,
        model_name=settings.model,
        with_bias=settings.with_bias,
        fold_norm=settings.fold_norm,
    )


def sample_options(
    layout: str | None,
    resize: int | tuple[int, int] | None,
    gray: bool,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    classes: str | Path | None,
) -> SampleOptions:
    """How samples are read."""
    from rfav_cli.data.sources import SampleOptions

    return SampleOptions(layout, resize, gray, floats(mean), floats(std), path_or_none(classes))


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
