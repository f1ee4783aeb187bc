"""What the command line lets programs take that files bring."""

from __future__ import annotations

from rfav_cli.options import values
from rfav_cli.options.field import Options, group, option
from rfav_cli.options.panels import TRUSTED


@group
class Programs(Options):
    """What programs may take: nets that come with their code, TorchScript and exported programs."""

    time_limit: float | None = option(
        default=None,
        help="CPU time that a program (TorchScript, .pt2) may take to load and to run on a first few samples; more "
        "samples may take it in proportion. By default 4 seconds, and more for large files. Only the command line runs "
        "programs in a process of their own, within limits.",
        kind=float,
        panel=TRUSTED,
        unit="seconds",
        low=0.1,
        metavar="SEC",
        from_project="never",
    )
    memory_limit: str | int | None = option(
        default=None,
        help="Memory that a program may take beside what rfav does, such as 4GiB; a number alone is MiB. By default "
        "what suits the size of its file and of the samples, and at most three quarters of what is free.",
        panel=TRUSTED,
        read=values.size_or_none,
        metavar="MEM",
        from_project="never",
    )
