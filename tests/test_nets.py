"""The paper's nets have the paper's sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfav_cli.errors import ModelError
from rfav_cli.nets import ZOO, drop_net, norm_net, vanilla_net

TABLE_1 = {
    "s": {"conv1": 16, "conv2": 16, "conv3": 32, "conv4": 32, "fc1": 64},
    "m": {"conv1": 64, "conv2": 64, "conv3": 128, "conv4": 128, "fc1": 256},
    "xxl": {"conv1": 256, "conv2": 256, "conv3": 512, "conv4": 512, "fc1": 1024},
}


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def names_of(net: nn.Module, kind: type[nn.Module]) -> list[str]:
    return [name for name, module in net.named_modules() if isinstance(module, kind)]


def expected_count(size: str, classes: int, image_size: int, channels: int) -> int:
    """The closed form: 9 weights a pair of channels, one bias a filter, fc1 on two halved sides."""
    c1, c2, c3, c4, f = TABLE_1[size].values()
    convolutions = 9 * (channels * c1 + c1 * c2 + c2 * c3 + c3 * c4) + c1 + c2 + c3 + c4
    return convolutions + (image_size // 4) ** 2 * c4 * f + f + f * classes + classes


@pytest.mark.parametrize("size", TABLE_1)
@pytest.mark.parametrize("make", [vanilla_net, norm_net, drop_net])
def test_layers_have_the_widths_of_table_1(make, size):
    with torch.device("meta"):
        net = make(size)
    assert {name: net.get_submodule(name).bias.numel() for name in TABLE_1[size]} == TABLE_1[size]
    assert names_of(net, nn.Conv2d) == ["conv1", "conv2", "conv3", "conv4"]
    assert names_of(net, nn.Linear) == ["fc1", "fc2"]
    for name in names_of(net, nn.Conv2d):
        assert net.get_submodule(name).kernel_size == (3, 3)
        assert net.get_submodule(name).padding == (1, 1)


@pytest.mark.parametrize(
    ("size", "classes", "image_size", "channels", "integer"),
    [
        ("s", 10, 32, 3, 148_442),
        ("s", 100, 64, 3, 547_508),
        ("s", 10, 28, 1, 117_434),
        ("m", 10, 32, 3, 2_360_138),
        ("xxl", 10, 32, 3, 37_702_922),
        ("xxl", 200, 64, 3, 138_560_968),
    ],
)
def test_parameter_counts(size, classes, image_size, channels, integer):
    with torch.device("meta"):
        net = vanilla_net(size, classes, image_size, channels)
    assert count(net) == integer == expected_count(size, classes, image_size, channels)


@pytest.mark.parametrize("size", TABLE_1)
def test_batch_normalisation_adds_two_a_channel_and_dropout_nothing(size):
    with torch.device("meta"):
        plain, norm, drop = count(vanilla_net(size)), count(norm_net(size)), count(drop_net(size))
    assert norm == plain + 2 * sum(TABLE_1[size][f"conv{number}"] for number in (1, 2, 3, 4))
    assert drop == plain


def test_batch_normalisation_stands_between_convolution_and_relu():
    names = [name for name, _ in norm_net("s").named_children()]
    assert names[:7] == ["conv1", "bn1", "relu1", "conv2", "bn2", "relu2", "pool1"]


def test_dropout_is_a_quarter_once_in_each_block():
    dropouts = [module.p for module in drop_net("s").modules() if isinstance(module, nn.Dropout)]
    assert dropouts == [0.25, 0.25]


@pytest.mark.parametrize("image_size", [32, 64])
@pytest.mark.parametrize("name", ZOO)
def test_logits_at_both_sizes(name, image_size):
    with torch.device("meta"):
        net = ZOO[name](classes=7, image_size=image_size, channels=1)
        assert net(torch.empty(2, 1, image_size, image_size)).shape == (2, 7)


def test_real_numbers_flow():
    logits = vanilla_net("s")(torch.rand(3, 3, 32, 32))
    assert logits.isfinite().all()
    assert logits.std(0).min() > 0


def test_lenet_is_lenet_5():
    # 6 and 16 filters of 5x5, then 400-120-84-10, on one channel.
    assert count(ZOO["lenet"](channels=1)) == 61_706


def test_alexnet_has_five_convolutions_and_three_dense_layers_of_the_same_shapes_at_both_sizes():
    with torch.device("meta"):
        small, large = ZOO["alexnet"](image_size=32), ZOO["alexnet"](image_size=64)
    assert names_of(small, nn.Conv2d) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert names_of(small, nn.Linear) == ["fc1", "fc2", "fc3"]
    assert [p.shape for p in small.parameters()] == [p.shape for p in large.parameters()]


def test_unknown_size():
    with pytest.raises(ModelError, match="no net of size 'xl'") as caught:
        vanilla_net("xl")
    assert "s, m, xxl" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "image_size"), [("vanillanet-s", 30), ("lenet", 12), ("alexnet", 48), ("normnet-s", 0)]
)
def test_image_sizes_that_do_not_fit(name, image_size):
    with pytest.raises(ModelError, match=f"image_size={image_size}: "):
        ZOO[name](image_size=image_size)


@pytest.mark.parametrize(("name", "least"), [("vanillanet-s", 4), ("lenet", 16), ("alexnet", 32)])
def test_the_least_image_size_works(name, least):
    with torch.device("meta"):
        assert ZOO[name](image_size=least)(torch.empty(1, 3, least, least)).shape == (1, 10)
