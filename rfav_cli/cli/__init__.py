"""The command line: options to one call of the API to an exit code. Imports nothing heavy."""

import os
import sys
from typing import Annotated

import typer

from rfav_cli import __version__
from rfav_cli.cli.analyze import analyze
from rfav_cli.cli.config import defaults_of_project
from rfav_cli.cli.doctor import doctor
from rfav_cli.cli.pack import pack
from rfav_cli.cli.show import show
from rfav_cli.errors import RfavError

NOTHING_SAID = 2
INTERRUPTED = 130

app = typer.Typer(
    name="rfav",
    help="Find the layers that overfit, by the entropy of their activations over a folder of checkpoints.",
    epilog="Options can be set in \\[tool.rfav] of the nearest pyproject.toml; the command line wins.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (analyze, show, pack, doctor):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rfav {__version__}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    _traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error arose.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Read what the project sets for every command."""
    commands = getattr(context.command, "commands", {})
    context.default_map = defaults_of_project(
        {name: {parameter.name for parameter in command.params} for name, command in commands.items()}
    )


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command.

    Returns:
        0 done, 2 nothing could be said, 130 interrupted.
    """
    try:
        app(arguments, prog_name="rfav", standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else NOTHING_SAID
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; nothing can be told to them, and Python's own flush at exit must not try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--traceback" in arguments:
            raise
        typer.echo(_described(error), err=True)
        return NOTHING_SAID
    return 0


def _described(error: Exception) -> str:
    if isinstance(error, RfavError):
        return f"error: {error}"
    first = (str(error).splitlines() or [""])[0]
    return f"error: {type(error).__name__}: {first}\nThis error is not known; `rfav --traceback …` shows where."
