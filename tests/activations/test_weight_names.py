from __future__ import annotations

import torch
from torch import nn

from rfav_cli.activations.weight_names import WeightNames

WEIGHT = torch.randn(4, 3)


def test_a_layer_is_known_by_where_its_weight_lies() -> None:
    names = WeightNames([("block.fc.weight", WEIGHT), ("block.fc.bias", torch.zeros(4))])
    assert names.layer(WEIGHT, "Linear") == "block.fc"
    assert names.layer(WEIGHT.clone(), "Linear") is None
    assert names.borrowed == {}


def test_the_stride_of_an_axis_of_one_does_not_matter() -> None:
    weight = torch.randn(5, 1, 3, 3)
    names = WeightNames([("conv.weight", weight)])
    assert names.layer(weight.contiguous(memory_format=torch.channels_last), "Conv2d") == "conv"
    restrided = weight.as_strided(weight.shape, (9, 77, 3, 1))
    assert names.layer(restrided, "Conv2d") == "conv"


def test_a_shared_weight_has_its_first_name() -> None:
    assert WeightNames([("embed.weight", WEIGHT), ("head.weight", WEIGHT)]).layer(WEIGHT, "Linear") == "embed"


def test_what_is_part_of_a_weight_or_lent_is_borrowed() -> None:
    names = WeightNames(
        [("attn.packed", WEIGHT), ("lent.weight", lent := torch.randn(2, 2))], functional=frozenset({"lent"})
    )
    assert names.layer(WEIGHT[:2], "Linear") is None
    assert names.layer(lent, "Linear") is None
    assert list(names.borrowed) == ["attn.packed", "lent"]


def test_constants_are_numbered_by_kind_and_keep_their_numbers() -> None:
    first, second = torch.randn(4, 3), torch.randn(4, 3)
    names = WeightNames([], constants=[first, second])
    assert [names.layer(weight, "Linear") for weight in (second, first, second)] == ["linear_1", "linear_2", "linear_1"]


def test_a_computed_weight_of_a_convolution_is_listed_by_kind_alone() -> None:
    names = WeightNames([])
    assert names.layer(torch.randn(2, 3), "Linear") is None
    assert names.layer(torch.randn(2, 3, 1), "Conv1d") is None
    assert list(names.borrowed) == ["Conv1d with a computed weight"]


def test_an_operator_borrows_the_weights_that_it_takes_or_itself() -> None:
    names = WeightNames([("rnn.weight_ih", WEIGHT), ("rnn.bias", bias := torch.zeros(4))])
    names.borrow("lstm", [torch.randn(2, 2), bias, WEIGHT, 3, None])
    names.borrow("fused", [torch.randn(2, 2)])
    assert list(names.borrowed) == ["rnn.weight_ih", "fused"]


def test_a_bias_is_that_of_its_own_layer() -> None:
    net = nn.ModuleDict({"fc": nn.Linear(3, 4), "other": nn.Linear(3, 4)})
    names = WeightNames(net.named_parameters(), constants=[frozen := torch.zeros(4)])
    assert names.is_bias(net["fc"].bias, "fc", 4)
    assert names.is_bias(frozen, "fc", 4)
    assert not names.is_bias(net["other"].bias, "fc", 4)
    assert not names.is_bias(net["fc"].bias, "fc", 3)
    assert not names.is_bias(2.0, "fc", 4)
