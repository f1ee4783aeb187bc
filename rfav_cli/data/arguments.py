"""Which of a probe's arrays are which of the arguments that a net's forward takes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from rfav_cli.data.sources.arrays import argument_of
from rfav_cli.errors import SampleError
from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rfav_cli.data.probe import Probe
    from rfav_cli.inputs import Arguments

MOST_TRIED = 4
"""Inputs of whole numbers of which each may be given as floating-point ones."""

_RECOLOURED = {
    1: "the net takes images of three channels, so each gray one is given three times (--rgb)",
    3: "the net takes images of one channel, so the probe's are given in gray (--gray)",
    4: "the net takes images of three channels, so the first three of four are given (--rgb)",
}
"""Channels of a probe that was read otherwise -> how, and why."""


def fit_arguments(probe: Probe, arguments: Arguments | None) -> Probe:
    """The probe with the arrays that the net's forward names as its inputs.

    A net of one argument is given one array, whatever that is called. One of several is given the arrays of their
    names; samples with a usual name, such as `images`, are its first argument where none has that name.

    Args:
        probe: as it was read.
        arguments: what the forward takes; None where that is not known.

    Returns:
        What is to be tried: where `together` is set, as one dict, or else `unclear` is why it does not fit.

    Raises:
        SampleError: the forward needs an argument that no array has the name of; or it cannot be told which arrays are
            the samples and the labels.
    """
    if probe.together:
        return probe
    if arguments is None or (arguments.more and not arguments.names):
        return _settled(probe)
    if isinstance(probe.inputs, dict):
        return _by_name(probe, arguments)
    others = [name for name in probe.others if argument_of(name) in arguments.names]
    named = {argument_of(name) for name in others}
    needed = [name for name in arguments.required if name not in named]
    if len(needed) > 1:
        raise _misfit(probe, [probe.main or "one array", *probe.others], arguments)
    later = probe.main in arguments.names[1:] and not needed
    if probe.reread is None or not (others or later):
        return _settled(_without_labels(probe))
    return _by_name(_settled(probe.reread(inputs=(probe.main, *others))), arguments)


def other_readings(probe: Probe) -> Iterator[tuple[str, Probe]]:
    """Other ways to read the same samples, for a net that does not run on them, each with what to say of it."""
    if probe.recolour is not None:
        images = probe.inputs[probe.image] if isinstance(probe.inputs, dict) else probe.inputs
        with suppress(SampleError):  # a mean for each of three channels is none for one
            recoloured = probe.recolour()
            yield _RECOLOURED[images.shape[1]], recoloured
    if probe.whole and probe.reread is not None:
        yield "the probe's whole numbers enter the net as they are, as token ids", probe.reread(integers=True)
    if probe.otherwise and probe.reread is not None:
        yield (
            f"the net does not take samples of {probe.arrays[''].ndim} axes as they lie, so they are read by "
            f"--layout {probe.otherwise}",
            probe.reread(layout=probe.otherwise),
        )
    if probe.others and probe.main and probe.reread is not None and not isinstance(probe.inputs, dict):
        with suppress(SampleError):
            read = probe.reread(inputs=(probe.main, *probe.others))
            yield f"the inputs {printable(', '.join(read.arrays))} are given as one dict", replace(read, together=True)
    if probe.main and probe.axis == 1 and not isinstance(probe.inputs, dict):
        name = argument_of(probe.main)
        alone = replace(probe.with_inputs({name: probe.inputs}), image=name, main=name)
        yield f"the samples are given by name, {printable(name)}", alone
        yield f"the samples are given in a dict, as {printable(name)}", replace(alone, together=True)
    names = [name for name, array in probe.arrays.items() if array.dtype.kind in "bi"][:MOST_TRIED]
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            what = f"{printable(', '.join(chosen))} of the probe" if any(chosen) else "the probe's whole numbers"
            yield f"{what} enter the net as floating-point numbers", _with_floats(probe, chosen)


def _with_floats(probe: Probe, names: Sequence[str]) -> Probe:
    if not isinstance(probe.inputs, dict):
        return probe.with_inputs(probe.inputs.astype(np.float32))
    inputs = {name: each.astype(np.float32) if name in names else each for name, each in probe.inputs.items()}
    return probe.with_inputs(inputs)


def _by_name(probe: Probe, arguments: Arguments) -> Probe:
    """A probe of several arrays with those that the forward names, in its order; or the one that it takes."""
    names = {array: _argument(array, arguments) for array in probe.arrays}
    free = [name for name in arguments.names if name not in names.values()]
    needed = [name for name in arguments.required if name in free]
    main = argument_of(probe.main)
    if main in names and names[main] not in arguments.names and free:
        names[main] = next(iter(needed or free))
        needed = needed[1:]
    arrays = {names[array]: array for array in names if names[array] in arguments.names}
    if not arrays and len(names) == 1 and len(needed) < 2:
        return _settled(probe.with_inputs(next(iter(probe.arrays.values()))))
    if not arrays and len(needed) == 1 and len(names) > 1:
        note = f"{_listed([*names])} are given as one dict, {printable(needed[0])}"
        return replace(probe, together=True, unclear=_misfit(probe, [*names], arguments), notes=(*probe.notes, note))
    if needed or not arrays:
        raise _misfit(probe, [*names], arguments)
    ordered = [name for name in arguments.names if name in arrays]
    renamed = [f"the array {printable(arrays[name])} is given as {printable(name)}" for name in ordered
               if name != arrays[name] and not arrays[name].isdecimal()]  # fmt: skip
    unused = _unused([array for array in (*names, *probe.others) if names.get(array) not in arguments.names])
    image = names.get(probe.image, "")
    read = replace(probe, image=image if image in arrays else "", main=names.get(main, ""), unclear=None)
    return read.with_inputs({name: probe.arrays[arrays[name]] for name in ordered}, *renamed, *unused)


def _without_labels(probe: Probe) -> Probe:
    """The probe, with a note of what lies beside it where it has no labels, since that may be them."""
    if probe.labels is not None or not probe.others:
        return probe
    note = f"there are no labels: {_listed(probe.others)} beside the samples is not used (labels are called 'labels')"
    return probe if note in probe.notes else replace(probe, notes=(*probe.notes, note))


def _settled(probe: Probe) -> Probe:
    if probe.unclear is not None:
        raise probe.unclear
    return probe


def _argument(array: str, arguments: Arguments) -> str:
    """The argument that an array is for, by its name or its place."""
    place = int(array) if array.isdecimal() else -1
    return arguments.names[place] if 0 <= place < len(arguments.names) else array


def _unused(names: Iterable[str]) -> list[str]:
    listed = ", ".join(map(repr, names))
    return [f"the net's forward takes no {printable(listed)}, so it is not used"] if listed else []


def _misfit(probe: Probe, names: Sequence[str], arguments: Arguments) -> SampleError:
    needed = [name for name in arguments.names if name in arguments.required] or list(arguments.names)
    missing = [name for name in needed if name not in names]
    return SampleError(
        f"{printable(probe.source)}: the samples are {_listed(names)}; the net's forward takes {_listed(needed)}",
        f"Save each input under the name of its argument ({_listed(missing)}), and the labels as 'labels'.",
    )


def _listed(names: Sequence[str]) -> str:
    return printable(", ".join(map(repr, names)))
