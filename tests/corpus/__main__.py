"""`python -m tests.corpus OUT`: write the corpus, to be given to other programs, or to be looked at."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.corpus import harmless, hostile


def main() -> None:
    """Write OUT/hostile/NAME/case/FILE and OUT/harmless/NAME/case/FILE, and OUT/cases.json, which says what each is."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=main.__doc__)
    parser.add_argument("out", type=Path, help="a folder, which must be empty or new")
    out = parser.parse_args().out
    if out.exists() and any(out.iterdir()):
        parser.error(f"{out} is not empty")
    rows = []
    for what, cases in (("hostile", hostile()), ("harmless", harmless())):
        for case in cases:
            home = case.write(out / what / case.name)
            rows.append(
                {"what": what, "name": case.name, "kind": case.kind, "given": case.given}
                | {"folder": str(home.relative_to(out)), "file": case.file}
                | {"command": ["rfav", *case.arguments], "ends": case.ends}
            )
    (out / "cases.json").write_text(json.dumps(rows, indent=1))
    print(f"{out}: {len(hostile())} hostile and {len(harmless())} harmless cases; cases.json says what each is.")


if __name__ == "__main__":
    main()
