from __future__ import annotations

import importlib
import sys

import pytest

from rfav_cli.training.integrations import INTEGRATIONS


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_a_framework_that_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    for module in [
        each for each in sys.modules if each.startswith(f"{name}.") or each.endswith(f"integrations.{name}")
    ]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(ImportError, match=rf"rfav-cli\[{name}\]"):
        importlib.import_module(f"rfav_cli.training.integrations.{name}")
