"""`--transform imagenet`, held against torchvision where that is installed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.data.transform import find_transform
from rfav_cli.data.transforms.base import Request
from rfav_cli.errors import UsageError


@pytest.fixture
def pictures(tmp_path):
    chance = np.random.default_rng(0)
    (tmp_path / "val").mkdir()
    for name, size in (("a", (300, 401)), ("b", (500, 280)), ("c", (256, 256)), ("d", (120, 90))):
        Image.fromarray(chance.integers(0, 256, (*size, 3), dtype=np.uint8)).save(tmp_path / "val" / f"{name}.png")
    return tmp_path / "val"


def probe_of(folder):
    return load_probe(str(folder), options=SampleOptions(transform=find_transform("imagenet", Request())))


def test_images_are_of_the_size_and_normalised(pictures):
    probe = probe_of(pictures)
    assert (probe.inputs.shape, probe.inputs.dtype) == ((4, 3, 224, 224), np.uint8)
    assert (probe.mean[0], probe.std[0]) == (0.485, 0.229)
    assert "224x224" in " ".join(probe.notes)


@pytest.mark.parametrize("version", ["", ".v2"])
def test_it_is_what_torchvision_gives(pictures, version):
    transforms = pytest.importorskip(f"torchvision.transforms{version}")
    as_tensor = (
        [transforms.PILToTensor(), transforms.ToDtype(torch.float32, scale=True)]
        if version
        else [transforms.ToTensor()]
    )
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    steps = [transforms.Resize(256), transforms.CenterCrop(224), *as_tensor, transforms.Normalize(mean, std)]
    compose, probe = transforms.Compose(steps), probe_of(pictures)
    batch = probe.batch(slice(0, 4), torch.device("cpu"))
    for file in pictures.iterdir():
        differences = (batch - compose(Image.open(file))).abs().amax((1, 2, 3))
        assert differences.min() <= (1e-6 if version else 0)  # v2 multiplies where v1 divides


def test_it_has_no_address():
    with pytest.raises(UsageError, match="imagenet has no address"):
        find_transform("imagenet:21k", Request())
