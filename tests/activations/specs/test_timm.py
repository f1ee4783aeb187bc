from __future__ import annotations

import pytest
import torch

from rfav_cli.activations.specs import net_maker


def test_timm(refused):
    pytest.importorskip("timm")
    net = net_maker("timm:vit_tiny_patch16_224", ["num_classes=3", "depth=1", "img_size=32"])()
    assert net(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert "vit_tiny_patch16_224" in refused("timm:vit_tiny_patch16_225").remedy
