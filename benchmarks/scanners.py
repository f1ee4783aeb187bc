"""What scanners of model files say of the corpus, beside `rfav scan`: how many files each flags, and how long it takes.

    python -m tests.corpus /tmp/corpus
    python -m benchmarks.scanners /tmp/corpus picklescan=venv-a/bin/python modelscan=venv-b/bin/python

The scanners need other versions of the same packages, so each is run by the Python of an environment of its own
(`pip install picklescan`, `modelscan`, `fickling typing_extensions`, `modelaudit`); one that is not named is left out.
Each file is looked at in a process of its own, which is ended after a minute. No file is loaded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

CHECKPOINTS = ("pickle", "legacy", "torch zip", "safetensors", "TorchScript", "exported")
"""The kinds of cases that are files of checkpoints, which the scanners are for."""
LOOKS = {
    "rfav": """
import contextlib, io
import torch, h5py
from rfav_cli.cli import run
import rfav_cli.commands.scan
VERSION = __import__("rfav_cli").__version__
def look(path):
    with contextlib.redirect_stdout(io.StringIO()):
        code = run(["scan", path])
    if code == 2:
        raise ValueError("could not be looked through whole")
    return code == 1
""",
    "picklescan": """
from importlib.metadata import version
from picklescan.scanner import scan_file_path
VERSION = version("picklescan")
def look(path):
    found = scan_file_path(path)
    if found.scan_err and not found.issues_count:
        raise ValueError("scan_err")
    return found.issues_count > 0
""",
    "modelscan": """
from importlib.metadata import version
from modelscan.modelscan import ModelScan
VERSION = version("modelscan")
def look(path):
    said = ModelScan().scan(path)
    if said["summary"]["total_issues"]:
        return True
    if said["errors"]:
        raise ValueError("errors")
    return False
""",
    "fickling": """
from importlib.metadata import version
import zipfile
from fickling.loader import scan_file, scan_zip_archive
VERSION = version("fickling")
def look(path):
    if not zipfile.is_zipfile(path):
        said = [scan_file(path, graceful=True)]
    else:
        said = list(scan_zip_archive(path, graceful=True).values())
    if any(not one.is_safe for one in said if one.results):
        return True
    if any(one.errors for one in said):
        raise ValueError("errors")
    return False
""",
    "modelaudit": """
from importlib.metadata import version
from modelaudit.core import scan_model_directory_or_file
VERSION = version("modelaudit")
def look(path):
    said = scan_model_directory_or_file(path, timeout=60)
    if any(str(getattr(issue.severity, "value", issue.severity)) in ("warning", "critical") for issue in said.issues):
        return True
    if said.has_errors:
        raise ValueError("errors")
    return False
""",
}
"""Scanner -> code that gives `VERSION` and `look(path)`: whether it flags a file; an exception where it cannot tell."""
_LOOP = """
import json, os, signal, sys, time, warnings, logging
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
print(json.dumps(VERSION), flush=True)
for path in sys.stdin.read().splitlines():
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        os.chdir(os.path.dirname(path))
        try:
            os._exit(1 if look(path) else 0)
        except BaseException:
            os._exit(2)
    _, status, usage = os.wait4(pid, 0)
    said = {0: "passed", 1: "flagged"}.get(os.waitstatus_to_exitcode(status), "error")
    print(json.dumps([said, usage.ru_utime + usage.ru_stime]), flush=True)
"""


def scanned(name: str, python: str, files: list[Path]) -> tuple[str, list[tuple[str, float]]]:
    """The scanner's version, and what it says of each file, with the seconds of CPU that it took.

    Raises:
        RuntimeError: it is not installed there, or ended early.
    """
    done = subprocess.run(
        [python, "-c", LOOKS[name] + _LOOP], input="\n".join(map(str, files)), capture_output=True, text=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if len(lines) != 1 + len(files):
        raise RuntimeError(f"{name} did not run: {done.stderr[-300:]}")
    return str(lines[0]), [(str(said), float(seconds)) for said, seconds in lines[1:]]


def rows_of(corpus: Path, what: str) -> list[dict[str, Any]]:
    """The cases of a made corpus that are single files of checkpoints."""
    rows: list[dict[str, Any]] = json.loads((corpus / "cases.json").read_text())
    return [row for row in rows if row["what"] == what and row["kind"] in CHECKPOINTS]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("scanners", nargs="*", help="NAME=PYTHON")
    parser.add_argument("--json", type=Path, help="what each says of each file, too")
    options = parser.parse_args()
    corpus = options.corpus.resolve()
    cases = {what: rows_of(corpus, what) for what in ("hostile", "harmless")}
    count = {what: len(rows) for what, rows in cases.items()}
    print(f"| scanner | hostile flagged (of {count['hostile']}) | passed | error | "
          f"harmless flagged (of {count['harmless']}) | passed | error | CPU a file |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    kept = {}
    for name, python in [("rfav", sys.executable), *(item.split("=", 1) for item in options.scanners)]:
        files = [corpus / row["folder"] / row["file"] for rows in cases.values() for row in rows]
        try:
            version, said = scanned(name, python, [file.absolute() for file in files])
        except RuntimeError as error:
            print(f"| {name} | {error} |")
            continue
        first = count["hostile"]
        tallies = [Counter(word for word, _ in part) for part in (said[:first], said[first:])]
        cells = [str(tally[word]) for tally in tallies for word in ("flagged", "passed", "error")]
        seconds = sum(taken for _, taken in said) / len(said)
        print(f"| {name} {version} | {' | '.join(cells)} | {seconds:.2f} s |", flush=True)
        kept[name] = dict(zip(map(str, files), said, strict=True))
    if options.json:
        options.json.write_text(json.dumps(kept, indent=0))


if __name__ == "__main__":
    main()
