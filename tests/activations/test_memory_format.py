"""Memory formats, with the strides that torch gives a new tensor."""

from __future__ import annotations

import pytest
import torch

from rfav_cli.activations.memory_format import laid_out

SHAPES = [(4, 1, 5, 5), (4, 3, 5, 5), (1, 3, 1, 1), (1, 1, 1, 1), (4, 3, 1, 5), (0, 3, 4, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("before", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("wanted", [torch.contiguous_format, torch.channels_last])
def test_strides_are_those_of_a_new_tensor(
    shape: tuple[int, ...], before: torch.memory_format, wanted: torch.memory_format
) -> None:
    values = torch.rand(shape)
    given = torch.empty(shape, memory_format=before).copy_(values)
    found = laid_out(given, channels_last=wanted is torch.channels_last)
    assert found.stride() == torch.empty(shape, memory_format=wanted).stride()
    assert torch.equal(found, values)


def test_what_lies_so_already_is_not_copied() -> None:
    images = torch.rand(4, 3, 5, 5)
    assert laid_out(images, channels_last=False) is images
    last = images.contiguous(memory_format=torch.channels_last)
    assert laid_out(last, channels_last=True) is last


@pytest.mark.parametrize("shape", [(4, 7), (4, 2, 7), (4, 1, 3, 3, 3)])
def test_only_images_have_channels_last(shape: tuple[int, ...]) -> None:
    samples = torch.rand(shape).transpose(0, 1).contiguous().transpose(0, 1)
    assert laid_out(samples, channels_last=True).is_contiguous()


def test_a_view_of_one_channel_that_contiguous_leaves_as_it_is() -> None:
    images = torch.empty(4, 1, 5, 5, memory_format=torch.channels_last)
    assert images.contiguous().stride() != torch.empty(4, 1, 5, 5).stride()
    assert laid_out(images, channels_last=False).stride() == (25, 25, 5, 1)
