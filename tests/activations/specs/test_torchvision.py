from __future__ import annotations

import pytest
import torch
from torch import nn

from rfav_cli.activations.specs import net_maker


def test_torchvision(refused):
    pytest.importorskip("torchvision")
    assert isinstance(net_maker("torchvision:resnet18", ["num_classes=3"])(), nn.Module)
    assert "resnet18" in refused("torchvision:resnet81").remedy


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
        assert isinstance(net_maker("torchvision:lraspp_mobilenet_v3_large")(), nn.Module)


@pytest.mark.parametrize("argument", ["weights=DEFAULT", "pretrained=True", "weights_backbone=DEFAULT"])
def test_pretrained_weights_are_refused(argument, refused):
    assert "weights come from the checkpoints" in refused("torchvision:resnet18", [argument]).what
