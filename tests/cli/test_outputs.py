from pathlib import Path

import pytest
import typer

from rfav_cli.cli.outputs import printed_and_written

FORMATS = ("text", "json", "sarif")


def test_a_format_alone_is_printed_and_one_with_a_file_is_written() -> None:
    assert printed_and_written([], "text", FORMATS) == ("text", {})
    outputs = ["json", "sarif:a.sarif", "text:b:c.txt"]
    written = {Path("a.sarif"): "sarif", Path("b:c.txt"): "text"}
    assert printed_and_written(outputs, "text", FORMATS) == ("json", written)


@pytest.mark.parametrize("outputs", [["xml"], ["xml:a"], ["json:"], ["json", "text"], ["json:a", "text:a"]])
def test_what_cannot_be_meant_is_refused(outputs: list[str]) -> None:
    with pytest.raises(typer.BadParameter, match="--output"):
        printed_and_written(outputs, "text", FORMATS)
