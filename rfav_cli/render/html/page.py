"""Prepared runs as one self-contained page."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import IO, TYPE_CHECKING

from rfav_cli.render.html.modules import script, stylesheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rfav_cli.render.html.prepared import PreparedRun

MARK = "<!DOCTYPE html>\n<!-- rfav report -->\n"
"""How a page begins."""


def page(runs: Sequence[PreparedRun], version: str) -> Iterator[str]:
    """The page in pieces, which make it when they are joined.

    Nothing in it is fetched, and the policy that it sets itself lets nothing be: no script but its own runs, whatever
    the names in the stores are.
    """
    code, styles = script("report"), stylesheet()
    policy = (
        f"default-src 'none'; script-src {_digest(code)}; style-src {_digest(styles)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    manifest = {
        "schema": 1,
        "version": version,
        "runs": [{"id": str(number), **run.manifest} for number, run in enumerate(runs)],
    }
    yield f'{MARK}<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>rfav report</title>\n<style>{styles}</style>\n</head>\n<body>\n"
    yield "<noscript>This page draws its charts with JavaScript, which is switched off.</noscript>\n"
    yield f'<script type="application/json" id="rfav-manifest">{embedded(manifest)}</script>\n'
    for number, run in enumerate(runs):
        for name, block in run.blocks.items():
            yield f'<script type="text/plain" id="rfav-{number}-{name}">'
            yield base64.b64encode(block.packed()).decode()
            yield "</script>\n"
    yield f'<script type="module">{code}</script>\n</body>\n</html>\n'


def is_ours(file: IO[bytes]) -> bool:
    """Whether a file is a page."""
    return file.read(len(MARK)) == MARK.encode()


def embedded(document: object) -> str:
    """JSON that no text in it can end: it is ASCII without `<`, `>` and `&`."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
