from __future__ import annotations

import torch

from rfav_cli.activations.specs import net_maker


def test_zoo(refused):
    net = net_maker("zoo:vanillanet-s", ["classes=7", "channels=1", "image_size=28"])()
    assert net(torch.zeros(1, 1, 28, 28)).shape == (1, 7)
    assert "Did you mean vanillanet-s" in refused("zoo:vanilanet-s").remedy
    assert "lenet" in refused("zoo:xyzzy").remedy
    assert "multiple of 4" in refused("zoo:vanillanet-s", ["image_size=30"]).what
