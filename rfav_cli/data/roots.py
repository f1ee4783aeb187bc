"""The root of a data set: its sub-folders are splits or parts, and read as classes they would make all labels wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

ROLES = {
    "validation": r"val|valid|validate|validation|dev|development|eval|evaluation|holdout|heldout",
    "test": r"test|testing|tst",
    "training": r"train|training|trn",
    "fold": r"fold|kfold|cvfold",
}
"""What a split is for -> its usual names without digits and separators; the most held out first."""

_AROUND = r"(?:seg|set|data|images?|imgs?|split)*"
_ROLE = re.compile("|".join(f"{_AROUND}(?P<{role}>{names}){_AROUND}" for role, names in ROLES.items()))

IMAGES = frozenset({"image", "images", "img", "imgs", "jpegimages", "photos", "pictures", "frames"})
BESIDE = frozenset(
    {"mask", "masks", "label", "labels", "annotation", "annotations", "anno", "annos", "target", "targets", "gt"}
    | {"groundtruth", "segmentation", "segmentations", "segmentationclass", "segmentationobject", "depth", "trimaps"}
)
"""Names of folders that lie beside the folder of the images, in pictures too."""

_TABLES = frozenset({".csv", ".tsv", ".json", ".xlsx", ".parquet", ".mat", ".xml"})
_LIST = re.compile(r"label|annot|class|ground", re.IGNORECASE)


def role(name: str) -> str:
    """What a folder of this name is a split for, a key of `ROLES`; empty where it is not named like a split.

    >>> role("val"), role("Train2017"), role("images_test"), role("trainer")
    ('validation', 'training', 'test', '')
    """
    match = _ROLE.fullmatch(_letters(name))
    return match.lastgroup or "" if match else ""


def refuse_root(folder: Path, images: Mapping[str, Sequence[Path]]) -> None:
    """Refuse sub-folders that are no classes.

    One class called `train` or `test` among others is nothing unusual, so splits are found by more than a name: all
    sub-folders have such names, or two that are for different things, and these are half of the sub-folders or have
    classes of the same names.

    Args:
        folder: whose sub-folders are to be read as classes.
        images: name of a sub-folder -> the image files at any depth in it, at least one.

    Raises:
        SampleError: they are the splits of a data set, each class has its splits, or images lie beside masks or labels.
    """
    if (splits := _splits(images)) and _are_splits(folder, images, splits):
        raise SampleError(
            f"{printable(folder)}: its sub-folders {_named(sorted(splits))} are splits of a data set, not classes",
            _one_of_the_splits(folder, images, splits),
        )
    parts = [name for name in images if _letters(name) in IMAGES]
    beside = [name for name in images if _letters(name) in BESIDE]
    if len(parts) == 1 and len(parts) + len(beside) == len(images):
        raise SampleError(*_parts_of_a_set(folder, parts[0], beside, images[parts[0]]))
    inner = {name: _inside(folder / name, files) for name, files in images.items()}
    if len(images) == 1:
        ((name, within),) = inner.items()
        if "" not in within:
            refuse_root(folder / name, within)
    named = {name for within in inner.values() for name in within}
    if len({role(name) for name in named}) > 1 and all(map(role, named)):
        raise SampleError(
            f"{printable(folder)}: each class has its splits, {_named(sorted(named))}, which would be mixed",
            "Put the held-out images into a folder of their own, with a sub-folder a class.",
        )


def tables_in(folder: Path) -> list[str]:
    """The names of files that look like tables of labels."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix.lower() in _TABLES or (path.suffix.lower() == ".txt" and _LIST.search(path.stem))
    )


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _named(names: Sequence[str]) -> str:
    listed = ", ".join(f"{printable(name)}/" for name in names[:6])
    return listed if len(names) <= 6 else f"{listed} and {len(names) - 6} more"


def _splits(names: Iterable[str]) -> list[str]:
    """Those that are named like splits, the most held out first."""
    return sorted((name for name in names if role(name)), key=lambda name: (list(ROLES).index(role(name)), name))


def _inside(folder: Path, files: Sequence[Path]) -> dict[str, list[Path]]:
    """The files by the sub-folder that they are in, "" for those in the folder itself."""
    inside: dict[str, list[Path]] = {}
    for file in files:
        parts = file.relative_to(folder).parts
        inside.setdefault(parts[0] if len(parts) > 1 else "", []).append(file)
    return inside


def _are_splits(folder: Path, images: Mapping[str, Sequence[Path]], splits: Sequence[str]) -> bool:
    if len(splits) == len(images):
        return len(images) > 1 or role(splits[0]) != "fold"
    if len({role(name) for name in splits}) < 2:
        return False
    classes = [set(_inside(folder / name, images[name])) - {""} for name in splits]
    alike = any(one & other for place, one in enumerate(classes) for other in classes[:place])
    return alike or 2 * len(splits) >= len(images)


def _one_of_the_splits(folder: Path, images: Mapping[str, Sequence[Path]], splits: Sequence[str]) -> str:
    """Which split to give; the splits come with the most held out first."""
    best = splits[0]
    path = _down(folder / best, images[best])
    if role(best) == "training":
        return f"Give the folder of held-out images; --probe {printable(path)} is that, if the net never saw these."
    trained = next((name for name in splits if role(name) == "training"), None)
    training = f", --data {printable(_down(folder / trained, images[trained]))} to train on" if trained else ""
    return f"Give one of them: --probe {printable(path)} for held-out samples{training}."


def _down(folder: Path, files: Sequence[Path]) -> Path:
    """The folder to give in place of this one: what lies in it may again be splits, or a folder of images alone."""
    inside = _inside(folder, files)
    if "" in inside:
        return folder
    if (splits := _splits(inside)) and _are_splits(folder, inside, splits):
        return _down(folder / splits[0], inside[splits[0]])
    only = [name for name in inside if _letters(name) in IMAGES]
    return _down(folder / only[0], inside[only[0]]) if len(only) == len(inside) == 1 else folder


def _parts_of_a_set(folder: Path, name: str, beside: Sequence[str], files: Sequence[Path]) -> tuple[str, str]:
    """What a data set of images with masks, annotations or a table of labels is said to be, and what to give."""
    tables = tables_in(folder)
    what = f"{printable(folder)}: {_named([name, *sorted(beside)])} "
    what += "are parts of a data set, not classes" if beside else "is the folder of all images, not a class"
    path = _down(folder / name, files)
    unread = f"; {printable(tables[0])} beside it is not read" if tables else ""
    if all(file.parent != path for file in files):
        return f"{what}{unread}", f"Give --probe {printable(path)}, if its sub-folders are the classes."
    return f"{what}{unread}", (
        "Put each image into the folder of its class, or save images and labels in one .npz; "
        f"--probe {printable(path)} measures the images without labels."
    )
