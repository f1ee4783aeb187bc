from __future__ import annotations

from typing import Any

import pytest

from rfav_cli.records import ScanFinding, ScannedFile, ScannedMember, ScannedTensor, ScanReport, Some
from rfav_cli.render import SCAN_FORMATS, Screen, render_scan
from rfav_cli.render.scan import as_listing, as_text
from tests.render.conftest import HOSTILE


def file_of(name: str = "net.pt", *findings: ScanFinding, text: str = "conv1", **more: Any) -> ScannedFile:
    return ScannedFile(
        name,
        "state_dict",
        "torch.save file",
        93_000,
        opens=not findings,
        why_not=findings[0].message if findings else "",
        tensors=Some((ScannedTensor(text, (2, 3), "float32", 24),), 1001),
        tensor_bytes=88_000,
        dtypes={"float32": 1001},
        metadata={text: text},
        classes=Some((text,), 1),
        members=Some((ScannedMember(text, 24, 12),), 1),
        findings=findings,
        **more,
    )


CLEAN = ScanReport((file_of(),))
DANGER = ScanReport((file_of("net.pt", ScanFinding("runs-code", "calls posix.system")), file_of("other.pt")))


def test_the_text_says_what_a_file_is_and_what_stands_out() -> None:
    text = as_text(DANGER, Screen(width=200))
    assert text.splitlines()[0] == "net.pt: torch.save file, 93.0 kB"
    assert "  danger: calls posix.system (RFAV301 runs-code)" in text.splitlines()
    assert "1,001 tensors of float32, 88.0 kB" in text
    assert text.splitlines()[-2] == "flagged: 2 files; 1 danger"
    assert text.splitlines()[-1].startswith("Do not load it.")
    assert as_text(CLEAN, Screen(width=200)).splitlines()[0].endswith("rfav would open it")


def test_only_the_listing_lists_and_says_how_many_more() -> None:
    assert "2×3" not in as_text(CLEAN, Screen())
    text = as_listing(CLEAN, Screen())
    assert "2×3" in text
    assert "  … 1,000 more tensors" in text.splitlines()
    assert "2x3" in as_listing(CLEAN, Screen(encoding="ascii"))


def test_of_very_many_files_the_clean_ones_are_counted() -> None:
    files = (*(file_of(f"{number}.pt") for number in range(999)), *DANGER.files)
    lines = as_text(ScanReport(files), Screen(width=200)).splitlines()
    assert "1,000 files without a finding: 1,000 torch.save files" in lines
    assert len(lines) < 10


@pytest.mark.parametrize("width", [40, 60, 80])
def test_it_fits_the_screen(width: int) -> None:
    text = as_text(DANGER, Screen(width=width))
    assert max(map(len, text.splitlines())) <= width


def test_colour_is_for_terminals() -> None:
    assert "\x1b" not in as_text(DANGER, Screen())
    assert "\x1b[1;31mdanger\x1b[0m" in as_text(DANGER, Screen(colour=True))


@pytest.mark.parametrize("output_format", SCAN_FORMATS)
def test_no_text_of_a_file_steers_anything(output_format: str) -> None:
    hostile = ScanReport((file_of(HOSTILE, ScanFinding("unusual", HOSTILE), text=HOSTILE),), notes=(HOSTILE,))
    for text in (render_scan(hostile, output_format), as_listing(hostile, Screen())):
        assert all(character.isprintable() or character == "\n" for character in text)
        assert not any(line.startswith("::") for line in text.splitlines())
