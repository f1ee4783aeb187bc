"""The front-end's modules as one script, for a page that must need no other file.

Each module becomes a function that returns what it exports, so their names do not meet. The modules keep to two forms:
`import { a, b } from "./name.js";` at the beginning of a line, and `export` before a function, a class or a const.
"""

from __future__ import annotations

import re
from importlib.resources import files

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)


def script(entry: str) -> str:
    """One script that does what the module of this name does."""
    ordered: dict[str, str] = {}
    _collect(entry, ordered, ())
    return "".join(ordered.values())


def stylesheet() -> str:
    """The front-end's styles."""
    return source("style.css")


def source(name: str) -> str:
    """The text of a file of the front-end."""
    return (files("rfav_cli") / "render" / "html" / "frontend" / name).read_text(encoding="utf-8")


def _collect(name: str, ordered: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import each other: {' -> '.join((*above, name))}")
    if name in ordered:
        return
    text = source(f"{name}.js")
    for match in _IMPORT.finditer(text):
        _collect(match[2], ordered, (*above, name))
    body = _IMPORT.sub(lambda match: f"const {{{match[1].replace(' as ', ': ')}}} = ${match[2]};\n", text)
    names = ", ".join(match[2] for match in _EXPORT.finditer(body))
    body = _EXPORT.sub(r"\1 \2", body)
    ordered[name] = f"const ${name} = (() => {{\n{body}return {{ {names} }};\n}})();\n"
