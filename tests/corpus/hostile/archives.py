"""Zip archives of torch.save that say one thing in one place and another in the next."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import torch

from tests.checkpoints.handmade import mapping
from tests.corpus.case import Case, state
from tests.corpus.hostile.pickles import ATTACKS
from tests.corpus.opcodes import numbers, weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
GIB = 2**30


def saved() -> bytes:
    """A good archive of torch.save."""
    buffer = io.BytesIO()
    torch.save({"state_dict": state()}, buffer)
    return buffer.getvalue()


def patched(mark: bytes, at: int, new: bytes, *, last: bool = True) -> Callable[[Path], None]:
    """Writes a good archive with some bytes after the last (or first) mark replaced."""

    def make(path: Path) -> None:
        raw = bytearray(saved())
        place = (raw.rfind(mark) if last else raw.find(mark)) + at
        raw[place : place + len(new)] = new
        path.write_bytes(raw)

    return make


def rewritten(change: Callable[[dict[str, bytes]], object], how: int = zipfile.ZIP_STORED) -> Callable[[Path], None]:
    """Writes a good archive with its members changed."""

    def make(path: Path) -> None:
        with zipfile.ZipFile(io.BytesIO(saved())) as source:
            members = {name: source.read(name) for name in source.namelist()}
        change(members)
        with zipfile.ZipFile(path, "w", how) as target:
            for name, content in members.items():
                target.writestr(name, content)

    return make


def patched_weights(path: Path) -> None:
    """One bit of a weight is another one; the checksum is what it was."""
    raw, weight = bytearray(saved()), state()["fc1.weight"].numpy().tobytes()
    raw[raw.find(weight) + 3] ^= 64
    path.write_bytes(raw)


def pickle_of(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


GOOD, EVIL = pickle_of(mapping(weights())), pickle_of(ATTACKS["os-system"])


def two_of_one_name(
    first: bytes, second: bytes, *, name: str = "archive/data.pkl", again: str = "archive/data.pkl"
) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import warnings

        with zipfile.ZipFile(path, "w") as target, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            target.writestr(name, first)
            for key, raw in numbers().items():
                target.writestr(f"archive/data/{key}", raw)
            target.writestr("archive/version", "3\n")
            target.writestr(again, second)

    return make


def other_name_in_the_directory(path: Path) -> None:
    """The local header says data.pkl of one content, the directory calls it another."""
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("archive/data.pkl", GOOD)
        target.writestr("archive/evil.pkl", EVIL)
        for key, raw in numbers().items():
            target.writestr(f"archive/data/{key}", raw)
    raw = path.read_bytes()
    start = raw.find(CENTRAL)
    head, tail = raw[:start], raw[start:]
    tail = tail.replace(b"archive/data.pkl", b"archive/xxxx.pkl").replace(b"archive/evil.pkl", b"archive/data.pkl")
    path.write_bytes(head + tail)


def two_ends(path: Path) -> None:
    """A second, evil archive before the good one's end, with an end of its own."""
    evil = io.BytesIO()
    with zipfile.ZipFile(evil, "w") as target:
        target.writestr("archive/data.pkl", EVIL)
    raw = saved()
    end = raw.rfind(END)
    path.write_bytes(raw[:end] + evil.getvalue() + raw[end:])


def end_in_a_comment(path: Path) -> None:
    """The archive's comment holds another archive, which is the last in the file."""
    evil = io.BytesIO()
    with zipfile.ZipFile(evil, "w") as target:
        target.writestr("archive/data.pkl", EVIL)
    raw = bytearray(saved())
    end = raw.rfind(END)
    raw[end + 20 : end + 22] = struct.pack("<H", len(evil.getvalue()))
    path.write_bytes(bytes(raw) + evil.getvalue())


def overlapping(path: Path) -> None:
    """All members are one: each entry of the directory leads to the same bytes."""
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("archive/data.pkl", GOOD)
        for key in range(8):
            target.writestr(f"archive/data/{key}", b"\0" * 4096)
    raw = bytearray(path.read_bytes())
    place, first = raw.find(CENTRAL), None
    while place >= 0:
        if b"archive/data/" in raw[place + 46 : place + 64]:
            first = first or raw[place + 42 : place + 46]
            raw[place + 42 : place + 46] = first
        place = raw.find(CENTRAL, place + 4)
    path.write_bytes(raw)


@functools.cache
def zeros_deflated(size: int) -> tuple[bytes, int]:
    """So many zeros, deflated, and their checksum."""
    block = bytes(2**22)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(block)
    packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # the same each time from here on
    checksum = 0
    for _ in range(size // len(block)):
        checksum = zlib.crc32(block, checksum)
    return again * (size // len(block)) + b"\x03\0", checksum


def add_zeros(path: Path, name: str, size: int = GIB) -> None:
    """Add a member of zeros, deflated, to an archive."""
    packed, checksum = zeros_deflated(size)
    entry = zipfile.ZipInfo(name)
    with zipfile.ZipFile(path, "a") as target:
        target.writestr(entry, packed)
    raw = bytearray(path.read_bytes())
    local, central = entry.header_offset, raw.rfind(CENTRAL)
    for place in (local + 8, central + 10):
        raw[place : place + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
    for place in (local + 14, central + 16):
        raw[place : place + 12] = struct.pack("<III", checksum, len(packed), size)
    path.write_bytes(raw)


def deflated(member: str) -> Callable[[Path], None]:
    """A member of zeros without end, deflated."""

    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as target:
            target.writestr("archive/data.pkl", GOOD)
            for key, raw in numbers().items():
                if f"data/{key}" != member:
                    target.writestr(f"archive/data/{key}", raw)
        add_zeros(path, f"archive/{member}")

    return make


def patched_bomb(source: Callable[[], bytes], name: str, path: Path) -> None:
    """An archive with such a member beside its own."""
    path.write_bytes(source())
    add_zeros(path, name)


def many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("archive/data.pkl", GOOD)
        for number in range(20_000):
            target.writestr(f"archive/data/{number}", b"")


def padded_front(path: Path) -> None:
    """A pickle that runs code before the archive: who reads from the front takes that."""
    path.write_bytes(EVIL + saved())


def padded_end(path: Path) -> None:
    path.write_bytes(saved() + EVIL + b"\0" * 100_000)


def cut(share: float) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        raw = saved()
        path.write_bytes(raw[: int(len(raw) * share)])

    return make


def nothing_but_the_end(path: Path) -> None:
    path.write_bytes(END + b"\0" * 18)


def named(*names: str) -> Callable[[Path], None]:
    """A good archive with members of further names."""
    return rewritten(lambda members: members.update(dict.fromkeys(names, b"x")))


def without(part: str) -> Callable[[Path], None]:
    return rewritten(lambda members: [members.pop(name) for name in list(members) if name.endswith(part)])


def with_member(part: str, content: bytes) -> Callable[[Path], None]:
    return rewritten(lambda members: members.update({name: content for name in members if name.endswith(part)}))


def not_utf_8(path: Path) -> None:
    rewritten(lambda members: members.update({"archive/data/9\u00e9\u00e9": b"x"}))(path)
    path.write_bytes(path.read_bytes().replace("9\u00e9\u00e9".encode(), b"9\xff\xfe\xc3\x28"))


MAY_BE_READ = (0, 2)
CASES = [
    Case("zip-crc-wrong", "torch zip", patched(CENTRAL, 16, b"\xde\xad\xbe\xef", last=False)),
    Case("zip-crc-wrong-of-weights", "torch zip", patched_weights),
    Case("zip-size-wrong", "torch zip", patched(CENTRAL, 24, b"\x00\x01\x00\x00", last=False)),
    Case("zip-size-of-4-gib", "torch zip", patched(CENTRAL, 20, b"\xf0\xff\xff\xff" * 2, last=False)),
    Case("zip-offset-beyond", "torch zip", patched(CENTRAL, 42, b"\xf0\xff\xff\x7f", last=False)),
    Case("zip-directory-beyond", "torch zip", patched(END, 16, b"\xf0\xff\xff\x7f"), ends=MAY_BE_READ),
    Case("zip-directory-of-4-gib", "torch zip", patched(END, 12, b"\xf0\xff\xff\xff"), ends=MAY_BE_READ),
    Case("zip-count-wrong", "torch zip", patched(END, 8, b"\xff\x7f\xff\x7f"), ends=MAY_BE_READ),
    Case("zip-several-disks", "torch zip", patched(END, 4, b"\x05\x00\x05\x00"), ends=MAY_BE_READ),
    Case("zip-version-25-5", "torch zip", patched(CENTRAL, 6, b"\xff\x00")),
    Case("zip-encrypted", "torch zip", patched(CENTRAL, 8, b"\x01\x00", last=False)),
    Case("zip-encrypted-weights", "torch zip", patched(CENTRAL, 8, b"\x09\x08")),
    Case("zip-descriptor-flag", "torch zip", patched(LOCAL, 6, b"\x08\x00", last=False), ends=MAY_BE_READ),
    Case("zip-method-unknown", "torch zip", patched(CENTRAL, 10, b"\x63\x00", last=False)),
    Case("zip-method-of-another-member", "torch zip", patched(CENTRAL, 10, b"\x0e\x00")),
    Case("zip-said-to-be-deflated", "torch zip", patched(CENTRAL, 10, b"\x08\x00", last=False)),
    Case("zip-local-method-differs", "torch zip", patched(LOCAL, 8, b"\x08\x00", last=False), ends=MAY_BE_READ),
    Case("zip-local-name-differs", "torch zip", patched(b"data.pkl", 0, b"evil.pkl", last=False)),
    Case("zip-local-name-long", "torch zip", patched(LOCAL, 26, b"\xff\xff", last=False)),
    Case("zip-names-not-utf-8", "torch zip", not_utf_8, ends=MAY_BE_READ),
    Case("zip-two-pickles-good-then-evil", "torch zip", two_of_one_name(GOOD, EVIL)),
    Case("zip-two-pickles-evil-then-good", "torch zip", two_of_one_name(EVIL, GOOD)),
    Case(
        "zip-two-pickles-of-other-case",
        "torch zip",
        two_of_one_name(GOOD, EVIL, again="archive/DATA.PKL"),
        ends=MAY_BE_READ,
    ),
    Case(
        "zip-two-pickles-of-two-folders",
        "torch zip",
        two_of_one_name(GOOD, EVIL, again="other/data.pkl"),
        ends=MAY_BE_READ,
    ),
    Case(
        "zip-two-pickles-with-a-slash",
        "torch zip",
        two_of_one_name(GOOD, EVIL, again="archive\\data.pkl"),
        ends=MAY_BE_READ,
    ),
    Case("zip-two-weights-of-one-name", "torch zip", two_of_one_name(GOOD, bytes(432), again="archive/data/0")),
    Case("zip-other-name-in-the-directory", "torch zip", other_name_in_the_directory),
    Case("zip-two-ends", "torch zip", two_ends),
    Case("zip-end-in-a-comment", "torch zip", end_in_a_comment),
    Case("zip-overlapping", "torch zip", overlapping),
    Case("zip-deflated-weights", "torch zip", deflated("data/0")),
    Case("zip-deflated-beside", "torch zip", deflated("data/99"), ends=MAY_BE_READ),
    Case("zip-deflated-pickle", "torch zip", deflated("more.pkl"), ends=MAY_BE_READ),
    Case("zip-deflated-version", "torch zip", deflated(".data/serialization_id"), ends=MAY_BE_READ),
    Case("zip-many-members", "torch zip", many_members),
    Case("zip-pickle-before", "torch zip", padded_front, ends=MAY_BE_READ),
    Case("zip-pickle-behind", "torch zip", padded_end, ends=MAY_BE_READ),
    Case("zip-half", "torch zip", cut(0.5)),
    Case("zip-without-its-end", "torch zip", cut(0.98)),
    Case("zip-first-bytes", "torch zip", cut(0.01)),
    Case("zip-end-alone", "torch zip", nothing_but_the_end),
    Case("zip-names-lead-out", "torch zip", named("../../elsewhere/x", "/etc/x", "archive/../../x"), ends=MAY_BE_READ),
    Case(
        "zip-names-of-escapes", "torch zip", named("archive/\x1b[31m\n::error::x", "archive/<script>"), ends=MAY_BE_READ
    ),
    Case("zip-name-long", "torch zip", named("archive/" + "x" * 60_000), ends=MAY_BE_READ),
    Case("zip-without-weights", "torch zip", without("data/3")),
    Case("zip-without-pickle", "torch zip", without("data.pkl")),
    Case("zip-weights-empty", "torch zip", with_member("data/0", b"")),
    Case("zip-weights-short", "torch zip", with_member("data/0", b"\0" * 100)),
    Case("zip-pickle-empty", "torch zip", with_member("data.pkl", b"")),
    Case("zip-pickle-of-nulls", "torch zip", with_member("data.pkl", bytes(5000))),
    Case("zip-big-endian", "torch zip", with_member("byteorder", b"big"), ends=MAY_BE_READ),
    Case("zip-byte-order-unknown", "torch zip", with_member("byteorder", b"\x1b[31mmiddle"), ends=MAY_BE_READ),
    Case("zip-version-of-text", "torch zip", with_member("version", b"9" * 100_000), ends=MAY_BE_READ),
]
