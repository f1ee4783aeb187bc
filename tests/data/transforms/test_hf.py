"""`--transform hf`: a processor's file, read as data, does what the processor does."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.data.transform import find_transform
from rfav_cli.data.transforms.base import Request
from rfav_cli.errors import SampleError

HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_normalize": True}
VIT = {"do_resize": True, "size": {"height": 32, "width": 24}, "resample": 2, "do_rescale": True, **HALF}
CLIP = {"size": {"shortest_edge": 30}, "do_center_crop": True, "crop_size": {"height": 24, "width": 24}, "resample": 3}
CONFIGS = {
    "ViTImageProcessor": VIT,
    "CLIPImageProcessor": CLIP | HALF,
    "ConvNextImageProcessor": {"size": {"shortest_edge": 28}, "crop_pct": 0.875, "resample": 3} | HALF,
}


@pytest.fixture
def write(tmp_path):
    def put(config, name="preprocessor_config.json"):
        (tmp_path / name).write_text(config if isinstance(config, str) else json.dumps(config))
        return find_transform(f"hf:{tmp_path}", Request())

    return put


@pytest.fixture
def image():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (57, 80, 3), dtype=np.uint8))


def entered(transform, image):
    pixels = np.moveaxis(transform.pixels(image), -1, 0).astype(np.float64)
    if transform.preset is None:
        return pixels
    mean, std = (np.asarray(values).reshape(-1, 1, 1) for values in transform.preset)
    return (pixels / 255 - mean) / std


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        (VIT, (32, 24, 3)),
        (CLIP, (24, 24, 3)),
        (CLIP | {"do_center_crop": False}, (30, 42, 3)),
        ({"size": 20, **HALF}, (20, 20, 3)),
        ({"size": 20, "do_center_crop": True, "crop_size": 16}, (16, 16, 3)),
        (CONFIGS["ConvNextImageProcessor"] | {"image_processor_type": "ConvNextImageProcessor"}, (28, 28, 3)),
        ({"do_resize": False, **HALF}, (57, 80, 3)),
        ({"image_processor": VIT}, (32, 24, 3)),
    ],
)
def test_sizes(write, image, config, shape):
    assert write(config).pixels(image).shape == shape


def test_other_factors_and_no_normalisation(write, image):
    plain = np.asarray(image, np.float32)
    found = write({"do_resize": False, "rescale_factor": 1 / 127.5, **HALF}).pixels(image)
    np.testing.assert_allclose(found, (plain / 127.5 - 0.5) / 0.5, atol=1e-5)
    found = write({"do_resize": False, "do_normalize": False, "do_rescale": False, "size": 3}).pixels(image)
    assert found.tolist() == plain.tolist()
    transform = write({"do_resize": False, "do_normalize": False, "size": 3})
    assert transform.preset is None
    assert transform.pixels(image).dtype == np.uint8


@pytest.mark.parametrize("kind", CONFIGS)
def test_it_is_what_the_processor_gives(write, image, kind):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torchvision")
    config = CONFIGS[kind] | {"image_processor_type": kind}
    processor = getattr(transformers, kind)(**CONFIGS[kind])
    expected = np.asarray(processor(image, return_tensors="pt")["pixel_values"][0])
    found = entered(write(config), image)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=3 * 2 / 255)  # it may resize tensors, which rounds otherwise


def test_it_is_found_where_the_checkpoints_are(tmp_path, image):
    (tmp_path / "checkpoint-3").mkdir()
    (tmp_path / "checkpoint-3" / "preprocessor_config.json").write_text(json.dumps(VIT))
    transform = find_transform("hf", Request(places=(tmp_path, tmp_path / "checkpoint-3")))
    assert transform.pixels(image).shape == (32, 24, 3)
    with pytest.raises(SampleError, match=r"there is no preprocessor_config.json\n.*hf:FOLDER"):
        find_transform("hf", Request(places=(tmp_path,)))


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ("{", "Expecting property name"),
        ("[]", "describes no image processor"),
        ({"tokenizer": 3}, "describes no image processor"),
        (VIT | {"do_pad": True}, "do_pad of an image processor is not done"),
        (VIT | {"image_processor_type": "LevitImageProcessor"}, "Levit of LevitImageProcessor is not done"),
        (VIT | {"size": {"height": 10**9, "width": 3}}, "size is 1000000000"),
        (VIT | {"size": {"longest_edge": 3}}, "size is"),
        (VIT | {"size": "\x1b[31m"}, r"size is \\x1b"),
        (VIT | {"resample": 17}, "resample is 17"),
        (VIT | {"image_mean": ["a"]}, "image_mean is"),
        (VIT | {"image_std": [0, 1, 1]}, "image_std is"),
        (VIT | {"rescale_factor": "a"}, "rescale_factor is a"),
        (CLIP | {"crop_pct": 0, "image_processor_type": "PoolFormerImageProcessor"}, "crop_pct is 0"),
    ],
)
def test_what_cannot_be_done_is_refused(write, config, what):
    with pytest.raises(SampleError, match=what) as caught:
        write(config)
    assert caught.value.what.isprintable()


def test_a_folder_goes_through_it(write, tmp_path, image):
    (tmp_path / "val").mkdir()
    image.save(tmp_path / "val" / "a.png")
    probe = load_probe(str(tmp_path / "val"), options=SampleOptions(transform=write(VIT)))
    assert probe.mean == (0.5, 0.5, 0.5)
    batch = probe.batch(slice(0, 1), torch.device("cpu"))[0].numpy()
    np.testing.assert_allclose(batch, entered(write(VIT), image), atol=1e-5)
