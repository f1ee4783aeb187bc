"""The front-end's modules without a browser: tests that node runs. Without node, these skip and say so."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FRONTEND = HERE.parents[3] / "rfav_cli" / "render" / "html" / "frontend"
TESTS = sorted(path.name for path in HERE.glob("*.test.mjs"))
PURE = ("numbers", "data", "state", "colour")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests and the modules in their places, below a package that says that all are modules; as the page does."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copytree(FRONTEND, folder / "rfav_cli" / "render" / "html" / "frontend")
    shutil.copytree(
        HERE, folder / "tests" / "render" / "html" / "frontend", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    return folder


def run_by_node(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the front-end's modules are NOT TESTED: there is no node")
    command = [node, "--test", "--test-reporter=tap", f"tests/render/html/frontend/{name}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", TESTS)
def test_node_runs(copied: Path, name: str) -> None:
    done = run_by_node(copied, name)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    written = (HERE / name).read_text(encoding="utf-8").count('\ntest("')
    assert passed
    assert int(passed[1]) >= written > 0


def test_a_test_that_fails_is_seen(copied: Path) -> None:
    wrong = 'import { test } from "node:test";\ntest("fails", () => { throw new Error("as it should"); });\n'
    (copied / "tests" / "render" / "html" / "frontend" / "wrong.test.mjs").write_text(wrong)
    done = run_by_node(copied, "wrong.test.mjs")
    assert done.returncode != 0
    assert "as it should" in done.stdout


def test_each_pure_module_has_its_tests() -> None:
    assert {f"{name}.test.mjs" for name in PURE} <= set(TESTS)
    for name in TESTS:
        assert (FRONTEND / name.replace(".test.mjs", ".js")).is_file()
