"""`rfav recommend`."""

from __future__ import annotations

import sys

from rfav_cli.cli.groups import format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Options, Recommend, group

EXAMPLES = ("rfav recommend rfav.h5 --out recipe.toml", "rfav recommend rfav.h5 --rule paper")


@group
class Printed(Options):
    """What is printed of a recipe."""

    format: str = format_of("rfav_cli.render:RECIPE_FORMATS")


@takes(Recommend, Printed)
def recommend(options: Recommend, printed: Printed) -> None:
    """Recommend penalties for the layers that collapse or are correlated, and the epoch to rewind to."""
    from rfav_cli.commands.recommend import run
    from rfav_cli.render import Screen, render_recipe
    from rfav_cli.text import printable

    emit(render_recipe(run(options), printed.format, screen=Screen.of(sys.stdout)))
    if options.out is not None:
        emit(f"{printable(options.out, 1000)}: written\n", err=True)
