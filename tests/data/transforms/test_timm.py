"""`--transform timm`."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from rfav_cli.data.transform import find_transform
from rfav_cli.data.transforms.base import Request
from rfav_cli.errors import SampleError, UsageError

NAME = "vit_tiny_patch16_224"


@pytest.mark.parametrize(
    ("spec", "request_of"),
    [
        ("timm", Request(f"timm:{NAME}")),
        (f"timm:{NAME}", Request("nets:make")),
        ("timm", Request(f"timm:{NAME}", ("img_size=96", "num_classes=3"))),
    ],
)
def test_it_is_what_timm_makes(spec, request_of):
    data = pytest.importorskip("timm.data")
    import timm

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (260, 300, 3), dtype=np.uint8))
    arguments = {"img_size": 96} if request_of.model_arg else {}
    config = data.resolve_data_config(arguments, pretrained_cfg=timm.get_pretrained_cfg(NAME).to_dict())
    transform = find_transform(spec, request_of)
    expected = data.create_transform(**config, is_training=False)(image).numpy()
    np.testing.assert_array_equal(np.moveaxis(transform.pixels(image), -1, 0), expected)
    assert "x".join(map(str, config["input_size"])) in transform.note


def test_a_net_of_timm_is_needed():
    with pytest.raises(UsageError, match="which net is it of"):
        find_transform("timm", Request("torchvision:resnet18"))


def test_without_timm_there_is_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(SampleError, match=r"pip install 'rfav-cli\[timm\]'"):
        find_transform(f"timm:{NAME}", Request())


def test_a_net_that_timm_has_not():
    pytest.importorskip("timm")
    with pytest.raises(SampleError, match="there is no vit_nano"):
        find_transform("timm:vit_nano", Request())
