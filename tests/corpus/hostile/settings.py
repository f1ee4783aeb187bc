"""A pyproject.toml that lies with the files: it is no authority on what may run, or where results go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.corpus.case import Case
from tests.corpus.hostile.pickles import ATTACKS
from tests.corpus.opcodes import beside

if TYPE_CHECKING:
    from pathlib import Path

MODEL = 'model = "corpus_net.py:make_net"\n'
CODE = {
    "model": 'model = "corpus_canary.py:make"\n',
    "model-of-a-module": 'model = "corpus_canary:make"\n',
    "loss": f'{MODEL}loss = "corpus_canary.py:make"\n',
    "transform": f'{MODEL}transform = "corpus_canary.py:make"\n',
    "train-probe": f'{MODEL}train-probe = "corpus_canary.py:make"\n',
}
PLACES = {
    "output-elsewhere": 'out = "../elsewhere/rfav.h5"\n',
    "output-absolute": 'out = "/tmp/corpus-elsewhere.h5"\n',
    "tensorboard-elsewhere": 'tensorboard = "../elsewhere/events"\n',
}
BROKEN = {
    "deep": b"x = " + b"[" * 100_000 + b"]" * 100_000,
    "deep-tables": b"x = " + b"{a = " * 50_000 + b"1" + b"}" * 50_000,
    "dotted": b".".join([b"a"] * 50_000) + b" = 1\n",
    "not-utf-8": b"[tool.rfav]\nmodel = '\xff\xfe'\n",
    "no-toml": b"[tool.rfav\n",
    "number-long": b"[tool.rfav]\nseed = " + b"9" * 10_000 + b"\n",
    "number-nan": b"[tool.rfav]\nseed = nan\n",
    "is-a-number": b"tool = 5\n",
    "is-a-list": b"[[tool.rfav]]\nseed = 1\n",
    "unknown-name": b'[tool.rfav]\n"\\u001b[31m" = 1\n',
    "value-of-escapes": b'[tool.rfav]\nmodel = "\\u001b[31m\\n::error::"\n',
    "wrong-type": b"[tool.rfav]\nprobe-size = {a = 1}\n",
    "nulls": bytes(5000),
}


def _settings(text: str, path: Path) -> None:
    path.write_text(f"[tool.rfav]\n{text}")


def _trusting(option: str, path: Path) -> None:
    _settings(f"{MODEL}{option}", path)
    beside(path.parent / "epoch_1.pt", ATTACKS["os-system"])


def _raw(content: bytes, path: Path) -> None:
    path.write_bytes(content)


CASES = [
    *(
        Case(f"settings-{name}", "settings", partial(_settings, text), "settings with the model", "pyproject.toml")
        for name, text in CODE.items()
    ),
    *(
        Case(f"settings-{name}", "settings", partial(_settings, MODEL + text), "settings with output", "pyproject.toml")
        for name, text in PLACES.items()
    ),
    *(
        Case(
            f"settings-trusts-{name}",
            "settings",
            partial(_trusting, option),
            "settings",
            "pyproject.toml",
            says=("epoch_1.pt",),
        )
        for name, option in {
            "pickles": "i-trust-this-pickle = true\n",
            "pickles-of-a-command": "[tool.rfav.analyze]\ni-trust-this-pickle = true\n",
            "programs": "i-trust-this-program = true\n",
        }.items()
    ),
    *(
        Case(
            f"settings-{name}",
            "settings",
            partial(_raw, content),
            "settings",
            "pyproject.toml",
            (0, 2) if name == "value-of-escapes" else (2,),
        )
        for name, content in BROKEN.items()
    ),
]
