"""Files that are named as what they are, and not looked into: other formats of nets, and what lies beside nets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "other file"

_NETS = (
    (0, b"GGUF", "GGUF net"),
    (0, b"ggml", "GGML net"),
    (4, b"TFL3", "TensorFlow Lite net"),
    (0, b"\x1f\x8b", "gzip file"),
    (0, b"BZh", "bzip2 file"),
    (0, b"\xfd7zXZ\x00", "xz file"),
    (0, b"7z\xbc\xaf'\x1c", "7z archive"),
    (0, b"\x28\xb5\x2f\xfd", "zstd file"),
    (257, b"ustar", "tar archive"),
    (0, b"\x7fELF", "program for this machine"),
    (0, b"MZ", "program for Windows"),
    (0, b"PK\x05\x06", "empty zip archive"),
)
"""(place, bytes there, what it is) of what may hold weights or code, which nothing here looks through."""
_OTHERS = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF8", "GIF image"),
    (0, b"BM", "BMP image"),
    (0, b"II*\x00", "TIFF image"),
    (0, b"MM\x00*", "TIFF image"),
    (8, b"WEBP", "WebP image"),
    (0, b"SQLite format 3\x00", "SQLite database"),
    (0, b"PAR1", "Parquet table"),
    (0, b"%PDF", "PDF document"),
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
    if name and any(name == other for _, _, other in (*_NETS, (0, b"", "ONNX net"))):
        look.why_not = f"{article(name)}, which rfav does not read"
        look.say("kind", name)
        look.find("incomplete", f"{article(name)}, which is not looked through")
        return
    if source.head.startswith(_LFS):
        name = "Git LFS pointer"
    name = name or ("empty file" if source.size == 0 else "text file")
    look.say("kind", name)
    look.why_not = f"{article(name)}, no checkpoint"
    if source.expected:
        look.find("refused", look.why_not)


def article(name: str) -> str:
    """A name with its article.

    >>> article("ONNX net"), article("text file")
    ('an ONNX net', 'a text file')
    """
    return f"{'an' if name[0] in 'aeioAEIO' or name.startswith(('SQL', 'xz')) else 'a'} {name}"


def _named(source: Source) -> str:
    head = source.head
    found = next((name for place, magic, name in (*_NETS, *_OTHERS) if head[place:].startswith(magic)), "")
    if not found and len(head) > 2 and head[0] == 8 and 0 < head[1] < 32 and head[2] in _ONNX_FIELDS:
        return "ONNX net"
    marker, place = _EVENT_FILE
    return found or ("TensorBoard event file" if marker in head[: place + len(marker)] else "")


def _is_text(source: Source) -> bool:
    """Whether the beginning is text of people; what follows is not looked at."""
    try:
        text = source.head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(source.head) - 3 or source.size <= len(source.head):
            return False
        text = source.head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\t\n\r\f" for character in text)
