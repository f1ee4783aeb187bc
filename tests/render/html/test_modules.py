"""The front-end's modules as one script: each once, in an order in which it can run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import rfav_cli
from rfav_cli.render.html import modules
from rfav_cli.render.html.modules import script, source, stylesheet

FRONTEND = Path(rfav_cli.__file__).parent / "render" / "html" / "frontend"


def pretend(monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    monkeypatch.setattr(modules, "source", lambda name: files[name.removesuffix(".js")])


@pytest.mark.parametrize("entry", ["report", "tensorboard"])
def test_a_module_comes_once_and_after_what_it_imports(entry: str) -> None:
    text = script(entry)
    order = re.findall(r"^const \$(\w+) = \(\(\) => \{$", text, re.MULTILINE)
    assert len(order) == len(set(order))
    assert order[-1] == entry
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    for name in order:
        for needed in re.findall(r'^import .* from "\./(\w+)\.js";$', source(f"{name}.js"), re.MULTILINE):
            assert order.index(needed) < order.index(name)


def test_every_module_is_in_one_of_the_pages_and_keeps_to_the_two_forms() -> None:
    used = {
        name for entry in ("report", "tensorboard") for name in re.findall(r"^const \$(\w+) = ", script(entry), re.M)
    }
    assert {path.stem for path in FRONTEND.glob("*.js")} == used
    for path in FRONTEND.glob("*.js"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.match(r"\s*(import|export)\b", line):
                assert modules._IMPORT.match(line + "\n") or modules._EXPORT.match(line), line


def test_names_of_modules_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    main = """import { value as one, Two } from "./a.js";
import { value } from "./b.js";
console.log(one, value, new Two().three);
"""
    a = "const hidden = 1;\nexport const value = hidden;\nexport class Two { three = 3; }\n"
    b = """import { value as before } from "./a.js";
const hidden = before + 1;
export const value = hidden;
export async function f() {}
"""
    pretend(monkeypatch, main=main, a=a, b=b)
    text = script("main")
    assert text.count("const $a =") == 1
    assert "const { value: one, Two } = $a;" in text
    node = shutil.which("node")
    if node is not None:
        done = subprocess.run([node, "-e", text], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("1 2 3\n", "")


def test_modules_that_import_each_other_are_an_error_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, a='import { b } from "./b.js";\n', b='import { a } from "./a.js";\n')
    with pytest.raises(ValueError, match="a -> b -> a"):
        script("a")


def test_the_styles_are_those_of_the_front_end_and_fetch_nothing() -> None:
    assert stylesheet() == (FRONTEND / "style.css").read_text(encoding="utf-8")
    assert not re.search(r"@import|url\(", stylesheet())
    assert "</style" not in stylesheet()
    assert "</script" not in script("report")
