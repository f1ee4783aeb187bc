"""Files that are named as what they are, and not looked into: other formats of nets, and what lies beside nets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspection.base import Look, Source

WHAT = "another file"

_NETS = (
    (0, b"GGUF", "a GGUF net"),
    (0, b"ggml", "a GGML net"),
    (4, b"TFL3", "a TensorFlow Lite net"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"BZh", "a bzip2 file"),
    (0, b"\xfd7zXZ\x00", "an xz file"),
    (0, b"7z\xbc\xaf'\x1c", "a 7z archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd file"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x7fELF", "a program for this machine"),
    (0, b"MZ", "a program for Windows"),
    (0, b"PK\x05\x06", "an empty zip archive"),
)
"""(place, bytes there, what it is) of what may hold weights or code, which nothing here looks through."""
_OTHERS = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"BM", "a BMP image"),
    (0, b"II*\x00", "a TIFF image"),
    (0, b"MM\x00*", "a TIFF image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"SQLite format 3\x00", "an SQLite database"),
    (0, b"PAR1", "a Parquet table"),
    (0, b"%PDF", "a PDF document"),
)
"""The same of what no reader of checkpoints takes."""
_ONNX_FIELDS = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42)
_LFS = b"version https://git-lfs.github.com/spec/"
_EVENT_FILE = (b"brain.Event:", 24)


def recognises(source: Source) -> bool:
    """Whether it is any file that can be named."""
    return source.size == 0 or bool(_named(source)) or _is_text(source)


def inspect(source: Source, look: Look) -> None:
    """Name it; where a checkpoint is to be there, or where nets may be in it, that is a finding."""
    look.readable = False
    name = _named(source)
    if name and any(name == other for _, _, other in (*_NETS, (0, b"", "an ONNX net"))):
        look.why_not = f"{name}, which rfav does not read"
        look.say("kind", name)
        look.find("incomplete", f"{name}, which is not looked through")
        return
    if source.head.startswith(_LFS):
        name = "the pointer of Git LFS to a file that is not here; `git lfs pull` brings it"
    name = name or ("an empty file" if source.size == 0 else "text")
    look.say("kind", name)
    look.why_not = f"{name}, no checkpoint"
    if source.expected:
        look.find("refused", look.why_not)


def _named(source: Source) -> str:
    head = source.head
    found = next((name for place, magic, name in (*_NETS, *_OTHERS) if head[place:].startswith(magic)), "")
    if not found and len(head) > 2 and head[0] == 8 and 0 < head[1] < 32 and head[2] in _ONNX_FIELDS:
        return "an ONNX net"
    marker, place = _EVENT_FILE
    return found or ("an event file of TensorBoard" if marker in head[: place + len(marker)] else "")


def _is_text(source: Source) -> bool:
    """Whether the beginning is text of people; what follows is not looked at."""
    try:
        text = source.head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(source.head) - 3 or source.size <= len(source.head):
            return False
        text = source.head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\t\n\r\f" for character in text)
