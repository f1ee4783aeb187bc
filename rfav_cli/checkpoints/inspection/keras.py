"""A net as Keras 3 saves it: an archive with its configuration and an HDF5 file of weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.archive_findings import look_at_members, walk_other_pickles
from rfav_cli.checkpoints.inspection.hdf5 import report_lambdas

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "Keras net"
_CONFIG = "config.json"
_MOST_CONFIG = 2**24


def recognises(source: Source) -> bool:
    """Whether it is an archive with the usual names."""
    names = {member.filename for member in source.archive.members} if source.archive else set()
    return _CONFIG in names and "model.weights.h5" in names


def inspect(source: Source, look: Look) -> None:
    """Look for layers of code in its configuration."""
    look.readable, look.why_not = False, "a net of Keras, which rfav does not read"
    archive = source.archive
    config = archive.find(_CONFIG) if archive else None
    if archive is None or config is None:
        return
    look_at_members(source.file, archive, look)
    walk_other_pickles(archive, look, ())
    if look.found("refused") or config.file_size > _MOST_CONFIG:
        look.find("incomplete", "its configuration is not looked through")
        return
    try:
        report_lambdas(json.loads(archive.read(config, _MOST_CONFIG)), look)
    except (ValueError, RecursionError):
        look.find("incomplete", "its configuration is no JSON")
    look.find("incomplete", "the weights of Keras inside are not looked through")
