"""What every page has: fonts, letters, bytes, and how a notebook shows it."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import rfav_cli
from tests.render.figures.histories import KINDS

if TYPE_CHECKING:
    from pathlib import Path


def test_text_from_files_is_drawn_letter_by_letter(tmp_path: Path) -> None:
    page = rfav_cli.plot(KINDS["hostile"], figure="entropy")
    shown = [text.get_text() for text in page.legends[0].get_texts()]
    assert shown[1] == r"\$x^{2\$ \\$"  # matplotlib draws \$ as $, and no mathematics
    assert not page.legends[0].get_texts()[1]._preprocess_math(shown[1])[1]
    assert all(character.isprintable() for text in shown for character in text.replace("\n", ""))
    assert shown[2] == r"\u7573\u307f\u8fbc\u307f"  # what the font has not
    rfav_cli.plot(KINDS["hostile"], figure="overview", out=tmp_path / "a.svg")
    tags = {element.tag.rpartition("}")[2] for element in ET.parse(tmp_path / "a.svg").iter()}
    assert not tags & {"script", "img", "foreignObject"}


def test_a_pdf_has_its_fonts_as_truetype_and_no_date(tmp_path: Path) -> None:
    rfav_cli.plot(KINDS["plain"], figure="loss", out=tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in data
    assert b"/Type3" not in data
    assert b"CreationDate" not in data


def test_a_figure_shows_itself_and_no_setting_of_the_user_changes_it() -> None:
    import matplotlib

    page: Any = rfav_cli.plot(KINDS["dense"], figure="loss")
    data, size = page._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size == {"width": 600, "height": 320}
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        again: Any = rfav_cli.plot(KINDS["dense"], figure="loss")
        assert again._repr_png_()[0] == data


def test_pyplot_is_not_imported() -> None:
    code = "import sys, rfav_cli.render.figures.overview\nprint('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
