"""`--transform`: names, and the user's own callables."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.data.transform import find_transform
from rfav_cli.data.transforms.base import Request
from rfav_cli.errors import RfavError, SampleError, UsageError

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 9, 7, 3), dtype=np.uint8)


def tensor_of(image):
    return torch.from_numpy(np.asarray(image, np.float32) / 128 - 1).movedim(-1, 0)


@pytest.fixture(params=["folder", "arrays", "pictures of a data set", "bytes of a data set"])
def source(request, tmp_path):
    """The same images from each kind of source."""
    if request.param == "folder":
        (tmp_path / "val").mkdir()
        for number, image in enumerate(IMAGES):
            Image.fromarray(image).save(tmp_path / "val" / f"{number}.png")
        return str(tmp_path / "val")
    if request.param == "arrays":
        np.savez(tmp_path / "val.npz", images=IMAGES)
        return str(tmp_path / "val.npz")
    return [Image.fromarray(image) for image in IMAGES] if "pictures" in request.param else list(IMAGES)


def read(source, transform, **options):
    return load_probe(source, options=SampleOptions(transform=transform, **options))


def test_what_it_gives_enters_the_net_from_each_source(source):
    probe = read(source, find_transform(tensor_of, Request()))
    assert (probe.mean, probe.std) == (None, None)
    expected = sorted(tensor_of(image).numpy().tobytes() for image in IMAGES)
    assert sorted(np.ascontiguousarray(row).tobytes() for row in probe.inputs) == expected
    assert probe.doubts == ()


def test_a_mean_after_a_transform_of_ones_own_is_told(source):
    told = "normalised by --mean and --std after all that --transform does itself"
    own = find_transform(tensor_of, Request())
    assert told in read(source, own, mean=(0.5,)).notes
    assert told not in read(source, own).notes
    assert told not in read(source, find_transform("imagenet", Request()), mean=(0.5,)).notes


def test_what_is_random_in_it_is_doubted(source):
    probe = read(source, find_transform(lambda image: tensor_of(image) + torch.rand(()), Request()))
    assert [doubt.kind for doubt in probe.doubts] == ["chance"]


def test_a_preset_and_a_size_hold_for_each_source(source):
    probe = read(source, find_transform("imagenet", Request()))
    assert (probe.inputs.shape, probe.inputs.dtype) == ((4, 3, 224, 224), np.uint8)
    assert probe.mean == (0.485, 0.456, 0.406)


def test_a_size_and_a_crop_hold_for_each_source(source):
    probe = load_probe(source, options=SampleOptions(resize=14, center_crop=12))
    assert probe.inputs.shape == (4, 3, 12, 12)


def transforms(_image=None):
    return tensor_of


class Made:
    def __call__(self, image):
        return tensor_of(image)


@pytest.mark.parametrize(
    "value", [tensor_of, Made, Made(), lambda: tensor_of, partial(tensor_of), lambda image: image.convert("L")]
)
def test_callables_and_what_makes_one(value):
    pixels = find_transform(value, Request()).pixels(Image.fromarray(IMAGES[0]))
    assert pixels.shape[:2] == (9, 7)


def test_what_an_image_processor_gives():
    processor = lambda image: {"pixel_values": [np.asarray(image, np.float64).transpose(2, 0, 1)]}  # noqa: E731
    pixels = find_transform(processor, Request()).pixels(Image.fromarray(IMAGES[0]))
    assert pixels.dtype == np.float32
    assert pixels.tolist() == IMAGES[0].tolist()


def test_code_by_name(tmp_path, monkeypatch):
    (tmp_path / "rfav_user_views.py").write_text(
        "import torch\nimport numpy as np\ndef view(image):\n    from rfav_user_late import F\n"
        "    return F * torch.from_numpy(np.asarray(image, np.float32)).movedim(-1, 0)\n"
    )
    (tmp_path / "rfav_user_late.py").write_text("F = 2\n")
    monkeypatch.chdir(tmp_path)
    for spec in ("rfav_user_views:view", "rfav_user_views.py:view"):
        pixels = find_transform(spec, Request()).pixels(Image.fromarray(IMAGES[0]))
        assert pixels.tolist() == (2 * IMAGES[0].astype(int)).tolist()
    with pytest.raises(SampleError, match=r"--transform rfav_user_views: there is no vieww\nDid you mean view"):
        find_transform("rfav_user_views:vieww", Request())


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ("imagenett", "there is no such transform"),
        (lambda image: 1 / 0, "it raised ZeroDivisionError"),
        (lambda image: "text", "it gives"),
        (lambda image: torch.zeros(3), r"it gives float32 of shape \(3,\)"),
        (lambda: 3, "an object of type int is no transform"),
        (lambda: 1 / 0, "making it raised ZeroDivisionError"),
    ],
)
def test_what_cannot_be_used_is_named(wanted, what):
    with pytest.raises(RfavError, match=rf"(?s)--transform .*{what}") as caught:
        find_transform(wanted, Request()).pixels(Image.fromarray(IMAGES[0]))
    assert caught.value.remedy


def test_two_sizes_are_refused(tmp_path):
    with pytest.raises(SampleError, match="--transform and --resize: both"):
        SampleOptions(transform=find_transform(tensor_of, Request()), resize=8)


def test_floating_point_images_are_no_pictures(tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES.astype(np.float32))
    with pytest.raises(SampleError, match="--transform is for images of bytes"):
        read(str(tmp_path / "a.npz"), find_transform(tensor_of, Request()))


def test_no_transform():
    assert find_transform(None, Request()) is None
    with pytest.raises(UsageError):
        find_transform("a b:c", Request())
