"""What `rfav doctor` looks at: this Python, torch, devices, extras and a place for a store; or one store, all of it."""

from __future__ import annotations

import platform
import re
import secrets
import shutil
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from rfav_cli import store
from rfav_cli.files.atomic import PREFIX, replacing
from rfav_cli.options import Doctor, flat
from rfav_cli.records import Finding
from rfav_cli.text import named, what_it_says
from rfav_cli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRAS = {
    "torchvision": (("torchvision",), "--model torchvision:NAME"),
    "timm": (("timm",), "--model timm:NAME"),
    "datasets": (("pyarrow",), "samples in parquet and folders of datasets"),
    "lightning": (("lightning",), "LightningModules as --model, and the callback"),
    "transformers": (("transformers", "accelerate"), "--model hf:, and the callback"),
    "keras": (("keras",), "the callback"),
    "tensorboard": (("tensorboard",), "rfav analyze --tensorboard"),
    "remote": (("fsspec",), "https://, s3://, gs:// and hf:// in place of paths"),
    "mlflow": (("mlflow-skinny",), "examples/mlflow_log.py"),
}
"""Extra -> the packages that it installs, and what they unlock."""
SAFE_TORCH = (2, 10)
"""Earlier releases have known holes in `weights_only=True`."""
OLDEST_TENSORBOARD = (2, 16)
FREE_SPACE = 10**9
"""Bytes on the disk below which a run's heatmaps may not fit."""


def run(options: Doctor) -> tuple[Finding, ...]:
    """Look at what the machine has, and whether a store can be written in a folder; or at a store, and at that alone.

    Raises:
        StoreError: a store was named, and there is none.
    """
    place = Path(options.place)
    if store.names_store(place):
        return store.verify(place)
    return (
        Finding("rfav", "ok", __version__),
        Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        _torch(),
        Finding("h5py", "ok", f"{h5py.__version__}, HDF5 {h5py.version.hdf5_version}"),
        *_devices(),
        *(_extra(name, packages, use) for name, (packages, use) in EXTRAS.items()),
        _tab(),
        _folder(place),
    )


examine = flat(Doctor, run)


def _torch() -> Finding:
    import torch

    release = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if release < SAFE_TORCH:
        return Finding(
            "torch", "warning", f"{torch.__version__}: loading untrusted files is safe from 2.10 on; upgrade it"
        )
    return Finding("torch", "ok", torch.__version__)


def _devices() -> Iterator[Finding]:
    import torch

    threads = torch.get_num_threads()
    yield Finding("cpu", "ok", f"{threads} {'thread' if threads == 1 else 'threads'}")
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        yield Finding(f"cuda:{index}", "ok", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    if not torch.cuda.is_available():
        yield Finding("cuda", "missing", "no CUDA device that this torch can use; --device auto takes another")
    if torch.backends.mps.is_available():
        yield Finding("mps", "ok", "available")
    else:
        yield Finding("mps", "missing", "no Apple GPU that this torch can use; --device auto takes another")


def _extra(name: str, packages: tuple[str, ...], use: str) -> Finding:
    there = [f"{package} {installed}" for package in packages if (installed := _version(package))]
    if len(there) == len(packages):
        return Finding(name, "ok", f"{', '.join(there)}: for {use}")
    return Finding(name, "missing", f"for {use}: pip install 'rfav-cli[{name}]'")


def _version(package: str) -> str:
    """The version of a package; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _tab() -> Finding:
    """Whether TensorBoard will show the tab: it looks for the entry point at its start, and loads it."""
    name, upgrade = "TensorBoard tab", "pip install --upgrade 'rfav-cli[tensorboard]'"
    installed = _version("tensorboard")
    if not installed:
        return Finding(name, "missing", "needs tensorboard: pip install 'rfav-cli[tensorboard]'")
    if tuple(map(int, re.findall(r"\d+", installed)[:2])) < OLDEST_TENSORBOARD:
        return Finding(name, "warning", f"tensorboard {installed} is older than what it was made for: {upgrade}")
    points = [point for point in entry_points(group="tensorboard_plugins") if point.name == "rfav"]
    if not points:
        return Finding(name, "missing", "this rfav is not installed as a package, so TensorBoard can't find it")
    try:
        points[0].load()
    except Exception as error:  # whatever an installation is broken by
        return Finding(name, "warning", f"cannot be loaded ({named(error)}): {upgrade}")
    return Finding(name, "ok", f"tensorboard {installed} loads it: tensorboard --logdir FOLDER")


def _folder(folder: Path) -> Finding:
    """Commit a small file as the store does: write, flush to the disk, rename, flush the folder."""
    committed = folder / f"{PREFIX}doctor-{secrets.token_hex(8)}"
    try:
        try:
            with replacing(committed) as file:
                file.write(b"rfav")
        finally:
            committed.unlink(missing_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            "store", "missing", f"{folder} cannot be written: {what_it_says(error)}; choose another with --out"
        )
    space = f"{free / 1e9:.1f} GB free"
    if free < FREE_SPACE:
        return Finding("store", "warning", f"{folder} can be written, but only {space}; --maps 0 keeps stores small")
    return Finding("store", "ok", f"{folder} can be written, {space}")
