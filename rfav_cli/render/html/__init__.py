"""Runs for the interactive front-end: what it reads (`prepare`), and the page that holds all of it (`page`)."""

from rfav_cli.render.html.page import page
from rfav_cli.render.html.prepared import PreparedRun, prepare
from rfav_cli.render.html.writing import check_place, write

__all__ = ["PreparedRun", "check_place", "page", "prepare", "write"]
