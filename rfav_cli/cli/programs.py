"""Whether a command runs programs that files bring, for which it takes a child process, and their limits there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfav_cli import isolation
from rfav_cli.options import Options, Watch, options_of
from rfav_cli.options.programs import Programs
from rfav_cli.options.values import bytes_of
from rfav_cli.records import Ranks

if TYPE_CHECKING:
    from collections.abc import Iterator


def settle(options: Options) -> None:
    """Set the limits of programs in a child; elsewhere look whether the files of a command may be such.

    Raises:
        ProgramFoundError: there may be programs, and this process runs none.
    """
    if not isinstance(options, Programs):
        return
    alone = Ranks.of_torchrun().alone
    if isolation.is_child():
        goes_on = isinstance(options, Watch) or bool(getattr(options, "skip_bad", False))
        memory = None if options.memory_limit is None else bytes_of(str(options.memory_limit))
        isolation.limit(options.time_limit, memory, goes_on=goes_on and alone)
    elif isolation.is_command():
        from rfav_cli.cli.quick_look import may_hold_program

        places = list(_places(options))
        remote = any("://" in str(place) for place in places)
        if may_hold_program(places) or (remote and not alone):
            raise isolation.ProgramFoundError


def _places(options: Options) -> Iterator[str | Path]:
    """What the arguments of a command name, and the file that a training starts from."""
    for name, option in options_of(type(options)):
        value = getattr(options, name)
        if option.positional or name == "init":
            values = value if isinstance(value, tuple) else (value,)
            yield from (each for each in values if isinstance(each, (str, Path)))
