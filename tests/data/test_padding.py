import numpy as np
import pytest

from rfav_cli.data.padding import padding_of

LENGTHS = np.array([2, 4, 1])
TOKENS = np.arange(4) < LENGTHS[:, None]


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("attention_mask", TOKENS.astype(np.int64)),
        ("attention_mask", TOKENS),
        ("attention_mask", TOKENS.astype(np.float32)),
        ("padding_mask", ~TOKENS),
        ("key_padding_mask", (~TOKENS).astype(np.int64)),
        ("src_key_padding_mask", ~TOKENS),
    ],
)
def test_the_name_says_which_of_the_two_is_padding(name: str, mask: np.ndarray) -> None:  # type: ignore[type-arg]
    found = padding_of({"input_ids": np.zeros((3, 4), np.int64), name: mask})
    assert found is not None
    assert found.name == name
    np.testing.assert_array_equal(found.places, ~TOKENS)


@pytest.mark.parametrize(
    "inputs",
    [
        {"mask": TOKENS},
        {"attention_mask": TOKENS[:, :, None]},
        {"attention_mask": np.where(TOKENS, 0, -1e9).astype(np.float32)},
        {"attention_mask": TOKENS, "key_padding_mask": ~TOKENS},
    ],
)
def test_other_masks_say_nothing_of_padding(inputs: dict[str, np.ndarray]) -> None:  # type: ignore[type-arg]
    assert padding_of(inputs) is None


def test_a_mask_that_leaves_nothing_of_a_sample_is_not_believed() -> None:
    found = padding_of({"attention_mask": ~TOKENS})
    assert found is not None
    assert found.places is None
    assert "all of sample 1" in found.note


def test_without_padding_there_is_nothing_to_leave_out() -> None:
    found = padding_of({"attention_mask": np.ones((2, 3), np.int64)})
    assert found is not None
    assert (found.places, found.note) == (None, "")
