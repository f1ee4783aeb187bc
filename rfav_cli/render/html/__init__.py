"""Runs for the interactive front-end: what it reads (`prepare`), and the page that holds all of it (`page`)."""

from rfav_cli.render.html.page import is_ours, page
from rfav_cli.render.html.prepared import PreparedRun, prepare

__all__ = ["PreparedRun", "is_ours", "page", "prepare"]
