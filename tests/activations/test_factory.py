"""`--model`: what makes a net, and what is said where nothing does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from rfav_cli.activations.factory import make_factory
from rfav_cli.errors import ModelError

NETS = """
from torch import nn

class Net(nn.Sequential):
    @classmethod
    def make(cls, width=3):
        return cls(nn.Linear(2, width))

def make_net(width=4, bias=True):
    return nn.Linear(2, width, bias=bias)

def echo(**given):
    net = nn.Identity()
    net.given = given
    return net

def late():
    from neighbour import WIDTH
    return nn.Linear(2, WIDTH)

def broken():
    raise ZeroDivisionError("one\\ntwo\\x1b[31m")

def number():
    return 3

ready = nn.Linear(2, 5)
text = "no factory"
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """The current folder holds `rfav_user_nets.py`; its modules are forgotten afterwards."""
    (tmp_path / "rfav_user_nets.py").write_text(NETS)
    (tmp_path / "neighbour.py").write_text("WIDTH = 6\n")
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield "rfav_user_nets"
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def refused(spec, arguments=()) -> ModelError:
    with pytest.raises(ModelError) as caught:
        make_factory(spec, arguments)()
    assert caught.value.remedy
    assert all(line.isprintable() for line in (caught.value.what, caught.value.remedy))
    return caught.value


@pytest.mark.parametrize(("attribute", "width"), [("make_net", 4), ("Net.make", 3), ("ready", 5), ("late", 6)])
def test_a_module_of_the_current_folder(nets, attribute, width):
    net = make_factory(f"{nets}:{attribute}")()
    assert net(torch.zeros(1, 2)).shape == (1, width)


def test_the_import_path_is_left_as_it_was(nets):
    before = list(sys.path)
    make_factory(f"{nets}:late")()
    refused(f"{nets}:broken")
    refused("no_such_module:make")
    assert sys.path == before


def test_each_call_makes_a_new_net(nets):
    make = make_factory(f"{nets}:make_net")
    assert make() is not make()


def test_a_file_and_what_lies_beside_it(nets, monkeypatch):
    path = Path("rfav_user_nets.py").resolve()
    monkeypatch.chdir("/")
    assert make_factory(f"{path}:late")().out_features == 6


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-1.5e-3", -0.0015),
        ("True", True),
        ("None", None),
        ("(1, 2)", (1, 2)),
        ("'5'", "5"),
        ("relu", "relu"),
        ("a=b", "a=b"),
        ("", ""),
        ("__import__('os').getcwd()", "__import__('os').getcwd()"),
        ("(" * 1000, "(" * 1000),
    ],
)
def test_arguments_are_literals_where_they_read_as_such(nets, text, value):
    assert make_factory(f"{nets}:echo", [f"key={text}", "other=1"])().given == {"key": value, "other": 1}


@pytest.mark.parametrize("argument", ["classes", "=3", "2x=3", "a b=3", "\x1b=3"])
def test_what_is_no_argument(nets, argument):
    assert "not KEY=VALUE" in refused(f"{nets}:make_net", [argument]).what


def test_an_argument_twice(nets):
    assert "width: given twice" in refused(f"{nets}:make_net", ["width=3", "width=4"]).what


@pytest.mark.parametrize("spec", ["", "module", "module:", ":make", ":", "zoo:", "\x1b[2J"])
def test_no_factory_named(spec):
    assert "names no factory" in refused(spec).what


@pytest.mark.parametrize("module", ["no_such_module", "rfav_user_nets.inner", "torch.no_such", "nets/model", ".nets"])
def test_module_not_found(nets, module):
    error = refused(f"{module}:make")
    assert "there is no module" in error.what
    assert module.split(".")[-1] in error.what


def test_a_package_that_the_users_module_lacks(nets):
    Path("rfav_user_needy.py").write_text("import no_such_package\n")
    error = refused("rfav_user_needy:make")
    assert error.what == (
        "--model rfav_user_needy: importing it raised ModuleNotFoundError: No module named 'no_such_package'"
    )


@pytest.mark.parametrize("body", ["raise ValueError('late')", "import sys; sys.exit('late')", "late = ="])
def test_a_module_that_does_not_import(nets, body):
    Path("rfav_user_bad.py").write_text(body)
    assert "importing it raised" in refused("rfav_user_bad:make").what
    assert "importing it raised" in refused("rfav_user_bad.py:make").what


def test_file_not_found():
    assert "no such file" in refused("no_such_file.py:make").what


def test_close_attributes_are_named(nets):
    error = refused(f"{nets}:make_nett")
    assert "there is no make_nett" in error.what
    assert error.remedy == "Did you mean make_net?"
    assert refused(f"{nets}:Net.mak").remedy == "Did you mean make?"
    assert refused(f"{nets}:xyzzy").remedy == "Name a factory in it."


def test_what_is_no_factory(nets):
    assert refused(f"{nets}:text").what == f"--model {nets}:text: an object of type str is no factory"


def test_a_factory_that_raises(nets):
    error = refused(f"{nets}:broken")
    assert error.what == f"--model {nets}:broken: making the net raised ZeroDivisionError: one two\\x1b[31m"
    assert error.remedy == "Put it right in the factory."


def test_arguments_that_the_factory_does_not_take(nets):
    error = refused(f"{nets}:make_net", ["depth=3"])
    assert "unexpected keyword argument 'depth'" in error.what
    assert "--model-arg" in error.remedy
    assert "takes no arguments" in refused(f"{nets}:ready", ["width=3"]).what


def test_a_factory_that_returns_no_net(nets):
    assert refused(f"{nets}:number").what.endswith("it returned an object of type int, not a torch.nn.Module")


def test_zoo():
    net = make_factory("zoo:vanillanet-s", ["classes=7", "channels=1", "image_size=28"])()
    assert net(torch.zeros(1, 1, 28, 28)).shape == (1, 7)
    assert "Did you mean vanillanet-s" in refused("zoo:vanilanet-s").remedy
    assert "lenet" in refused("zoo:xyzzy").remedy
    assert "multiple of 4" in refused("zoo:vanillanet-s", ["image_size=30"]).what


def test_torchvision():
    pytest.importorskip("torchvision")
    assert isinstance(make_factory("torchvision:resnet18", ["num_classes=3"])(), nn.Module)
    assert "resnet18" in refused("torchvision:resnet81").remedy


def test_timm():
    pytest.importorskip("timm")
    net = make_factory("timm:vit_tiny_patch16_224", ["num_classes=3", "depth=1", "img_size=32"])()
    assert net(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert "vit_tiny_patch16_224" in refused("timm:vit_tiny_patch16_225").remedy


@pytest.fixture
def offline(monkeypatch):
    """Any download is an error."""

    def download(*_, **__):
        raise AssertionError("a download")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", download)
    monkeypatch.setattr("urllib.request.urlopen", download)


def test_a_backbone_is_not_downloaded(offline):
    pytest.importorskip("torchvision")
    with torch.device("meta"):
        assert isinstance(make_factory("torchvision:lraspp_mobilenet_v3_large")(), nn.Module)


@pytest.mark.parametrize("argument", ["weights=DEFAULT", "pretrained=True", "weights_backbone=DEFAULT"])
def test_pretrained_weights_are_refused(argument):
    assert "weights come from the checkpoints" in refused("torchvision:resnet18", [argument]).what


@pytest.mark.parametrize(("extra", "spec"), [("torchvision", "torchvision:resnet18"), ("timm", "timm:resnet18")])
def test_an_extra_that_is_not_installed(monkeypatch, extra, spec):
    monkeypatch.setitem(sys.modules, extra, None)
    monkeypatch.delitem(sys.modules, "torchvision.models", raising=False)
    assert refused(spec).remedy == f"pip install 'rfav-cli[{extra}]'"
