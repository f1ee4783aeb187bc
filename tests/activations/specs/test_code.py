"""The user's own code, and what is said where it makes no net."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from rfav_cli.activations.specs import net_maker


@pytest.mark.parametrize(("attribute", "width"), [("make_net", 4), ("Net.make", 3), ("ready", 5), ("late", 6)])
def test_a_module_of_the_current_folder(nets, attribute, width):
    net = net_maker(f"{nets}:{attribute}")()
    assert net(torch.zeros(1, 2)).shape == (1, width)


def test_the_import_path_is_left_as_it_was(nets, refused):
    before = list(sys.path)
    net_maker(f"{nets}:late")()
    refused(f"{nets}:broken")
    refused("no_such_module:make")
    assert sys.path == before


def test_each_call_makes_a_new_net(nets):
    make = net_maker(f"{nets}:make_net")
    assert make() is not make()


def test_a_file_and_what_lies_beside_it(nets, monkeypatch):
    path = Path("rfav_user_nets.py").resolve()
    monkeypatch.chdir("/")
    assert net_maker(f"{path}:late")().out_features == 6


@pytest.mark.parametrize("spec", ["", "module", "module:", ":make", ":", "\x1b[2J"])
def test_no_factory_named(spec, refused):
    assert "names no factory" in refused(spec).what


@pytest.mark.parametrize("module", ["no_such_module", "rfav_user_nets.inner", "torch.no_such", "nets/model", ".nets"])
def test_module_not_found(nets, module, refused):
    error = refused(f"{module}:make")
    assert "there is no module" in error.what
    assert module.split(".")[-1] in error.what


def test_a_package_that_the_users_module_lacks(nets, refused):
    Path("rfav_user_needy.py").write_text("import no_such_package\n")
    error = refused("rfav_user_needy:make")
    assert error.what == (
        "--model rfav_user_needy: importing it raised ModuleNotFoundError: No module named 'no_such_package'"
    )


@pytest.mark.parametrize("body", ["raise ValueError('late')", "import sys; sys.exit('late')", "late = ="])
def test_a_module_that_does_not_import(nets, body, refused):
    Path("rfav_user_bad.py").write_text(body)
    assert "importing it raised" in refused("rfav_user_bad:make").what
    assert "importing it raised" in refused("rfav_user_bad.py:make").what


def test_file_not_found(refused):
    assert "no such file" in refused("no_such_file.py:make").what


def test_close_attributes_are_named(nets, refused):
    error = refused(f"{nets}:make_nett")
    assert "there is no make_nett" in error.what
    assert error.remedy == "Did you mean make_net?"
    assert refused(f"{nets}:Net.mak").remedy == "Did you mean make?"
    assert refused(f"{nets}:xyzzy").remedy == "Name a factory in it."


def test_what_is_no_factory(nets, refused):
    assert refused(f"{nets}:text").what == f"--model {nets}:text: an object of type str is no factory"


def test_a_factory_that_raises(nets, refused):
    error = refused(f"{nets}:broken")
    assert error.what == f"--model {nets}:broken: making the net raised ZeroDivisionError: one two\\x1b[31m"
    assert error.remedy == "Put it right in the factory."


def test_arguments_that_the_factory_does_not_take(nets, refused):
    error = refused(f"{nets}:make_net", ["depth=3"])
    assert "unexpected keyword argument 'depth'" in error.what
    assert "--model-arg" in error.remedy
    assert "takes no arguments" in refused(f"{nets}:ready", ["width=3"]).what


def test_a_factory_that_returns_no_net(nets, refused):
    assert refused(f"{nets}:number").what.endswith("it returned an object of type int, not a torch.nn.Module")


def test_arguments_that_the_factory_needs(nets, refused):
    Path("needy.py").write_text(
        "from torch import nn\n\ndef make(width, *, depth, bias=True):\n    return nn.Linear(2, width)\n"
    )
    error = refused("needy.py:make", ["depth=1"])
    assert error.what == "--model needy.py:make: it needs width, which the command does not give"
    assert error.remedy.startswith("Add --model-arg width=…, or write a function")


def test_what_python_gives_is_made_with_arguments_too(nets):
    assert net_maker(torch.nn.Linear, ["in_features=3", "out_features=2"])().out_features == 2
