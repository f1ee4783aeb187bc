"""The names of schema 2; `records.columns` has the shapes of the columns that rfav itself writes.

Everything that is not listed here as kept once for a run is a column along the epochs, so a new statistic needs no
change in this folder: it is stored, packed and read under the name that it gives.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rfav_cli.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 2
OLDEST_SCHEMA = 1
"""Schema 2 adds doubts and columns; a store of schema 1 reads as one that has none of them."""
UNIT = "nat"

EPOCH, CHECKPOINT_PATH, CHECKPOINT_SHA256 = "epoch", "checkpoint/path", "checkpoint/sha256"
INDEX = frozenset({EPOCH, CHECKPOINT_PATH, CHECKPOINT_SHA256})
"""What says which epochs a file holds."""

BAD_PATH, BAD_REASON = "bad/path", "bad/reason"
DOUBT_KIND, DOUBT_WHERE, DOUBT_WORDS, DOUBT_REMEDY = "doubt/kind", "doubt/where", "doubt/words", "doubt/remedy"
DOUBT_CERTAINTY, DOUBT_DERIVED = "doubt/certainty", "doubt/derived"
DOUBT = frozenset({DOUBT_KIND, DOUBT_WHERE, DOUBT_WORDS, DOUBT_REMEDY, DOUBT_CERTAINTY, DOUBT_DERIVED})
PER_RUN = frozenset(
    {"layer/name", "layer/kind", "layer/channels", "layer/weight_shape", "layer/positions", "layer/normalised"}
    | {"probe/label", "probe/thumbnail", "skipped/name", "skipped/reason", BAD_PATH, BAD_REASON}
    | DOUBT
)
"""What has no axis of epochs."""

_NAME = re.compile(r"[a-z_0-9]+(/[a-z_0-9]+){0,2}", re.ASCII)
_MAP = re.compile(r"entropy/(mean_map|map)/(\d{1,6})", re.ASCII)


def is_name(name: str) -> bool:
    """Whether a dataset may have this name: at most three parts of lower case, digits and underscores."""
    return _NAME.fullmatch(name) is not None


def is_column(name: str) -> bool:
    """Whether a dataset of this name is a column along the epochs that a statistic gave."""
    return is_name(name) and name not in PER_RUN and name not in INDEX


def is_heatmap(name: str) -> bool:
    """Whether a column holds heatmaps, which are read on use."""
    return _MAP.fullmatch(name) is not None


def folder_of(path: Path) -> Path:
    """The folder beside a store that holds the epochs not packed yet."""
    return path.parent / f"{path.name}.d"  # "." has no name that could be replaced


def epoch_file(folder: Path, epoch: int) -> Path:
    """The file of one epoch: `epoch-000012.h5`, `epoch--00001.h5` before training."""
    return folder / f"epoch-{epoch:06d}.h5"


def not_a_store(path: Path, why: str) -> StoreError:
    """The error for a file that rfav did not write."""
    remedy = "Give a store that `rfav analyze` wrote; to have one written, name a new file with --out."
    return StoreError(f"{path}: not an rfav store ({why})", remedy)


def damaged(path: Path, why: object) -> StoreError:
    """The error for a store that does not hold what its schema says."""
    return StoreError(f"{path}: damaged: {why}", "Restore this file from a copy, or analyze again with --fresh.")
