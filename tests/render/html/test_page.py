"""The page of a report: one file, whose policy lets nothing in but its own script, whatever the stores say."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from rfav_cli.diagnosis import judge
from rfav_cli.render.html.page import MARK, embedded, page
from rfav_cli.render.html.prepared import PreparedRun, prepare
from tests.render.figures.histories import KINDS


class Reader(HTMLParser):
    """Scripts by id ("" for the module), styles, and every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._at: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._at = (dict(attrs).get("id") or tag) if tag in {"script", "style"} else None

    def handle_endtag(self, tag: str) -> None:
        self._at = None

    def handle_data(self, data: str) -> None:
        if self._at is not None:
            self.texts[self._at] = self.texts.get(self._at, "") + data


def run_of(kind: str) -> PreparedRun:
    history = KINDS[kind]
    return prepare(history, judge(history), history.loss, name="</script><b>")


def test_every_block_and_the_manifest_can_be_read_back() -> None:
    runs = [run_of("plain"), run_of("hostile")]
    text = "".join(page(runs, "1.2.3"))
    assert text.startswith(MARK)
    read = Reader(text)
    manifest = json.loads(read.texts["rfav-manifest"])
    assert (manifest["schema"], manifest["version"]) == (1, "1.2.3")
    assert [{**run.manifest, "id": str(number)} for number, run in enumerate(runs)] == manifest["runs"]
    for number, run in enumerate(runs):
        for name, block in run.blocks.items():
            assert base64.b64decode(read.texts[f"rfav-{number}-{name}"]) == block.packed(), name


def test_the_policy_lets_its_own_script_and_styles_run_and_nothing_else() -> None:
    read = Reader("".join(page([run_of("hostile")], "1")))
    (policy,) = (attributes["content"] for tag, attributes in read.tags if "http-equiv" in attributes)
    allowed = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    assert allowed["default-src"] == "'none'"
    for directive, name in (("script-src", "script"), ("style-src", "style")):
        digest = base64.b64encode(hashlib.sha256(read.texts[name].encode()).digest()).decode()
        assert allowed[directive] == f"'sha256-{digest}'"
    running = [attributes for tag, attributes in read.tags if tag == "script" and attributes.get("type") == "module"]
    assert running == [{"type": "module"}]
    assert not any(
        name.startswith("on") or name in {"src", "href"} for _, attributes in read.tags for name in attributes
    )


def test_no_text_ends_the_json_that_it_stands_in() -> None:
    document = {"</script>": ["<!--", "&amp;", "\u2028é", 1.5, None]}
    text = embedded(document)
    assert not re.search(r"[<>&\u2028é]", text)
    assert json.loads(text) == document


def test_a_number_that_is_not_finite_is_no_page() -> None:
    with pytest.raises(ValueError, match="JSON"):
        embedded({"loss": np.nan})
