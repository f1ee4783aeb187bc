from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from rfav_cli.activations.matching import complete, match, shapes

NAMES = ("conv1.weight", "conv1.bias", "block.0.fc.weight", "block.1.module_list.weight", "head")
wrappers = st.lists(st.sampled_from(["module.", "model.", "_orig_mod."]), max_size=4).map("".join)


def weights(*names: str) -> dict[str, torch.Tensor]:
    return {name: torch.full((index + 1, 2), float(index)) for index, name in enumerate(names)}


@given(ours=wrappers, theirs=wrappers, order=st.permutations(range(len(NAMES))))
def test_wrappers_nest_in_any_order_on_either_side(ours: str, theirs: str, order: list[int]) -> None:
    net = weights(*(ours + name for name in NAMES))
    file = weights(*(theirs + name for name in NAMES))
    found = match(net, {name: file[name] for name in [list(file)[i] for i in order]})
    assert found.fits
    assert found.pairs == {ours + name: theirs + name for name in NAMES}


@given(st.sampled_from(["module.", "_orig_mod."]), st.integers(0, len(NAMES) - 1))
def test_wrappers_inside_a_name(wrapper: str, which: int) -> None:
    inner = [name.replace(".", f".{wrapper}", 1) if i == which else name for i, name in enumerate(NAMES)]
    assert match(weights(*NAMES), weights(*inner)).pairs == dict(zip(NAMES, inner, strict=True))
    assert match(weights(*inner), weights(*NAMES)).fits


@given(prefix=st.sampled_from(["net.", "net.backbone.", "model.net.", "encoder.model."]), wrapper=wrappers)
def test_a_common_prefix_is_the_last_resort(prefix: str, wrapper: str) -> None:
    prefixed = [wrapper + prefix + name for name in NAMES]
    assert match(weights(*NAMES), weights(*prefixed)).fits
    assert match(weights(*prefixed), weights(*NAMES)).fits


def test_names_that_would_become_one_are_kept_apart() -> None:
    names = ("model.fc.weight", "fc.weight")
    found = match(weights(*names), weights(*names))
    assert found.pairs == {name: name for name in names}
    assert not match(weights("fc.weight"), weights(*names)).fits


@given(st.sampled_from(NAMES))
def test_a_name_too_few_or_too_many_never_fits(name: str) -> None:
    fewer = [other for other in NAMES if other != name]
    full = weights(*NAMES)
    part = {other: full[other] for other in fewer}
    assert match(full, part).missing == (name,)
    assert match(part, full).unexpected == (name,)


def test_a_wrong_shape_never_fits() -> None:
    found = match({"a": torch.zeros(2, 3)}, {"a": torch.zeros(3, 2)})
    assert found.misshapen == ("a 3x2, the net has 2x3",)


def test_differences_are_escaped_and_counted() -> None:
    text = match(weights("a"), weights(*(f"\x1b[31m{i}\n" for i in range(9)))).differences()
    assert text.isprintable()
    assert "1 missing: a; 9 unexpected: " in text
    assert text.endswith("…")


def test_a_tied_weight_needs_one_of_its_names() -> None:
    tied = torch.zeros(3, 2)
    net = {"embed": tied, "head": tied, "other": torch.zeros(3, 2)}
    file = {"head": torch.ones(3, 2), "other": torch.zeros(3, 2)}
    found = match(net, file)
    assert found.fits
    assert torch.equal(complete(net, file, found.pairs)["embed"], file["head"])
    assert match(net, {"head": torch.ones(3, 2)}).missing == ("other",)


def test_counters_of_batch_norm_may_be_missing() -> None:
    net = {"norm.weight": torch.ones(2), "norm.num_batches_tracked": torch.tensor(5)}
    file = {"norm.weight": torch.zeros(2)}
    assert complete(net, file, match(net, file).pairs)["norm.num_batches_tracked"] == 5


def test_shapes_are_listed_up_to_a_limit() -> None:
    listed = shapes({"a": torch.zeros(2, 3), "b": torch.zeros(()), "extra": None, "c": torch.zeros(4)}, limit=2)
    assert listed == "  a  2x3\n  b  one number\n  and 1 more"
