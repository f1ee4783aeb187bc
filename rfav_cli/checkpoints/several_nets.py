"""Checkpoints of several nets in one folder, as a GAN's two: told by the names and shapes of their weights."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rfav_cli.checkpoints.order import form_of, glob_of
from rfav_cli.checkpoints.wording import by_form, listed
from rfav_cli.errors import RunError
from rfav_cli.text import count, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rfav_cli.checkpoints.contents import Contents, Shapes

_ALIKE = 0.5
"""Share of names and shapes in common from which two files are of one net; a new head leaves more."""
_LISTED = 4


def of_one_net(
    contents: Sequence[Contents], is_of_net: Callable[[Path], bool] | None, notes: list[str]
) -> list[Contents]:
    """The checkpoints of the net that is meant, where files that are named otherwise hold another.

    Files of one kind of name that differ in what they hold are left as they are: one of them is wrong, which loading
    will tell.

    Args:
        contents: of all files.
        is_of_net: whether the net takes a checkpoint's weights; None where there is no net to ask.
        notes: gets what was passed over.

    Raises:
        RunError: it cannot be told which net is meant.
    """
    nets = _by_net(contents)
    forms = [{form_of(found.path) for found in net} for net in nets]
    shared = any(one & other for index, one in enumerate(forms) for other in forms[:index])
    if len(nets) < 2 or shared:
        return list(contents)
    fitting = [net for net in nets if is_of_net is not None and is_of_net(net[0].path)]
    if len(fitting) > 1 or is_of_net is None:
        raise _refusal(nets)
    # Where none fits, loading says what the largest lacks.
    taken = fitting[0] if fitting else max(nets, key=len)
    of_others = [found.path for net in nets if net is not taken for found in net]
    if fitting:
        notes.append(f"passed over {count(len(of_others), 'checkpoint')} of another net: {listed(by_form(of_others))}")
    left_out = set(of_others)
    return [found for found in contents if found.path not in left_out]


def _by_net(contents: Sequence[Contents]) -> list[list[Contents]]:
    """The checkpoints a net; what does not say what it holds is of none."""
    nets: list[list[Contents]] = []
    for found in contents:
        if found.shapes:
            net = next((net for net in nets if _are_alike(net[0].shapes, found.shapes)), None)
            if net is None:
                nets.append([found])
            else:
                net.append(found)
    return nets


def _are_alike(one: Shapes, other: Shapes) -> bool:
    """Whether most weights have the same shape and the same last part of their name, as under another prefix."""
    mine, theirs = (Counter((name.rpartition(".")[2], shape) for name, shape in each.items()) for each in (one, other))
    return (mine & theirs).total() >= _ALIKE * (mine | theirs).total()


def _glob_of(net: Sequence[Contents]) -> str:
    """The glob of most checkpoints of a net; the name of one that is alone."""
    return net[0].path.name if len(net) == 1 else Counter(glob_of(found.path) for found in net).most_common(1)[0][0]


def _refusal(nets: Sequence[Sequence[Contents]]) -> RunError:
    globs = [_glob_of(net) for net in nets]
    first = printable(nets[0][0].path.with_name(globs[0]))
    others = " ".join(f"--exclude '{printable(glob)}'" for glob in globs[1:_LISTED])
    held = ", ".join(
        f"{printable(glob)} ({count(len(net), 'file')})" for glob, net in zip(globs[:_LISTED], nets, strict=False)
    )
    return RunError(
        f"checkpoints of {len(nets)} nets are there: {held}", f"Name those of one, as '{first}', or give {others}."
    )
