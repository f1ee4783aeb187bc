"""The runs below `--logdir` to the front-end in TensorBoard's tab.

TensorBoard loads this module at its start, and does not start where that fails: nothing else of rfav is imported before
the tab is asked for. A route is made for each file of the front-end, so no address is ever turned into a path.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request

    from rfav_cli.tensorboard.runs import RunsBelow

ENTRY = "/tensorboard.js"
TYPES = {".js": "text/javascript", ".css": "text/css"}
METHODS = {"GET", "HEAD"}


class RfavPlugin(base_plugin.TBPlugin):  # type: ignore[misc] # TensorBoard has no types
    """The tab."""

    plugin_name = "rfav"

    def __init__(self, context: Any) -> None:
        """Look at nothing yet.

        Args:
            context: a `base_plugin.TBContext`, whose `logdir` is the folder that is searched.
        """
        self._logdir: str = getattr(context, "logdir", None) or ""
        self._made: RunsBelow | None = None

    def get_plugin_apps(self) -> dict[str, Any]:
        """Route -> WSGI application."""
        frontend = {
            f"/{file.name}": _static(file.read_bytes(), TYPES[Path(file.name).suffix])
            for file in (files("rfav_cli") / "render" / "html" / "frontend").iterdir()
            if Path(file.name).suffix in TYPES
        }
        return frontend | {"/manifest": _app(self._manifest), "/block": _app(self._block)}

    def is_active(self) -> bool:
        """Whether there is any store: the tab needs no event files."""
        runs = self._runs
        return runs is not None and not runs.is_empty()

    def frontend_metadata(self) -> Any:
        """How the tab is called, and its module, which exports `render`."""
        return base_plugin.FrontendMetadata(es_module_path=ENTRY, tab_name="rfav")

    @property
    def _runs(self) -> RunsBelow | None:
        """None without a `--logdir` on this machine."""
        from rfav_cli.tensorboard.runs import RunsBelow

        if self._made is None and self._logdir and "://" not in self._logdir:
            self._made = RunsBelow(Path(self._logdir).expanduser())
        return self._made

    def _manifest(self, request: Request) -> Any:
        runs = self._runs
        manifest = {"schema": 1, "version": "", "runs": []} if runs is None else runs.manifest()
        text = json.dumps(manifest, allow_nan=False)
        return _answer(request, text, "application/json", hashlib.sha256(text.encode()).hexdigest())

    def _block(self, request: Request) -> Any:
        from rfav_cli.errors import RfavError
        from rfav_cli.version import __version__

        asked = [request.args.get(key, "") for key in ("run", "name", "revision")]
        tag = hashlib.sha256(json.dumps([__version__, *asked]).encode()).hexdigest()
        if tag in request.if_none_match:  # a revision's blocks never change
            return _unchanged("application/octet-stream", tag)
        try:
            packed = self._runs.block(*asked) if self._runs is not None else None
        except RfavError:
            packed = None
        if packed is None:
            return http_util.Respond(request, "There is no such block.", "text/plain", code=404)
        return _answer(request, packed, "application/octet-stream", tag)


def _answer(request: Request, content: str | bytes, content_type: str, tag: str) -> Any:
    """An answer that the browser may keep, and asks about each time."""
    if tag in request.if_none_match:
        return _unchanged(content_type, tag)
    return http_util.Respond(request, content, content_type, headers=[("ETag", f'"{tag}"')])


def _unchanged(content_type: str, tag: str) -> Any:
    """Says that the browser has it. Werkzeug's own takes the type out, and TensorBoard warns of answers without one."""
    headers = [
        ("ETag", f'"{tag}"'),
        ("Content-Type", content_type),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-cache, must-revalidate"),
    ]

    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response("304 NOT MODIFIED", headers)
        return []

    return application


def _static(content: bytes, content_type: str) -> Any:
    tag = hashlib.sha256(content).hexdigest()
    return _app(lambda request: _answer(request, content, content_type, tag))


def _app(view: Callable[[Request], Any]) -> Any:
    """A WSGI application of a view, which gives one in its turn; nothing can be written."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        request = wrappers.Request(environ)
        if request.method in METHODS:
            return view(request)(environ, start_response)
        refusal = http_util.Respond(request, "Only GET.", "text/plain", code=405, headers=[("Allow", "GET, HEAD")])
        return refusal(environ, start_response)

    return application
