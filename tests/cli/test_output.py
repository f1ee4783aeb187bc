"""What becomes of a command's exit code when nobody reads what it prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

GATE = """
import sys, typer, rfav_cli.cli
from rfav_cli.cli.output import emit

app = typer.Typer()

@app.command()
def gate(code: int) -> None:
    emit("a line\\n" * LINES)
    emit("flagged\\n", err=True)
    raise typer.Exit(code)

rfav_cli.cli.app = app
rfav_cli.cli.main()
"""


@pytest.mark.parametrize("code", [0, 1, 2])
@pytest.mark.parametrize("lines", [1, 100_000])
@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_the_exit_code_of_the_command_wins_over_a_broken_pipe(code: int, lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", GATE.replace("LINES", str(lines)), str(code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == "flagged\n"
    process.stderr.close()
    assert process.wait() == code


def test_commands_print_with_nothing_else() -> None:
    """Another way to print would take the exit code with it."""
    folder = ROOT / "rfav_cli" / "cli"
    modules = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    sources = {name: path.read_text(encoding="utf-8") for name, path in modules.items()}
    assert {name for name, source in sources.items() if "echo(" in source or "print(" in source} == {
        "output.py",
        "progress/base.py",  # on stderr, with a care of its own for broken pipes
    }
