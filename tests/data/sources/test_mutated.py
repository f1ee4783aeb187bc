"""Whatever bytes a file of samples, a recipe, a baseline or a project's file has, what is wrong is said of that file.

The mutations are the same in every run; `MANY` times as many were tried once.
"""

from __future__ import annotations

import io
import json
import random
import tarfile
from typing import IO, TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import torch
import typer
from PIL import Image

from rfav_cli import baselines, recipes
from rfav_cli.cli.config import Takes, defaults_of_project
from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources.base import read_class_file
from rfav_cli.errors import RfavError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MUTATIONS = 25
MANY = 500
IMAGES = np.random.default_rng(0).integers(0, 255, (12, 3, 8, 8), np.uint8)
LABELS = np.arange(12) % 3
WORDS = (b"\xff" * 8, b"\0" * 8, b"\x7f\xff\xff\xff", b"([{'\"", b"9" * 20, b"-1", b"nan", b"\xed\xa0\x80", b"\x80\x02")


def written(write: Callable[[IO[bytes]], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def hdf5(**how: Any) -> bytes:
    def write(target: IO[bytes]) -> None:
        with h5py.File(target, "w") as file:
            file.create_dataset("images", data=IMAGES, **how)
            file["labels"] = LABELS

    return written(write)


def picture(kind: str) -> bytes:
    return written(lambda file: Image.fromarray(IMAGES[0].transpose(1, 2, 0)).save(file, kind))


def tar() -> bytes:
    def write(target: IO[bytes]) -> None:
        with tarfile.open(fileobj=target, mode="w") as archive:
            for name, content in (("0.png", picture("PNG")), ("0.cls", b"1")):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

    return written(write)


BASELINE = {
    "kind": "rfav baseline",
    "schema": 1,
    "store_digest": "a",
    "probe": {"sha256": "b", "size": 3},
    "settings": {"with_bias": False, "fold_norm": True},
    "epoch": 3,
    "accuracy": 0.5,
    "layers": {"conv1": {"channels": 4, "entropy": 1.0}},
}
TENSORS = {"images": torch.from_numpy(IMAGES), "labels": torch.from_numpy(LABELS)}
SOUND: dict[str, bytes] = {
    "x.npy": written(lambda file: np.save(file, IMAGES)),
    "x.npz": written(lambda file: np.savez_compressed(file, images=IMAGES, labels=LABELS)),
    "x.pt": written(lambda file: torch.save(TENSORS, file)),
    "legacy.pt": written(lambda file: torch.save(TENSORS, file, _use_new_zipfile_serialization=False)),
    "x.h5": hdf5(),
    "packed.h5": hdf5(chunks=(4, 3, 8, 8), compression="gzip", shuffle=True, fletcher32=True),
    **{f"images/{kind}.{kind}": picture(kind) for kind in ("png", "jpeg", "gif", "webp", "tiff", "bmp", "ppm")},
    "x.csv": b"path,label\n1.png,cat\n1.png,dog\n",
    "x.tar": tar(),
    "recipe.toml": b'schema = 1\nrule = "even"\nrewind = 3\n[[layer]]\nname = "conv1"\nlambda = 0.001\nkappa = 1.0\n',
    "pyproject.toml": b'[tool.rfav]\nprobe = "x"\nmean = [0.5, 0.4]\nlayers = ["c*"]\n[tool.rfav.show]\nformat = 1\n',
    "baseline.json": json.dumps(BASELINE).encode(),
    "classes.txt": b"cat\ndog\n",
}
OPTIONS = {
    "analyze": {"probe": Takes(False, "X"), "mean": Takes(False, "X"), "layers": Takes(True, "X")},
    "show": {"format": Takes(False, "X")},
}


def mutated(content: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, put in, taken out or repeated, most of them where a file says what it is."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        place = draw.randrange(max(1, min(len(changed), draw.choice((400, len(content))))))
        kind = draw.randrange(6)
        if kind == 0:
            changed[place : place + 1] = bytes([draw.randrange(256)])
        elif kind == 1:
            del changed[place : place + draw.choice((1, 8, 100))]
        elif kind == 2:
            changed[place:place] = draw.choice(WORDS)
        elif kind == 3:
            changed[place : place + 8] = draw.choice(WORDS)
        elif kind == 4:
            del changed[place:]
        else:
            changed[place:place] = changed[: draw.choice((4, 64))]
    return bytes(changed)


def read(path: Path) -> None:
    if path.name == "recipe.toml":
        recipes.load(path)
    elif path.name == "baseline.json":
        baselines.load(path)
    elif path.name == "classes.txt":
        read_class_file(path)
    elif path.name == "pyproject.toml":
        defaults_of_project(OPTIONS, path.parent, command="analyze")
    else:
        load_probe(str(path.parent if path.parent.name == "images" else path))


@pytest.mark.parametrize("name", SOUND)
def test_what_is_wrong_is_said_of_the_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(picture("PNG"))
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(SOUND[name])
    read(path)
    draw = random.Random(name)
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(SOUND[name], draw))
        try:
            read(path)
        except (RfavError, typer.BadParameter) as error:
            said = error.message if isinstance(error, typer.BadParameter) else error.what
            assert said.isprintable()
            assert path.name in said or name.startswith("images/") or "1.png" in said
