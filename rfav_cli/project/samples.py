"""The samples that lie in a project, told by names and beginnings of files; nothing of the project is run."""

from __future__ import annotations

import ast
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfav_cli.data.roots import role
from rfav_cli.project.files import python_files, walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff"})
ARRAYS = frozenset({".npz"})
PUBLISHED = {
    "cifar-10-batches-py": "cifar10",
    "cifar-100-python": "cifar100",
    "tiny-imagenet-200": "tiny-imagenet",
}
"""Folder as published -> the name of the source."""
ORDER = ("validation", "test", "held out", "")
"""What samples are for, the best for a probe first."""
LONGEST = 2**20
_HELD_OUT = re.compile(r"held_?out|hold_?out", re.IGNORECASE)
_LABELS = frozenset({"labels", "label", "y", "targets", "target"})
_IMAGES = frozenset({"images", "image", "x", "data", "inputs", "features", "samples", "input_ids"})
_FUNCTION = re.compile(r"(?:get_|make_|build_|load_)?(?P<role>[a-z]+(?:_?out)?)_?(?:set|data|dataset|loader|dl|ds)")


@dataclass(frozen=True)
class FoundSamples:
    """Samples that may be a probe.

    Attributes:
        spec: what `--probe` takes.
        use: one of `ORDER`.
        why: how they were told, in words.
    """

    spec: str
    use: str
    why: str


def found_samples(folder: Path) -> list[FoundSamples]:
    """What may be held-out samples, the likeliest first; those that are for training are not among them."""
    found = [*_in_folders(folder), *_in_code(folder)]
    return sorted(found, key=lambda each: (ORDER.index(each.use), each.spec.count("/"), each.spec))


def _in_folders(folder: Path) -> Iterator[FoundSamples]:
    for place, folders, files in walk(folder):
        for name in files:
            path = place / name
            if path.suffix.lower() in ARRAYS and (use := _use(path.stem)) is not None and (keys := _keys(path)):
                what = "images" if keys & _IMAGES else "arrays"
                labelled = "and labels" if keys & _LABELS else "without labels"
                yield FoundSamples(_relative(path, folder), use, f"{what} {labelled} in one file")
        for name in folders:
            path = place / name
            if name in PUBLISHED:
                yield FoundSamples(
                    f"{PUBLISHED[name]}:{_relative(path, folder)}", "test", "a data set as it is published"
                )
            elif (use := _use(name)) and _has_classes(path):
                yield FoundSamples(_relative(path, folder), use, "a folder of images, a sub-folder a class")


def _in_code(folder: Path) -> Iterator[FoundSamples]:
    for path in python_files(folder):
        try:
            tree = ast.parse(path.read_bytes()) if path.stat().st_size <= LONGEST else None
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in tree.body if tree else ():
            if isinstance(node, ast.FunctionDef) and (match := _FUNCTION.fullmatch(node.name)):
                use = _use(match["role"])
                if use and not _needs_arguments(node):
                    yield FoundSamples(f"{_relative(path, folder)}:{node.name}", use, "a function that gives samples")


def _needs_arguments(node: ast.FunctionDef) -> bool:
    return len(node.args.args) > len(node.args.defaults) or None in node.args.kw_defaults


def _use(name: str) -> str | None:
    """What samples of this name are for; "" where it does not say, None where they are trained on."""
    if _HELD_OUT.search(name) or name == "probe":
        return "held out"
    what = role(name)
    if not what:
        parts = {role(part) for part in re.split(r"[_\-. ]+", name)} - {""}
        what = next((each for each in ("training", "validation", "test") if each in parts), "")
    return None if what in ("training", "fold") else what


def _has_classes(folder: Path) -> bool:
    """Whether a folder has sub-folders of pictures."""
    for place, _, files in walk(folder):
        if place != folder and any(name[name.rfind(".") :].lower() in PICTURES for name in files[:20]):
            return True
    return False


def _keys(path: Path) -> frozenset[str]:
    """The names of the arrays in an .npz; none where it is not one with samples."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = frozenset(name.removesuffix(".npy") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return frozenset()
    return names if names & (_IMAGES | _LABELS) else frozenset()


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
