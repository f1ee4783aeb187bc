from __future__ import annotations

import contextlib
import io
import json
import random
import struct
import zipfile
from copy import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.integrity import check_archive
from rfav_cli.checkpoints.pickles import load_pickle
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import state, write_exported, write_scripted, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")

WRITE: dict[str, Callable[[Path], object]] = {
    "net.pt": lambda path: write_zip(path, {"state_dict": state(), "epoch": 3}),
    "net.ts": write_scripted,
    "net.pt2": write_exported,
}


def read(path: Path) -> Any:
    return formats.read(path, ReadOptions())


def members(path: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info for info in archive.infolist()}


def rewrite(path: Path, change: Callable[[str, bytes], bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """The archive with other contents, and checksums that are right."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, change(name, content))


def directory_of(path: Path) -> int:
    """Where the list of an archive's members begins."""
    with zipfile.ZipFile(path) as archive:
        return archive.start_dir


def flip_a_bit(path: Path, member: str) -> None:
    """Change one bit in the middle of a member, and leave its checksum."""
    info = members(path)[member]
    raw = bytearray(path.read_bytes())
    header = info.header_offset
    lengths = [int.from_bytes(raw[header + at : header + at + 2], "little") for at in (26, 28)]
    raw[header + 30 + sum(lengths) + info.compress_size // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("name", WRITE)
def test_what_torch_wrote_passes(name: str, tmp_path: Path) -> None:
    WRITE[name](tmp_path / name)
    check_archive(tmp_path / name)
    rewrite(tmp_path / name, lambda _, content: content, zipfile.ZIP_DEFLATED)
    check_archive(tmp_path / name)


@pytest.mark.parametrize("name", WRITE)
def test_one_bit_of_any_weight_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITE[name](path)
    whole = path.read_bytes()
    weights = [n for n, info in members(path).items() if "/data/" in n and "json" not in n and info.file_size > 8]
    assert weights
    for member in weights:
        path.write_bytes(whole)
        flip_a_bit(path, member)
        with pytest.raises(CheckpointError) as caught:
            read(path)
        assert caught.value.what == f"{path}: damaged: the checksum of {member!r} is wrong"


def test_a_member_that_no_longer_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    WRITE["net.pt"](path)
    rewrite(path, lambda _, content: content, zipfile.ZIP_DEFLATED)
    check_archive(path)
    flip_a_bit(path, "net/data/0")
    with pytest.raises(CheckpointError, match=r"net\.pt: damaged: the checksum of 'net/data/0' is wrong"):
        check_archive(path)


def test_archives_that_were_written_without_checksums(tmp_path: Path) -> None:
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        WRITE["net.pt"](tmp_path / "net.pt")
    finally:
        torch.serialization.set_crc32_options(before)
    assert not any(info.CRC for info in members(tmp_path / "net.pt").values())
    assert read(tmp_path / "net.pt").epoch == 3


@pytest.mark.parametrize("name", WRITE)
@pytest.mark.parametrize("keep", [0, 4, -4])
def test_a_storage_that_is_smaller_than_its_tensor(name: str, keep: int, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITE[name](path)
    weight = "/weights/weight_0" if name == "net.pt2" else "/data/0"

    def cut(member: str, content: bytes) -> bytes:
        return content[:keep] if member.endswith(weight) else content

    rewrite(path, cut)
    with pytest.raises(CheckpointError, match=rf"{weight}' has \d+ bytes, its tensor needs \d+"):
        read(path)


def test_constants_of_torchscript_are_held_against_their_size(tmp_path: Path) -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.arange(50.0)

    path = tmp_path / "net.ts"
    torch.jit.save(torch.jit.freeze(torch.jit.trace(Constant(), torch.ones(50)).eval()), str(path))
    assert any("/constants/" in name for name in members(path))
    check_archive(path)
    rewrite(path, lambda name, content: content[:-4] if "/constants/" in name else content)
    with pytest.raises(CheckpointError, match=r"/constants/0' has 196 bytes, its tensor needs 200"):
        check_archive(path)


def test_an_archive_within_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    write_exported(path)

    def damage(name: str, content: bytes) -> bytes:
        if not name.endswith("sample_inputs/model.pt"):
            return content
        (tmp_path / "inner.pt").write_bytes(content)
        flip_a_bit(tmp_path / "inner.pt", next(n for n in members(tmp_path / "inner.pt") if n.endswith("data/0")))
        return (tmp_path / "inner.pt").read_bytes()

    rewrite(path, damage)
    with pytest.raises(CheckpointError, match="the checksum of"):
        read(path)


def test_views_share_a_storage_that_is_large_enough(tmp_path: Path) -> None:
    base = torch.arange(20.0)
    views = {"a": base[4:12].view(2, 4), "b": base[::2], "c": base.view(4, 5).T, "d": torch.zeros(0), "e": base.half()}
    torch.save(views, tmp_path / "net.pt")
    check_archive(tmp_path / "net.pt")
    assert set(read(tmp_path / "net.pt").content[0].weights) == set(views)


@pytest.mark.filterwarnings("ignore:No complete tensor found")
def test_an_exported_program_with_expanded_and_empty_weights(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("expanded", torch.ones(3, 1).expand(3, 4))
            self.register_buffer("empty", torch.zeros(0, 4))
            self.weight = nn.Parameter(torch.ones(5, 4)[1:4])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.expanded * self.weight + self.empty.sum()

    torch.export.save(torch.export.export(Odd(), (torch.ones(3, 4),)), tmp_path / "net.pt2")
    check_archive(tmp_path / "net.pt2")


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02.", b"\x80\x02}q\x00(X\x01\x00\x00\x00a", b"\x80\x02cos\nsystem\n("]
)
def test_a_damaged_pickle_is_no_crash(content: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr("net/data.pkl", content)
    with pytest.raises(CheckpointError, match=r"net\.pt: damaged"):
        check_archive(tmp_path / "net.pt")


def test_nothing_that_a_pickle_names_is_made(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr(
            "net/data.pkl",
            b"\x80\x02cos\nmkdir\n(X" + len(str(marker)).to_bytes(4, "little") + str(marker).encode() + b"tR.",
        )
    check_archive(tmp_path / "net.pt")
    assert not marker.exists()


def test_a_config_that_is_none_is_left_to_torch(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    for content in ("[]", "{", json.dumps({"config": {"w": {"path_name": "w", "tensor_meta": {"sizes": 3}}}})):
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("net/data/weights/model_weights_config.json", content)
        check_archive(tmp_path / "net.pt2", buffer)


def test_no_damage_is_a_crash(tmp_path: Path) -> None:
    rng = random.Random(0)
    for name, write in WRITE.items():
        write(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        directory = directory_of(tmp_path / name)
        for _ in range(300):
            raw = bytearray(whole)
            raw[rng.randrange(directory, len(raw))] = rng.choice([0, 255, rng.randrange(256)])
            with contextlib.suppress(CheckpointError):
                check_archive(tmp_path / name, io.BytesIO(raw))


@pytest.mark.parametrize("name", WRITE)
def test_a_name_that_is_no_text_and_a_password(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITE[name](path)
    whole, directory = path.read_bytes(), directory_of(path)
    for changes, said in (({46: 0xFF, 9: 8}, "utf-8"), ({8: 1}, "password")):  # a letter of a name in UTF-8; encrypted
        raw = bytearray(whole)
        for at, value in changes.items():
            raw[directory + at] = value
        path.write_bytes(raw)
        with pytest.raises(CheckpointError, match=rf"(?s){name}.*damaged or cut off: .*{said}"):
            check_archive(path)


def test_a_stored_member_of_two_sizes(tmp_path: Path) -> None:
    WRITE["net.pt"](tmp_path / "net.pt")
    raw = bytearray((tmp_path / "net.pt").read_bytes())
    raw[directory_of(tmp_path / "net.pt") + 24] ^= 1
    with pytest.raises(CheckpointError, match=r"net\.pt: damaged: 'net/data\.pkl' is said to have two sizes"):
        check_archive(tmp_path / "net.pt", io.BytesIO(raw))


def test_a_compression_that_torch_does_not_know(tmp_path: Path) -> None:
    WRITE["net.pt"](tmp_path / "net.pt")
    rewrite(tmp_path / "net.pt", lambda _, content: content, zipfile.ZIP_BZIP2)
    with pytest.raises(CheckpointError, match="compressed in a way that torch does not know"):
        read(tmp_path / "net.pt")


@pytest.mark.parametrize("name", ["net.pt", "net.ts"])
def test_an_archive_that_unpacks_to_far_more(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    WRITE[name](path)
    rewrite(path, lambda member, content: bytes(10**6) if "/data/" in member else content, zipfile.ZIP_DEFLATED)
    monkeypatch.setattr("rfav_cli.checkpoints.zips._MUCH", 10**5)
    with pytest.raises(CheckpointError, match=rf"{name}: refused, its [\d,]+ bytes unpack to [\d,]+"):
        read(path)


STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
DOUBLED = b")" + b"q\x00h\x00\x86" * 60
"""A pair of pairs of pairs: a few bytes, whose hash and text take longer than anybody has."""
TIRESOME = {
    "a key of a dictionary": b"\x80\x02}" + DOUBLED + b"K\x01s.",
    "keys of a dictionary": b"\x80\x02}(" + DOUBLED + b"K\x01u.",
    "a set": b"\x80\x04\x8f(" + DOUBLED + b"\x90.",
    "a frozen set": b"\x80\x04(" + DOUBLED + b"\x91.",
    "a deep key": b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s.",
}
REFUSED = {
    "a storage's key": b"\x80\x02" + STORAGE + DOUBLED + b"X\x03\x00\x00\x00cpuK\x01tQ.",
    "a bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
    "a text": b"\x80\x04\x8d" + struct.pack("<Q", 2**50) + b".",
    "a frame": b"\x80\x04\x95" + struct.pack("<Q", 2**50) + b".",
    "a count of thousands of digits": b"\x80\x02"
    + STORAGE
    + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpu\x8b"
    + struct.pack("<i", 20_000)
    + b"\x7f" * 20_000
    + b"tQ.",
    "an extension": b"\x80\x02\x82\x01.",
    "marks": b"\x80\x02" + b"(" * 10**6 + b".",
}


@pytest.mark.parametrize("what", [*TIRESOME, *REFUSED])
def test_no_pickle_takes_the_time_or_the_memory(what: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr("net/data.pkl", (TIRESOME | REFUSED)[what])
    if what in TIRESOME:
        check_archive(tmp_path / "net.pt")
    else:
        with pytest.raises(CheckpointError, match=r"net\.pt: damaged, or not written by torch"):
            check_archive(tmp_path / "net.pt")


def test_a_pickle_that_unpacks_to_far_more(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02](" + b"}" * 2**23 + b"e.")
    for look in (check_archive, lambda path: load_pickle(path, trust=False)):
        with pytest.raises(CheckpointError, match=r"'net/data.pkl' unpacks to 8,388,614 bytes"):
            look(path)


def test_a_member_that_begins_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\5\6") + 16
    offset = int.from_bytes(content[end : end + 4], "little") + 1
    content[end : end + 4] = offset.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"'net/data.pkl' is said to begin before it"):
        check_archive(path)


def test_one_part_of_a_file_is_not_many_members(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/data/0", bytes(10**6))
        for number in range(2, 9):
            again = copy(archive.getinfo("net/data/0"))
            again.filename = f"net/data/{number}"
            archive.filelist.append(again)
            archive.NameToInfo[again.filename] = again
    for look in (check_archive, lambda path: load_pickle(path, trust=False)):
        with pytest.raises(CheckpointError, match="parts of it are several members"):
            look(path)


def test_a_config_without_bounds(tmp_path: Path) -> None:
    meta = '{"sizes": [{"as_int": 1e999}], "strides": [{"as_int": 1}], "storage_offset": {"as_int": 0}, "dtype": 7}'
    buffer = io.BytesIO()
    for content in ("[" * 200_000, f'{{"config": {{"w": {{"path_name": "w", "tensor_meta": {meta}}}}}}}'):
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("net/data/weights/model_weights_config.json", content)
        check_archive(tmp_path / "net.pt2", buffer)
