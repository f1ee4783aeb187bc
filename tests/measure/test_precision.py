"""The settings of float32's precision, in torch's two families."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.measure.precision import _TREE, full_precision

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("error")
CHOICES = ("none", "ieee", "tf32")


@pytest.fixture(autouse=True)
def _as_torch_starts() -> Iterator[None]:
    with full_precision():  # what a test sets is put back
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = True
        for key in _TREE:
            torch._C._set_fp32_precision_setter(
                *key, "tf32" if key[1] in ("conv", "rnn") and key[0] == "cuda" else "none"
            )
        yield


def seen() -> list[Any]:
    """What torch tells of its settings, or that it refuses to."""
    told: list[Any] = [torch._C._get_fp32_precision_getter(*key) for key in _TREE]
    for read in (
        torch.get_float32_matmul_precision,
        lambda: torch.backends.cudnn.allow_tf32,
        lambda: torch.backends.cuda.matmul.allow_tf32,
    ):
        try:
            told.append(read())
        except RuntimeError:  # noqa: PERF203 - there are three
            told.append("refused")
    return told


def set_one(chance: random.Random) -> None:
    """Do what the code of some net may do."""
    choice = chance.choice(CHOICES)
    flag = chance.random() < 0.5
    match chance.randrange(8):
        case 0:
            torch.set_float32_matmul_precision(chance.choice(["highest", "high", "medium"]))
        case 1:
            torch.backends.cudnn.allow_tf32 = flag
        case 2:
            torch.backends.cuda.matmul.allow_tf32 = flag
        case 3:
            torch.backends.fp32_precision = choice
        case 4:
            torch.backends.cuda.matmul.fp32_precision = choice
        case 5:
            torch.backends.cudnn.conv.fp32_precision = choice  # type: ignore[attr-defined]
        case 6:
            torch.backends.mkldnn.matmul.fp32_precision = chance.choice([*CHOICES, "bf16"])  # type: ignore[attr-defined]
        case _:
            torch._C._set_fp32_precision_setter(*chance.choice(_TREE), choice)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_was_set_is_exact_within_and_as_before_after(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(20):
        set_one(chance)
        before = seen()
        with full_precision():
            assert seen() == [*["ieee"] * len(_TREE), "highest", False, False]
            set_one(chance)  # as a forward may
        assert seen() == before


def test_a_setting_that_follows_the_one_above_it_still_does() -> None:
    for _ in range(2):
        with full_precision():
            pass
    torch.backends.fp32_precision = "tf32"
    assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    assert torch.backends.mkldnn.conv.fp32_precision == "tf32"  # type: ignore[attr-defined]


def test_an_error_leaves_no_trace() -> None:
    torch.backends.fp32_precision = "tf32"
    before = seen()
    with suppress(ValueError), full_precision():
        torch.set_float32_matmul_precision("medium")
        raise ValueError
    assert seen() == before
