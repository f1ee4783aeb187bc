import pytest
import torch
from torch import Tensor, nn

from rfav_cli import inputs
from rfav_cli.inputs import Arguments, arguments_of, call

SEVERAL = {"image": torch.arange(12.0).view(3, 4), "age": torch.arange(3)}


def test_what_a_forward_takes_is_told_by_its_signature() -> None:
    class Net(nn.Module):
        def forward(self, image: Tensor, meta: Tensor, mask: Tensor | None = None) -> Tensor:
            return image

    assert arguments_of(Net().forward) == Arguments(("image", "meta", "mask"), ("image", "meta"))
    assert arguments_of(lambda *args, **rest: args) == Arguments((), (), more=True)
    assert arguments_of(iter) is None


@pytest.mark.parametrize("given", [SEVERAL["image"], SEVERAL])
def test_samples_are_counted_cut_joined_and_copied(given: inputs.Inputs) -> None:
    assert inputs.count(given) == 3
    pieces = inputs.split(given, 2)
    assert [inputs.count(piece) for piece in pieces] == [2, 1]
    again = inputs.copied(inputs.joined(pieces))
    for before, after in zip(inputs.tensors(given), inputs.tensors(again), strict=True):
        assert torch.equal(before, after)
        assert before.data_ptr() != after.data_ptr()
        assert before.dtype == after.dtype


def test_names_of_digits_are_places() -> None:
    def net(*places: Tensor, **names: Tensor) -> tuple[list[float], list[str]]:
        return [float(place) for place in places], list(names)

    given = {str(place): torch.tensor(float(place)) for place in (10, 2, 1, 0)} | {"mask": torch.zeros(())}
    assert call(net, given) == ([0, 1, 2, 10], ["mask"])
    assert call(net, torch.ones(())) == ([1], [])


def test_inputs_are_described_by_their_names_and_shapes() -> None:
    assert inputs.described(SEVERAL) == "image 4, age one number"
    assert inputs.described(torch.zeros(2, 3, 8, 8)) == "3x8x8"
