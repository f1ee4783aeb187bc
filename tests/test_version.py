import re
from pathlib import Path

import rfav_cli
from rfav_cli.version import __version__


def test_the_package_says_the_version_that_it_is_built_with() -> None:
    settings = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    (path,) = re.findall(r'\[tool\.hatch\.version\]\npath = "(.+)"', settings)
    built = (Path(__file__).parent.parent / path).read_text(encoding="utf-8")
    assert rfav_cli.__version__ == __version__
    assert f'__version__ = "{__version__}"' in built
