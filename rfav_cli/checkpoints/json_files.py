"""The JSON files that lie beside weights: indexes of shards, what a trainer says of itself."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from rfav_cli.errors import CheckpointError, remedy_for
from rfav_cli.files.regular import open_regular
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 2**25
"""That such a file may have: the index of a net of 300,000 tensors has as many."""
_MOST_PARTS = 2**21
"""Names, values and brackets in one: each can take a hundred times as many bytes in memory as in the file."""


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, in which no name stands twice.

    Raises:
        CheckpointError: the file cannot be read, or is nothing of the kind.
    """
    try:
        with open_regular(path) as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        remedy = remedy_for(error, "Copy or save it again.")
        raise CheckpointError(f"{path}: cannot be read: {what_it_says(error)}", remedy) from error
    return json_object(path, text)


def json_object(path: Path, text: bytes) -> dict[str, Any]:
    """The object that a JSON text is, in which no name stands twice.

    Args:
        path: the file that it is in, for messages.
        text: it.

    Raises:
        CheckpointError: it is none, or longer than any that belongs to weights.
    """
    if len(text) > MOST_BYTES or sum(map(text.count, (b'"', b"{", b"[", b","))) > _MOST_PARTS:
        raise CheckpointError(f"{path}: longer than such a file is", "Copy or save it again.")
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON: {what_it_says(error)}", "Copy or save it again.") from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path}: holds no JSON object", "Copy or save it again.")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a name stands in it twice, so that one value would be lost."""
    document = dict(pairs)
    if len(document) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{printable(twice, 80)!r} stands in it twice")
    return document
