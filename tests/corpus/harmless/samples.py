"""Samples as people keep them, and checkpoints that are folders."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.checkpoints.formats.files import write_deepspeed, write_distcp
from tests.corpus.case import Case, samples, state
from tests.corpus.hostile.folders import indexed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IMAGES, LABELS = samples()
BYTES = (IMAGES.clip(0, 1) * 255).astype(np.uint8)
LAST = np.ascontiguousarray(BYTES.transpose(0, 2, 3, 1))
ARRAYS: dict[str, dict[str, Any]] = {
    "floats": {"images": IMAGES, "labels": LABELS},
    "bytes": {"images": BYTES, "labels": LABELS},
    "bytes-channels-last": {"images": LAST, "labels": LABELS},
    "doubles": {"images": IMAGES.astype(np.float64), "labels": LABELS},
    "halves": {"images": IMAGES.astype(np.float16), "labels": LABELS},
    "big-endian": {"images": IMAGES.astype(">f4"), "labels": LABELS.astype(">i8")},
    "fortran": {"images": np.asfortranarray(IMAGES), "labels": LABELS},
    "small-labels": {"images": IMAGES, "labels": LABELS.astype(np.uint8)},
    "whole-float-labels": {"images": IMAGES, "labels": LABELS.astype(np.float32)},
    "labels-in-a-column": {"images": IMAGES, "labels": LABELS[:, None]},
    "x-and-y": {"x": IMAGES, "y": LABELS},
    "data-and-targets": {"data": IMAGES, "targets": LABELS},
    "without-labels": {"images": IMAGES},
    "with-more": {"images": IMAGES, "labels": LABELS, "ids": np.arange(24)},
}


def _npz(arrays: dict[str, Any], path: Path) -> None:
    np.savez(path, **arrays)


def _compressed(path: Path) -> None:
    np.savez_compressed(path, images=IMAGES, labels=LABELS)


def _npy(path: Path) -> None:
    np.save(path, IMAGES)


def _pt(content: Callable[[], Any], path: Path) -> None:
    torch.save(content(), path)


def _h5(path: Path, **how: Any) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=IMAGES, **how)
        file.create_dataset("labels", data=LABELS)


def _pictures(ending: str, path: Path, *, flat: bool = False) -> None:
    for number, pixels in enumerate(LAST):
        folder = path if flat else path / ("cat", "dog", "\u00e9 bird")[LABELS[number]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"image {number}.{ending}")
    (path / "Thumbs.db").write_bytes(b"\0")


def _table(path: Path, *, delimiter: str = ",") -> None:
    for number, pixels in enumerate(LAST):
        Image.fromarray(pixels).save(path.parent / f"{number}.png")
    with path.open("w", newline="") as file:
        rows = csv.writer(file, delimiter=delimiter)
        rows.writerow(["path", "label"])
        rows.writerows([f"{number}.png", "abc"[label]] for number, label in enumerate(LABELS))


def _transformers(path: Path, *, binary: bool = False) -> None:
    path.mkdir()
    if binary:
        torch.save(state(), path / "pytorch_model.bin")
    else:
        save_file(state(), path / "model.safetensors", metadata={"format": "pt"})
    (path / "config.json").write_text(json.dumps({"model_type": "corpus", "architectures": ["Net"]}))


def _linked(path: Path) -> None:
    """As the cache of the Hugging Face hub has it: the files are links to others beside the folder."""
    blobs = path.parent / "blobs"
    blobs.mkdir()
    save_file(state(), blobs / "0f3c", metadata={"format": "pt"})
    path.mkdir()
    (path / "model.safetensors").symlink_to("../blobs/0f3c")
    (path / "config.json").write_text("{}")


def _trainer(path: Path) -> None:
    _transformers(path)
    (path / "trainer_state.json").write_text(
        json.dumps({"epoch": 1.0, "global_step": 10, "log_history": [{"loss": 0.5}]})
    )
    torch.save({"lr": 0.1}, path / "training_args.bin")
    torch.save({}, path / "optimizer.pt")


def _accelerate(path: Path) -> None:
    _transformers(path)
    torch.save(
        {"random_state": (3, (1, 2), None), "numpy_random_seed": np.random.RandomState(0).get_state()},
        path / "random_states_0.pkl",
    )


def _sharded(path: Path) -> None:
    indexed(lambda _: None, path)


def _sharded_binary(path: Path) -> None:
    path.mkdir()
    weights = list(state().items())
    names = [f"pytorch_model-0000{number}-of-00002.bin" for number in (1, 2)]
    for name, items in zip(names, (weights[:4], weights[4:]), strict=True):
        torch.save(dict(items), path / name)
    places = {key: names[number // 4] for number, (key, _) in enumerate(weights)}
    (path / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


CASES = [
    *(Case(f"npz-{name}", "probe", partial(_npz, arrays), "probe", "held_out.npz") for name, arrays in ARRAYS.items()),
    Case("npz-compressed", "probe", _compressed, "probe", "held out.npz"),
    Case("npy", "probe", _npy, "probe", "held_out.npy"),
    *(
        Case(f"pt-{name}", "probe", partial(_pt, content), "probe", "held_out.pt")
        for name, content in {
            "tensor": lambda: torch.from_numpy(IMAGES),
            "pair": lambda: (torch.from_numpy(IMAGES), torch.from_numpy(LABELS)),
            "mapping": lambda: {"images": torch.from_numpy(IMAGES), "labels": torch.from_numpy(LABELS)},
            "bytes": lambda: {"images": torch.from_numpy(BYTES), "labels": torch.from_numpy(LABELS)},
        }.items()
    ),
    Case("h5", "probe", _h5, "probe", "held_out.h5"),
    Case(
        "h5-chunked",
        "probe",
        partial(_h5, chunks=(4, 3, 8, 8), compression="gzip", shuffle=True, fletcher32=True),
        "probe",
        "held_out.hdf5",
    ),
    *(
        Case(f"pictures-{ending}", "probe", partial(_pictures, ending), "probe", "held out")
        for ending in ("png", "jpg", "bmp", "webp", "tiff")
    ),
    Case("pictures-flat", "probe", partial(_pictures, "png", flat=True), "probe", "held_out"),
    Case("csv", "probe", _table, "probe", "held_out.csv"),
    Case("tsv", "probe", partial(_table, delimiter="\t"), "probe", "held_out.tsv"),
    Case("folder-of-transformers", "folder", _transformers, file="checkpoint-10"),
    Case("folder-of-transformers-binary", "folder", partial(_transformers, binary=True), file="checkpoint-10"),
    Case("folder-of-links", "folder", _linked, file="checkpoint-10"),
    Case("folder-of-a-trainer", "folder", _trainer, file="checkpoint-10"),
    Case("folder-of-accelerate", "folder", _accelerate, file="checkpoint_1"),
    Case("folder-in-parts", "folder", _sharded, file="checkpoint-10"),
    Case("folder-in-parts-binary", "folder", _sharded_binary, file="checkpoint-10"),
    Case("folder-distcp", "folder", lambda path: write_distcp(path, {"model": state()}), file="step_10"),
    Case("folder-deepspeed", "folder", lambda path: write_deepspeed(path, state()), file="global_step10"),
]
CASES = [replace(case, ends=(0,)) for case in CASES]
