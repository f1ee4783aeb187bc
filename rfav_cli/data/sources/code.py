"""Samples of the user's own code, by name: `package.module:attribute` or `path/to/file.py:attribute`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.errors import SampleError
from rfav_cli.user_code import Wanted, find, without_keys

if TYPE_CHECKING:
    from rfav_cli.data.sources import SampleOptions
    from rfav_cli.data.sources.base import Location, Source

SPLITS: tuple[str, ...] = ()


def open_source(location: Location, options: SampleOptions) -> Source:
    """Open what a name in the user's code gives: a data set, a loader, (x, y), or a function that returns one.

    Of several that are returned together, `my_pkg.data:make_loaders[1]` is the second, `[val]` the one of that name.

    Raises:
        SampleError: there is no such name, its code raised an error, or it gives no samples.
    """
    from rfav_cli.data.sources.objects import open_object

    name, keys = without_keys(location.name.removeprefix("code:"))
    found = find(name, Wanted(location.option, "data set", SampleError))
    return open_object(found.value, location, options, found.importable, keys)
