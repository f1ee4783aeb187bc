"""Files that have a CI service check a store, as `examples/` has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 1 << 16
"""Bytes of a file that may be one of ours."""
_ANY = "ANY-STORE"


def github(store: str) -> str:
    """A workflow of GitHub that checks a store and uploads what it finds to code scanning."""
    return f"""# Checks the store that `rfav analyze` wrote: commit it, or have an earlier step make it.
name: rfav check
on: [push, pull_request]
jobs:
  rfav-check:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      security-events: write # for the upload alone
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: python -m pip install --quiet rfav-cli
      - run: rfav check {_quoted(store)} --format github --output sarif:rfav.sarif
      - uses: github/codeql-action/upload-sarif@v3
        if: ${{{{ !cancelled() && hashFiles('rfav.sarif') != '' }}}}
        with:
          sarif_file: rfav.sarif
"""


def gitlab(store: str) -> str:
    """A job of GitLab that checks a store, with its reports of tests and of code quality."""
    return f"""# To be included in .gitlab-ci.yml (include: local: rfav.gitlab-ci.yml).
rfav-check:
  image: python:3.12
  before_script:
    - python -m pip install --quiet rfav-cli
  script:
    - rfav check {_quoted(store)} --output junit:rfav.xml --output gitlab:gl-code-quality-report.json
  artifacts:
    when: always
    reports:
      junit: rfav.xml
      codequality: gl-code-quality-report.json
"""


@dataclass(frozen=True)
class Service:
    """A CI service: the file that it reads, and how that is written for a store."""

    file: Path
    write: Callable[[str], str]

    def is_ours(self, file: IO[bytes]) -> bool:
        """Whether a file is what is written for a store, whichever, and nobody has changed it since."""
        before, _, after = self.write(_ANY).encode().partition(_ANY.encode())
        content = file.read(LARGEST)
        store = content[len(before) : len(content) - len(after)]
        return content == before + store + after and b"\n" not in store


SERVICES = {
    "github": Service(Path(".github/workflows/rfav.yml"), github),
    "gitlab": Service(Path("rfav.gitlab-ci.yml"), gitlab),
}
"""Name -> what is written for it."""


def _quoted(path: str) -> str:
    """A path as one word of a shell, in YAML: plain where it is plain, else in quotes of the shell."""
    import shlex

    return shlex.quote(path)
