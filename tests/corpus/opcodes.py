"""Pickles put together by hand, with the weights of the net in them or beside them."""

from __future__ import annotations

import pickle
import struct
import zipfile
from typing import TYPE_CHECKING

from tests.checkpoints.handmade import call, claim, mapping, name, several, text, whole
from tests.corpus.case import state

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ORDERED = name("collections.OrderedDict") + b")R"
NONE, TRUE, FALSE, EMPTY = b"N", b"\x88", b"\x89", b")"


def rebuilt(key: str, count: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """A tensor of float32, as torch writes it."""
    storage = claim(whole(count), key=text(key))
    sizes = (several(*map(whole, numbers)) for numbers in (shape, stride))
    return call("torch._utils._rebuild_tensor_v2", storage, whole(offset), *sizes, FALSE, ORDERED)


def weights(changed: Mapping[str, bytes] = {}) -> dict[str, bytes]:
    """Name -> the pickle of each weight of the net, some of them in another way."""
    made = {
        key: rebuilt(str(number), value.numel(), tuple(value.shape), value.stride())
        for number, (key, value) in enumerate(state().items())
    }
    return made | dict(changed)


def numbers() -> dict[str, bytes]:
    """Key -> bytes of each storage of `weights`."""
    return {str(number): value.numpy().tobytes() for number, value in enumerate(state().values())}


def archive(
    path: Path, body: bytes, protocol: int = 2, data: Mapping[str, bytes] | None = None, *, framed: bool = False
) -> None:
    """What torch.save writes, with a pickle of one's own; with the storages of the net unless others are given."""
    framing = b"\x95" + struct.pack("<Q", len(body) + 1) if framed else b""
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("archive/data.pkl", bytes([0x80, protocol]) + framing + body + b".")
        target.writestr("archive/byteorder", "little")
        for key, raw in (numbers() if data is None else data).items():
            target.writestr(f"archive/data/{key}", raw)
        target.writestr("archive/version", "3\n")


def beside(path: Path, value: bytes, protocol: int = 2) -> None:
    """An archive of {"state_dict": the weights, "more": a value}."""
    archive(path, mapping({"state_dict": mapping(weights()), "more": value}), protocol)


def bare(path: Path, value: bytes, protocol: int = 2) -> None:
    """A pickle that lies in no archive."""
    path.write_bytes(bytes([0x80, protocol]) + value + b".")


def legacy(path: Path, body: bytes, head: Mapping[int, bytes] = {}, keys: bytes | None = None) -> None:
    """The format before archives: five pickles, then the storages; `head` replaces some of the pickles."""
    named = b"](" + b"".join(map(text, numbers())) + b"e"
    parts = [pickle.dumps(part, 2)[2:-1] for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    parts += [body, named if keys is None else keys]
    pickles = [b"\x80\x02" + head.get(place, part) + b"." for place, part in enumerate(parts)]
    storages = [struct.pack("<q", len(raw) // 4) + raw for raw in numbers().values()]
    path.write_bytes(b"".join(pickles + storages))


def legacy_weights() -> bytes:
    """The weights as the older format has them: each storage with a place for a view."""
    return mapping(
        {
            key: call(
                "torch._utils._rebuild_tensor_v2",
                claim(whole(value.numel()), key=text(str(number)), more=(NONE,)),
                whole(0),
                several(*map(whole, value.shape)),
                several(*map(whole, value.stride())),
                FALSE,
                ORDERED,
            )
            for number, (key, value) in enumerate(state().items())
        }
    )


def legacy_beside(path: Path, value: bytes) -> None:
    legacy(path, mapping({"state_dict": legacy_weights(), "more": value}))


def stacked(module: str, inner: str) -> bytes:
    """STACK_GLOBAL: a name of two strings on the stack."""
    return text(module) + text(inner) + b"\x93"
