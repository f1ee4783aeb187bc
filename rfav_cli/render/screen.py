"""What text is rendered for: a terminal, a pipe, a file."""

from __future__ import annotations

import io
import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_COMMAND = re.compile(r"^(?P<blanks>[^\S\n]*)::|##\[", re.MULTILINE)
"""How a line of a log begins, or what it has, that GitHub takes for a command."""
_ESCAPED = {":": r"{}\x3a:", "[": r"\x23#["}


@dataclass(frozen=True)
class Screen:
    """What text is rendered for.

    Attributes:
        width: columns.
        colour: styles are wanted.
        encoding: what the text will be encoded as; characters that it has not are written as escapes.
    """

    width: int = 80
    colour: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """The screen behind a stream: no colour in pipes, in dumb terminals and under NO_COLOR."""
        terminal = stream.isatty()
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in {"dumb", "unknown"}
        width = shutil.get_terminal_size().columns if terminal or os.environ.get("COLUMNS") else cls.width
        return cls(width=max(width, 40), colour=terminal and not plain, encoding=stream.encoding or "ascii")

    @property
    def unicode(self) -> bool:
        """Whether block characters and arrows can be shown."""
        return self.encoding.lower().replace("-", "").startswith("utf")

    def console(self) -> Console:
        """A console that writes into memory; see `printed`."""
        from rich.console import Console  # takes its time, and what draws no table needs none

        return Console(
            file=io.StringIO(),
            width=self.width,
            force_terminal=self.colour,
            color_system="standard" if self.colour else None,
            legacy_windows=False,
            markup=False,  # names in checkpoints are no markup
            emoji=False,
            highlight=False,
        )

    def printed(self, console: Console) -> str:
        """What was printed on a console of this screen, without blanks at the ends of lines."""
        text = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
        return self.inert("".join(f"{line.rstrip()}\n" for line in text.splitlines()))

    def inert(self, text: str) -> str:
        """Encodable text for people, whose lines are no commands to GitHub, whatever names are in them."""
        return self.encodable(_COMMAND.sub(lambda found: _ESCAPED[found[0][-1]].format(found["blanks"]), text))

    def encodable(self, text: str) -> str:
        """The text with escapes for what the encoding has not, so that writing it cannot fail."""
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)
