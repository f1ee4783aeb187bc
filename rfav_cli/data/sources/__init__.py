"""The sources of samples; a new one is one new file and one line here.

A specification is a path, or `NAME:PATH` for a data set in its published format. `NAME:PATH#SPLIT` takes another split
than the held-out one: `cifar10:DIR#train`.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfav_cli import origins, remote
from rfav_cli.data.axes import LAYOUTS
from rfav_cli.errors import SampleError
from rfav_cli.files.regular import what_it_is
from rfav_cli.text import printable, what_it_says
from rfav_cli.user_code import is_module, names_code

if TYPE_CHECKING:
    from rfav_cli.data.geometry import Geometry
    from rfav_cli.data.sources.base import Source
    from rfav_cli.data.transforms.base import Transform

SOURCES = (
    *("folder", "arrays", "code", "csv", "datasets", "webdataset"),
    *("cifar10", "cifar100", "tiny-imagenet", "mnist", "fashion-mnist"),
)
"""Names of sources; the file in this folder has `_` for `-`. Each has `SPLITS: tuple[str, ...]`, the default first
(empty where the source has none), and `open_source(location, options) -> Source`; with `recognises(path) -> bool` it is
found without its name."""

NAMED = tuple(name for name in SOURCES if name not in {"folder", "arrays", "code"})
"""Those that are named before the path; the others are told by what lies there, or by the form of the name."""

LARGEST_SIDE = 10_000
"""Pixels that an image is resized to; what is larger is a slip, and needs gigabytes an image."""


@dataclass(frozen=True)
class SampleOptions:
    """How samples are read.

    Attributes:
        layout: the axes of an array, one of `LAYOUTS`; None to tell from its shape.
        resize: the side of a square, or (height, width), that images are resized to: bilinear, antialiased; with
            `center_crop` one number is the shorter side.
        gray: reduce images to one channel, by ITU-R BT.601.
        rgb: give gray images three equal channels, and of four channels the first three.
        mean, std: one value, or one a channel, that samples are normalised with; for images in units of 0..1.
        classes_file: a text file, one class name a line, in the order of the labels.
        center_crop: the side of a square, or (height, width), that is cut out of the middle of each image.
        transform: what each image goes through instead, or None.
        inputs: names of the arrays that are the inputs of the net, several; empty to tell by the usual names.
        integers: whole numbers stay what they are, as token ids, whatever the array is called.
    """

    layout: str | None = None
    resize: int | tuple[int, int] | None = None
    gray: bool = False
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    classes_file: Path | None = None
    rgb: bool = False
    center_crop: int | tuple[int, int] | None = None
    transform: Transform | None = None
    inputs: tuple[str, ...] = ()
    integers: bool = False

    def __post_init__(self) -> None:
        """Refuse what no samples can be read with.

        Raises:
            SampleError: an option is out of its range.
        """
        if self.layout is not None and self.layout not in LAYOUTS:
            raise SampleError(f"--layout {printable(self.layout)}: not known", f"Give one of {', '.join(LAYOUTS)}.")
        if self.gray and self.rgb:
            raise SampleError("--gray and --rgb: one channel or three", "Give one of the two.")
        for option, size in (("--resize", self.resize), ("--center-crop", self.center_crop)):
            sides = (size,) if isinstance(size, int) else size or ()
            if size is not None and (len(sides) not in (1, 2) or min(sides) < 1 or max(sides) > LARGEST_SIDE):
                raise SampleError(
                    f"{option} {'x'.join(map(str, sides))}: not a size",
                    f"Give a side in pixels, or HxW, from 1 to {LARGEST_SIDE:,}.",
                )
            if size is not None and self.transform is not None:
                raise SampleError(f"--transform and {option}: both say how images are sized", "Give one of the two.")
        for option, values, least in (("--mean", self.mean, float("-inf")), ("--std", self.std, 0.0)):
            if values is not None and not (values and all(least < value < float("inf") for value in values)):
                numbers = ",".join(f"{value:g}" for value in values)
                above = " above 0" if option == "--std" else ""
                raise SampleError(
                    f"{option} {numbers}: out of range", f"Give finite numbers{above}, one or one a channel."
                )

    @property
    def geometry(self) -> Geometry:
        """The size that images are brought to."""
        from rfav_cli.data.geometry import Geometry

        resize, crop = self.resize, self.center_crop
        if isinstance(resize, int) and crop is None:
            resize = (resize, resize)
        return Geometry(resize, (crop, crop) if isinstance(crop, int) else crop)


def is_code(spec: object) -> bool:
    """Whether samples are an object, or code that gives one, and not files."""
    if not isinstance(spec, (str, os.PathLike)):
        return True
    text = os.fspath(spec)
    name = text.partition(":")[0]
    return name == "code" if name in SOURCES else names_code(text)


def open_source(spec: Any, options: SampleOptions, *, option: str = "--probe", most: int | None = None) -> Source:
    """Open a source of samples: a folder of images, a file of arrays, a data set as published, or the user's own.

    Args:
        spec: a path, `NAME:PATH` or `NAME:PATH#SPLIT`, where each path may be an address of a remote file or folder;
            code by name, "package.module:attribute" or "path/to/file.py:attribute"; or the object itself.
        options: how its samples are read.
        option: that it was given with, for messages.
        most: how many samples are needed at most, where they can only be read one after the other; None for all.

    Raises:
        SampleError: there is nothing there, or it is not what the specification says.
    """
    from rfav_cli.data.sources.base import Location  # here, so that the names are known without torch

    if not isinstance(spec, (str, os.PathLike)):
        from rfav_cli.data.sources.objects import open_object

        return open_object(spec, Location(_called(spec), Path(), option=option, most=most), options)
    given = os.fspath(spec)
    spec = _brought(given, option)
    name, address = ("code", given) if spec == given and _is_own_code(given) else _told(spec)
    module = import_module(_module(name))
    path, split = Path(address).expanduser(), next(iter(module.SPLITS), "")
    if module.SPLITS and "#" in address and not path.exists():
        base, _, split = address.rpartition("#")
        path = Path(base).expanduser()
        if split not in module.SPLITS:
            raise SampleError(f"{printable(spec)}: no split {printable(split)}", f"Splits: {', '.join(module.SPLITS)}.")
    by_pattern = name == "code" or (name == "webdataset" and module.recognises(path))
    if not by_pattern:
        _refuse_missing(address, path)
    if options.layout is not None and name not in ("arrays", "code"):
        raise SampleError(f"{printable(spec)}: --layout is for arrays", "Leave --layout out.")
    source: Source = module.open_source(Location(spec, path, split, option, most), options)
    return source


def _refuse_missing(address: str, path: Path) -> None:
    try:
        mode = path.stat().st_mode if address else 0
    except (OSError, ValueError) as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError))
        what = "no such file or folder" if missing else what_it_says(error)
        raise SampleError(f"{printable(path)}: {what}", "Check the path of the samples.") from None
    if not address:
        raise SampleError(f"{printable(path)}: no such file or folder", "Check the path of the samples.")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise SampleError(f"{printable(path)}: is {what_it_is(mode)}, not a regular file", "Give a file or a folder.")


def _is_own_code(spec: str) -> bool:
    """Whether a specification names code, and no data set of a name that is none."""
    name = spec.partition(":")[0]
    return name not in SOURCES and names_code(spec) and (not name.isidentifier() or is_module(name))


def _told(spec: str) -> tuple[str, str]:
    """The source of a specification, and what it reads."""
    name, colon, address = spec.partition(":")
    if colon and name in SOURCES:
        return name, address
    if colon and not Path(spec).exists():
        close = get_close_matches(name, SOURCES, n=1)
        known = f"Did you mean {close[0]}:{printable(address)}?" if close else f"Known: {', '.join(SOURCES)}."
        raise SampleError(
            f"{printable(spec)}: no such file, no data set {printable(name)}, and no module of that name",
            f"{known} Your own code is named package.module:name or path/to/file.py:name.",
        )
    path = Path(spec).expanduser()
    for source in SOURCES:
        recognises = getattr(import_module(_module(source)), "recognises", None)
        if recognises is not None and recognises(path):
            return source, spec
    return ("folder" if path.is_dir() else "arrays"), spec


def _module(source: str) -> str:
    return f"{__name__}.{source.replace('-', '_')}"


def _called(value: object) -> str:
    """What an object from Python is called in messages and in the store."""
    name = getattr(value, "__qualname__", type(value).__name__)
    return f"{name} (from Python)"


def _brought(spec: str, option: str) -> str:
    """A specification whose files are here.

    Raises:
        UsageError: a project's file named them that may not.
        RunError: they are elsewhere, and cannot be reached.
    """
    name, _, path = spec.partition(":")
    before, path = (f"{name}:", path) if name in NAMED else ("", spec)
    address, mark, split = path.partition("#")
    if remote.address_of(address) is None:
        return spec
    origins.ask(option)
    return f"{before}{remote.keep(address)}{mark}{split}"
