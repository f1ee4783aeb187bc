"""What is measured for whichever command it is: probe and settings from the options."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rfav_cli.errors import CheckpointError, UsageError
from rfav_cli.options.values import NORMALISATIONS
from rfav_cli.records import ALONE, CENTERINGS, Settings
from rfav_cli.records.tasks import AUTO
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from rfav_cli.activations.network import OpenOptions
    from rfav_cli.checkpoints.find import Search
    from rfav_cli.checkpoints.formats.base import ReadOptions, Trusting
    from rfav_cli.data.probe import Probe
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.measure.own_loss import OwnLoss
    from rfav_cli.options.groups import Checkpoints, Measured, Samples
    from rfav_cli.records import Ranks


class FromFiles(Protocol):
    """The options of a command that looks for checkpoints: those of `Names` and `Net`."""

    @property
    def model(self) -> str | Callable[..., object] | None: ...  # noqa: D102
    @property
    def model_arg(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def weights(self) -> str | None: ...  # noqa: D102
    @property
    def epochs(self) -> str | None: ...  # noqa: D102
    @property
    def exclude(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def i_trust_this_pickle(self) -> bool: ...  # noqa: D102
    @property
    def i_trust_this_program(self) -> bool: ...  # noqa: D102


class Prepared(NamedTuple):
    """What every checkpoint of a run is measured with."""

    probe: Probe
    settings: Settings
    options: OpenOptions
    reading: ReadOptions
    train_probe: Probe | None = None
    loss: OwnLoss | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told of the samples."""
        return (*self.probe.notes, *(self.train_probe.notes if self.train_probe else ()))

    def counted_in(self, unit: str) -> Prepared:
        """The same for checkpoints that are counted by epochs or steps."""
        return self._replace(settings=replace(self.settings, unit=unit))


def prepare(
    probe: Any,
    options: Measured,
    *,
    train_probe: Any = None,
    model_name: str = "",
    make_model: Callable[[], torch.nn.Module] | None = None,
    weights: str = "",
    trust: Trusting | None = None,
    ranks: Ranks = ALONE,
) -> Prepared:
    """Load a probe, and say with it what is measured.

    Args:
        probe: where the held-out samples are, or an object that gives them.
        options: how they are read and what is measured of the net.
        train_probe: where samples are that the net was trained on.
        model_name: what the store calls the net.
        make_model: makes an eager net.
        weights: which of several state_dicts is measured.
        trust: what files of nets are trusted with.
        ranks: of several ranks, which this one is; each has a device of its own.

    Raises:
        SampleError: samples cannot be read.
        ModelError: there is no such device, or no such loss.
        UsageError: there is no such centering.
    """
    from rfav_cli.checkpoints.formats.base import ReadOptions
    from rfav_cli.data.probe import load_probe
    from rfav_cli.measure.device import pick_device
    from rfav_cli.measure.own_loss import own_loss

    shown = options.probe_size if options.maps == "all" else options.maps
    samples = sample_options(options)
    load = functools.partial(load_probe, size=options.probe_size, seed=options.seed, options=samples)
    loaded = load(probe, thumbnails=shown)
    trained = None if train_probe is None else load(train_probe, thumbnails=0, option="--train-probe")
    settings = Settings(
        options.with_bias,
        options.centering,
        not options.no_fold_norm,
        model_name,
        options.output or "",
        maps=min(shown, len(loaded)),
        outputs=loaded.labels is not None or not options.no_outputs,
        weights=weights,
        task="" if options.task == AUTO else options.task,
    )
    device = pick_device(options.device, ranks)
    opening = open_options(settings, make_model, device)
    return Prepared(loaded, settings, opening, ReadOptions.of(trust, device), trained, own_loss(options.loss))


def prepare_checkpoints(options: Checkpoints, ranks: Ranks = ALONE) -> Prepared:
    """As `prepare`, for nets whose weights come from files."""
    from rfav_cli.activations.specs import net_maker

    model = options.model
    return prepare(
        options.probe,
        options,
        train_probe=options.train_probe,
        model_name=name_of(model, options.model_arg),
        make_model=net_maker(model, options.model_arg),
        weights=options.weights or "",
        trust=options,
        ranks=ranks,
    )


def search_of(options: FromFiles, *, skip_bad: bool = False) -> Search:
    """Which checkpoints are meant; where several nets are there, those that the weights of `--model` are."""
    from rfav_cli.checkpoints.find import Search

    return Search(
        options.epochs,
        options.exclude,
        options.unit,
        skip_bad,
        options.i_trust_this_pickle,
        None if options.model is None else lambda path: _takes(options, path),
    )


def _takes(options: FromFiles, path: Path) -> bool:
    """Whether the net takes a checkpoint's weights."""
    import torch

    from rfav_cli.activations import networks
    from rfav_cli.activations.specs import net_maker
    from rfav_cli.checkpoints import formats
    from rfav_cli.checkpoints.formats.base import ReadOptions

    model = options.model
    settings = Settings(model=name_of(model, options.model_arg), weights=options.weights or "")
    make_model: Any = net_maker(model, options.model_arg)
    try:
        payload = formats.read(path, ReadOptions.of(options))
        networks.open_network(payload, open_options(settings, make_model, torch.device("cpu")))
    except CheckpointError:
        return False
    return True


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
        weights=settings.weights,
    )


def sample_options(options: Samples) -> SampleOptions:
    """How samples are read.

    Raises:
        UsageError: there is no such transform.
        SampleError: an option is out of its range, or the transform cannot be made.
    """
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.transform import find_transform
    from rfav_cli.data.transforms.base import Request

    mean, std = _normalisation(options)
    model = getattr(options, "model", None)
    request = Request(
        model if isinstance(model, str) else "", tuple(getattr(options, "model_arg", ())), _places(options)
    )
    return SampleOptions(
        layout=options.layout,
        resize=options.resize,
        gray=options.gray,
        mean=mean,
        std=std,
        classes_file=path_or_none(options.classes),
        rgb=options.rgb,
        center_crop=options.center_crop,
        transform=find_transform(options.transform, request),
    )


def _normalisation(options: Samples) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    """Mean and deviation; where one alone is given by name, the other is that of the same name."""
    mean, std = options.mean, options.std
    if isinstance(mean, str) and std is None:
        std = mean
    elif isinstance(std, str) and mean is None:
        mean = std
    return (
        NORMALISATIONS[mean][0] if isinstance(mean, str) else floats(mean),
        NORMALISATIONS[std][1] if isinstance(std, str) else floats(std),
    )


def _places(options: Samples) -> tuple[Path, ...]:
    """Folders that may hold what belongs to the checkpoints: those that are given, what is in them, and around them."""
    given: list[Any] = []
    if options.transform != "hf":
        return ()
    for name in ("model", "checkpoints", "checkpoint", "folder", "path"):
        value = getattr(options, name, None)
        given += value if isinstance(value, (list, tuple)) else [value]
    paths = [Path(str(value).removeprefix("hf:")) for value in given if isinstance(value, (str, Path))]
    around = [place for path in paths for place in (path, *sorted(path.glob("*/"))[:100], path.parent)]
    return tuple(place for place in dict.fromkeys(around) if place.is_dir())


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
