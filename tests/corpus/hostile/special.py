"""What is no regular file, or much larger than it looks, under the name of one."""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import TYPE_CHECKING

from tests.corpus.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUGE = 6 * 2**30


def fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def unix_socket(path: Path) -> None:
    """Bound by its name alone: its path may be too long for one."""
    before = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.fchdir(before)
        os.close(before)


def link(target: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def sparse(head: bytes, path: Path) -> None:
    path.write_bytes(head)
    os.truncate(path, HUGE)


def inside(make: Callable[[Path], object], name: str, path: Path) -> None:
    """A folder with such a file in it."""
    path.mkdir()
    make(path / name)


def archive_stretched(path: Path) -> None:
    """A good archive's head, then nothing for 6 GiB, then its end."""
    from tests.corpus.hostile.archives import END, saved

    raw = saved()
    end = raw.rfind(END)
    with path.open("wb") as file:
        file.write(raw[:end])
        file.seek(HUGE)
        file.write(raw[end:])


KINDS: dict[str, Callable[[Path], object]] = {
    "fifo": fifo,
    "folder": folder,
    "socket": unix_socket,
    "device-zero": partial(link, "/dev/zero"),
    "device-random": partial(link, "/dev/urandom"),
    "device-terminal": partial(link, "/dev/tty"),
    "link-to-itself": partial(link, "epoch_1.pt"),
    "link-to-nothing": partial(link, "nowhere"),
    "memory": partial(link, "/proc/self/mem"),
    "descriptor": partial(link, "/dev/fd/0"),
}
INPUTS = {
    "probe": "held_out.npz",
    "classes": "classes.txt",
    "recipe": "recipe.toml",
    "baseline": "baseline.json",
    "show": "rfav.h5",
    "settings": "pyproject.toml",
}
GIVEN_AS = {"probe": ("fifo", "folder", "device-zero", "memory"), "classes": ("fifo", "folder", "device-zero"), "recipe": ("fifo", "folder", "device-zero"),
            "baseline": ("fifo", "folder", "device-zero"), "show": ("fifo", "folder", "device-zero"), "settings": ("fifo", "device-zero")}  # fmt: skip
ZIP, SAFETENSORS = b"PK\x03\x04", b"\x80\0\0\0\0\0\0\0{"


def _ends(given: str, kind: str) -> tuple[int, ...]:
    return (0, 2) if given == "settings" else (2,)


CASES = [
    *(Case(f"special-{name}", "special file", make) for name, make in KINDS.items()),
    *(
        Case(
            f"special-in-a-folder-{name}",
            "special file",
            partial(inside, KINDS[name], "epoch_2.pt"),
            file="run",
            says=("epoch_2.pt", "no checkpoints"),
        )
        for name in ("fifo", "socket", "device-zero", "link-to-nothing")
    ),
    *(
        Case(
            f"special-in-a-model-folder-{name}",
            "special file",
            partial(inside, KINDS[name], "model.safetensors"),
            file="step_1",
            says=("no checkpoints", "model.safetensors"),
        )
        for name in ("fifo", "device-zero", "folder")
    ),
    *(
        Case(f"special-{given}-{name}", "special file", KINDS[name], given, file, _ends(given, name))
        for given, file in INPUTS.items()
        for name in GIVEN_AS[given]
    ),
    Case("special-program-fifo", "special file", fifo, "program", "epoch_1.pt2"),
    Case("sparse-nothing", "special file", partial(sparse, b"")),
    Case("sparse-zip", "special file", partial(sparse, ZIP)),
    Case("sparse-pickle", "special file", partial(sparse, b"\x80\x02")),
    Case("sparse-safetensors", "special file", partial(sparse, SAFETENSORS), file="epoch_1.safetensors"),
    Case("sparse-archive", "special file", archive_stretched, ends=(0, 2)),
    Case("sparse-program", "special file", partial(sparse, ZIP), "program", "epoch_1.pt2"),
    Case("sparse-npz", "special file", partial(sparse, ZIP), "probe", "held_out.npz"),
    Case("sparse-npy", "special file", partial(sparse, b"\x93NUMPY\x01\0"), "probe", "held_out.npy"),
    Case("sparse-csv", "special file", partial(sparse, b"path,label\n"), "probe", "held_out.csv"),
    Case("sparse-classes", "special file", partial(sparse, b"cat\n"), "classes", "classes.txt"),
    Case("sparse-recipe", "special file", partial(sparse, b"[layers]\n"), "recipe", "recipe.toml"),
    Case("sparse-baseline", "special file", partial(sparse, b"{"), "baseline", "baseline.json"),
    Case("sparse-store", "special file", partial(sparse, b"\x89HDF\r\n\x1a\n"), "show", "rfav.h5"),
    Case("sparse-settings", "special file", partial(sparse, b"[tool.rfav]\n"), "settings", "pyproject.toml"),
]
