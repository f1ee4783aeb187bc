"""Which file of the table takes a specification, and what its arguments are."""

from __future__ import annotations

import sys

import pytest

from rfav_cli.activations.specs import SPECS, net_maker


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
    assert net_maker(f"{nets}:echo", [f"key={text}", "other=1"])().given == {"key": value, "other": 1}


@pytest.mark.parametrize("argument", ["classes", "=3", "2x=3", "a b=3", "\x1b=3"])
def test_what_is_no_argument(nets, argument, refused):
    assert "not KEY=VALUE" in refused(f"{nets}:make_net", [argument]).what


def test_an_argument_twice(nets, refused):
    assert "width: given twice" in refused(f"{nets}:make_net", ["width=3", "width=4"]).what


@pytest.mark.parametrize(("extra", "spec"), [("torchvision", "torchvision:resnet18"), ("timm", "timm:resnet18")])
def test_an_extra_that_is_not_installed(monkeypatch, extra, spec, refused):
    monkeypatch.setitem(sys.modules, extra, None)
    monkeypatch.delitem(sys.modules, "torchvision.models", raising=False)
    assert refused(spec).remedy == f"pip install 'rfav-cli[{extra}]'"


@pytest.mark.parametrize("spec", ["zoo:", "timm:", "torchvision:"])
def test_a_library_without_a_name(spec, refused):
    assert refused(spec).what == f"--model {spec}: it names no net"
    assert refused(spec).remedy == f"Write {spec}NAME."


def test_no_model_needs_no_maker():
    assert net_maker(None) is None


def test_all_forms_are_told_of_what_is_none(refused):
    assert all(form in refused("make_net").remedy for form in SPECS.values())
