"""Checkpoints that are folders: indexes and metadata that lead out of them, or lie."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from tests.corpus.case import Case, state
from tests.corpus.hostile.pickles import ATTACKS, FOREIGN
from tests.corpus.opcodes import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INDEX = "model.safetensors.index.json"
PARTS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def sharded(path: Path) -> dict[str, str]:
    """Weights in two files without an index; gives name -> file."""
    path.mkdir()
    weights = list(state().items())
    for part, items in zip(PARTS, (weights[:4], weights[4:]), strict=True):
        save_file(dict(items), path / part, metadata={"format": "pt"})
    (path / "config.json").write_text("{}")
    return {name: PARTS[number // 4] for number, (name, _) in enumerate(weights)}


def indexed(change: Callable[[dict[str, Any]], object], path: Path) -> None:
    document = {"metadata": {"total_size": 1}, "weight_map": sharded(path)}
    change(document)
    (path / INDEX).write_text(json.dumps(document), encoding="utf-8", errors="surrogateescape")


def index_of(content: bytes, path: Path) -> None:
    sharded(path)
    (path / INDEX).write_bytes(content)


def to(place: str) -> Callable[[Path], None]:
    return partial(indexed, lambda document: document["weight_map"].update({"fc2.bias": place}))


def linked(target: str, path: Path) -> None:
    """A part is a link."""
    indexed(lambda _: None, path)
    (path / PARTS[1]).unlink()
    (path / PARTS[1]).symlink_to(target)


def without_a_part(path: Path) -> None:
    indexed(lambda _: None, path)
    (path / PARTS[1]).unlink()


def whole_is(content: bytes, name: str, path: Path) -> None:
    path.mkdir()
    (path / name).write_bytes(content)
    (path / "config.json").write_text("{}")


def bin_of(value: bytes, path: Path) -> None:
    path.mkdir()
    archive(path / "pytorch_model.bin", value)
    (path / "config.json").write_text("{}")


def beside(name: str, content: bytes, path: Path) -> None:
    """Good weights, with another file beside them."""
    path.mkdir()
    save_file(state(), path / "model.safetensors", metadata={"format": "pt"})
    (path / "config.json").write_text("{}")
    (path / name).write_bytes(content)


def distributed(change: Callable[[Path], object], path: Path) -> None:
    """What torch.distributed.checkpoint writes, changed."""
    from tests.checkpoints.formats.files import write_distcp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_distcp(path, {"model": state()})
    change(path)


def placed(**parts: Any) -> Callable[[Path], None]:
    """The metadata with other places of the pieces."""

    def change(path: Path) -> None:
        metadata = pickle.loads((path / ".metadata").read_bytes())
        first = next(iter(metadata.storage_data))
        for name, value in parts.items():
            object.__setattr__(metadata.storage_data[first], name, value)
        (path / ".metadata").write_bytes(pickle.dumps(metadata))

    return change


def sized(*shape: int) -> Callable[[Path], None]:
    """The metadata with another shape of each tensor and of its pieces."""

    def change(path: Path) -> None:
        metadata = pickle.loads((path / ".metadata").read_bytes())
        for entry in metadata.state_dict_metadata.values():
            entry.size = torch.Size(shape)
        (path / ".metadata").write_bytes(pickle.dumps(metadata))

    return change


def metadata_of(value: bytes) -> Callable[[Path], object]:
    return lambda path: (path / ".metadata").write_bytes(b"\x80\x02" + value + b".")


def deepspeed(change: Callable[[Path], object], path: Path) -> None:
    from tests.checkpoints.formats.files import write_deepspeed

    write_deepspeed(path / "global_step1", state())
    (path / "latest").write_text("global_step1")
    change(path)


def _folder(
    name: str, make: Callable[[Path], object], ends: tuple[int, ...] = (2,), says: tuple[str, ...] = ()
) -> Case:
    return Case(f"folder-{name}", "folder", make, file="step_1", ends=ends, says=says)


OUT = {
    "out": "../../elsewhere/secret_1.pt",
    "one-up": "../good_1.pt",
    "absolute": "/etc/hostname",
    "home": "~/x.safetensors",
    "through-itself": "../step_1/../../elsewhere/secret_1.pt",
    "backslashes": "..\\..\\elsewhere\\secret_1.pt",
    "null": "model\0.safetensors",
    "address": "https://127.0.0.1:9/x.safetensors",
    "file-address": "file:///etc/hostname",
    "escapes": "\x1b[31m\n::error::",
    "long": "x" * 10_000,
    "empty": "",
    "dot": ".",
    "device": "/dev/zero",
    "config": "config.json",
    "absent": "model-00003-of-00002.safetensors",
}
CASES = [
    *(_folder(f"index-leads-{name}", to(place)) for name, place in OUT.items()),
    _folder("index-a-list", partial(indexed, lambda document: document.update(weight_map=[1]))),
    _folder("index-of-numbers", partial(indexed, lambda document: document["weight_map"].update({"fc2.bias": 5}))),
    _folder("index-of-lists", partial(indexed, lambda document: document["weight_map"].update({"fc2.bias": ["x"]}))),
    _folder("index-without-map", partial(indexed, lambda document: document.pop("weight_map"))),
    _folder("index-of-more", partial(indexed, lambda document: document["weight_map"].update({"fc3.bias": PARTS[0]}))),
    _folder(
        "index-of-another-part",
        partial(indexed, lambda document: document["weight_map"].update({"fc2.bias": PARTS[0]})),
    ),
    _folder("index-empty", partial(index_of, b"")),
    _folder("index-no-json", partial(index_of, b"{'a': 1}")),
    _folder("index-deep", partial(index_of, b"[" * 200_000)),
    _folder("index-not-utf-8", partial(index_of, b'{"weight_map": {"\xff": "\xfe"}}')),
    _folder("index-long-number", partial(index_of, b'{"metadata": ' + b"9" * 100_000 + b', "weight_map": {}}')),
    _folder("part-absent", without_a_part),
    _folder("part-a-link-to-etc", partial(linked, "/etc/hostname")),
    _folder("part-a-link-to-itself", partial(linked, PARTS[1])),
    _folder("part-a-device", partial(linked, "/dev/zero")),
    _folder("bin-os-system", partial(bin_of, ATTACKS["os-system"])),
    _folder("bin-torch-load", partial(bin_of, FOREIGN["torch-load"])),
    _folder("whole-empty", partial(whole_is, b"", "model.safetensors")),
    _folder(
        "whole-text",
        partial(whole_is, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "model.safetensors"),
    ),
    _folder("whole-a-pickle", partial(whole_is, b"\x80\x02" + ATTACKS["os-system"] + b".", "model.safetensors")),
    _folder("adapter-alone", partial(whole_is, b"", "adapter_model.safetensors")),
    _folder("trainer-state-deep", partial(beside, "trainer_state.json", b"[" * 200_000), (0, 2)),
    _folder("trainer-state-nan", partial(beside, "trainer_state.json", b'{"epoch": NaN}'), (0, 2)),
    _folder(
        "trainer-state-huge",
        partial(beside, "trainer_state.json", b'{"epoch": 1e999, "global_step": ' + b"9" * 10_000 + b"}"),
        (0, 2),
    ),
    _folder("trainer-state-escapes", partial(beside, "trainer_state.json", b'{"epoch": "\\u001b[31m"}'), (0, 2)),
    _folder(
        "training-arguments", partial(beside, "training_args.bin", b"\x80\x02" + ATTACKS["os-system"] + b"."), (0, 2)
    ),
    _folder("python-beside", partial(beside, "modeling_evil.py", b"open('CANARY', 'w')"), (0, 2)),
    *(
        _folder(f"distcp-metadata-{name}", partial(distributed, metadata_of(ATTACKS[name])))
        for name in ("os-system", "builtins-eval", "subprocess-popen")
    ),
    _folder("distcp-metadata-torch-load", partial(distributed, metadata_of(FOREIGN["torch-load"]))),
    _folder("distcp-metadata-empty", partial(distributed, lambda path: (path / ".metadata").write_bytes(b""))),
    _folder(
        "distcp-metadata-half",
        partial(distributed, lambda path: (path / ".metadata").write_bytes((path / ".metadata").read_bytes()[:200])),
    ),
    _folder("distcp-leads-out", partial(distributed, placed(relative_path="../../elsewhere/secret_1.pt"))),
    _folder("distcp-leads-to-etc", partial(distributed, placed(relative_path="/etc/hostname"))),
    _folder("distcp-offset-beyond", partial(distributed, placed(offset=2**40))),
    _folder("distcp-offset-negative", partial(distributed, placed(offset=-100))),
    _folder("distcp-length-huge", partial(distributed, placed(length=2**40))),
    _folder("distcp-length-negative", partial(distributed, placed(length=-1))),
    _folder("distcp-shape-of-8-tib", partial(distributed, sized(2**41))),
    _folder("distcp-shape-negative", partial(distributed, sized(-3))),
    _folder("distcp-shape-product-wraps", partial(distributed, sized(2**32, 2**32))),
    _folder(
        "distcp-part-evil",
        partial(
            distributed, lambda path: (path / "__0_0.distcp").write_bytes(b"\x80\x02" + ATTACKS["os-system"] + b".")
        ),
    ),
    _folder("distcp-part-absent", partial(distributed, lambda path: (path / "__0_0.distcp").unlink())),
    _folder(
        "deepspeed-evil",
        partial(
            deepspeed, lambda path: archive(path / "global_step1/mp_rank_00_model_states.pt", ATTACKS["os-system"])
        ),
    ),
    _folder(
        "deepspeed-latest-leads-out",
        partial(
            deepspeed,
            lambda path: ((path / "latest").write_text("../../elsewhere"), shutil.rmtree(path / "global_step1")),
        ),
    ),
]
