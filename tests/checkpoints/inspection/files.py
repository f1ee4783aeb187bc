"""What tests of scans share: a file looked through, and pickles that call what they should not."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.inspection import inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rfav_cli.records import ScannedFile


class Calls:
    """Its pickle calls a function."""

    def __init__(self, function: Callable[..., Any] = os.system, *arguments: Any) -> None:
        self.call = function, arguments or ("true",)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def scanned(path: Path, *, expected: bool = True) -> ScannedFile:
    return inspect(path, path.name, expected=expected)


def levels(file: ScannedFile) -> set[str]:
    return {finding.level for finding in file.findings}


def messages(file: ScannedFile) -> str:
    return "\n".join(finding.message for finding in file.findings)


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path
