"""HDF5: rfav's own stores, weights of Keras, other people's data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.inspected import LISTED
from rfav_cli.files.hdf5 import SIGNATURE, open_stream
from rfav_cli.text import printable, what_it_says

if TYPE_CHECKING:
    from rfav_cli.checkpoints.inspected import Look, Source

WHAT = "HDF5 file"
_MOST_ATTRIBUTE = 2**24
_STORE = ("rfav_version", "schema")


def recognises(source: Source) -> bool:
    """Whether it begins as HDF5 does; what lies before HDF5 by the user's choice is not looked for."""
    return source.head.startswith(SIGNATURE)


def inspect(source: Source, look: Look) -> None:
    """List its data sets; none is read."""
    try:
        with open_stream(source.file) as file:
            store = all(name in file.attrs for name in _STORE)
            look.readable, look.why_not = store, "" if store else "HDF5 that is no store of rfav"
            look.say("kind", "rfav store" if store else WHAT)
            if store:
                for name in _STORE:
                    look.say(name, str(file.attrs[name]))
            _of_keras(file, look)
            _list(file, look)
    except Exception as error:  # HDF5 answers damage with errors of any sort
        look.find("incomplete", f"damaged or cut off: {what_it_says(error)}")


def _list(file: Any, look: Look) -> None:
    """List data sets, without following a link twice or out of the file."""
    import h5py

    waiting, seen, met = [("", file)], set(), 0
    while waiting:
        path, group = waiting.pop()
        for name in group:
            met += 1
            if met > LISTED:
                look.find("incomplete", f"more than {LISTED:,} entries")
                return
            inner = f"{path}/{name}"
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                look.find(
                    "reaches-out", f"{printable(inner, 120)!r} lies in another file, {printable(link.filename)!r}"
                )
            elif isinstance(link, h5py.HardLink):
                value = group[name]
                address = h5py.h5o.get_info(value.id).addr
                if address not in seen:
                    seen.add(address)
                    _take_down(inner, value, look, waiting)


def _take_down(path: str, value: Any, look: Look, waiting: list[tuple[str, Any]]) -> None:
    import h5py

    if isinstance(value, h5py.Group):
        waiting.append((path, value))
        return
    if not isinstance(value, h5py.Dataset):
        return
    look.tensor(path, value.shape or (), str(value.dtype), value.id.get_storage_size())
    if value.external or value.is_virtual:
        look.find("reaches-out", f"{printable(path, 120)!r} takes its numbers from other files")


def _of_keras(file: Any, look: Look) -> None:
    """Say whether a net of Keras has layers of code in it."""
    config = file.attrs.get("model_config")
    if config is None:
        return
    look.say("kind", "Keras net")
    text = config.decode("utf-8", "replace") if isinstance(config, bytes) else str(config)
    try:
        document = json.loads(text[:_MOST_ATTRIBUTE])
    except (ValueError, RecursionError):
        look.find("incomplete", "its model_config is no JSON")
        return
    report_lambdas(document, look)


def report_lambdas(document: Any, look: Look) -> None:
    """Say of a net of Keras which layers are code that Keras runs."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("class_name") == "Lambda":
                look.find("runs-code", "has a Lambda layer, whose code Keras runs")
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
