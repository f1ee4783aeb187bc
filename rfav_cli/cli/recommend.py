"""`rfav recommend`."""

from __future__ import annotations

import sys

import typer

from rfav_cli.cli.groups import format_of
from rfav_cli.cli.options import takes
from rfav_cli.cli.output import emit
from rfav_cli.options import Options, Recommend, group

EXAMPLES = ("rfav recommend rfav.h5 --out recipe.toml", "rfav recommend rfav.h5 --rule even --anyway")


@group
class Printed(Options):
    """What is printed of a recipe."""

    format: str = format_of("rfav_cli.render:RECIPE_FORMATS")


@takes(Recommend, Printed)
def recommend(options: Recommend, printed: Printed) -> None:
    """Say what to do about a run: which checkpoint to keep, and the penalties of another training where they help."""
    from rfav_cli.cli import NOTHING_SAID
    from rfav_cli.commands.recommend import run
    from rfav_cli.render import Screen, render_recipe
    from rfav_cli.text import printable

    recipe = run(options)
    emit(render_recipe(recipe, printed.format, screen=Screen.of(sys.stdout)))
    if options.out is not None and recipe.layers:
        emit(f"{printable(options.out, 1000)}: written\n", err=True)
    elif not recipe.layers and (options.out is not None or options.anyway):
        asked = "--anyway" if options.out is None else f"{printable(options.out, 1000)}: not written"
        why = "no penalty can be given" if options.anyway else "no penalties are advised"
        emit(f"{asked}: {why}\n", err=True)
        raise typer.Exit(NOTHING_SAID)
