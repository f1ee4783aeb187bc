import pytest

from rfav_cli.checkpoints.sketches import NumberType, SketchedStorage, SketchedTensor, sketch_storage, sketched
from rfav_cli.checkpoints.stand_ins import StandIn

FLOAT = NumberType("float32", storage=True)


def rebuilt(storage: object, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> SketchedTensor:
    tensor = sketched("torch._utils", "_rebuild_tensor_v2").make(storage, offset, size, stride, False, None)
    assert isinstance(tensor, SketchedTensor)
    return tensor


def test_a_storage_has_the_bytes_of_its_elements() -> None:
    storage = sketch_storage(("storage", FLOAT, "3", "cpu", 6))
    assert (storage.key, storage.dtype, storage.bytes) == ("3", "float32", 24)


@pytest.mark.parametrize(
    "given",
    [
        ("storage", FLOAT, "3", "cpu", -1),
        ("storage", FLOAT, "3", "cpu", True),
        ("storage", None, "3", "cpu", 6),
        ("other", FLOAT, "3", "cpu", 6),
        ("storage", FLOAT, "3", "cpu", 6, ("4", 5, 2)),  # a part of it that it has not
        "storage",
    ],
)
def test_what_is_no_claim_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"storage|elements"):
        sketch_storage(given)


def test_a_tensor_lies_in_its_storage() -> None:
    storage = SketchedStorage("float32", "0", 24)
    assert rebuilt(storage, 0, (2, 3), (3, 1)).problem == ""
    assert rebuilt(storage, 0, (2, 3), (3, 1)).bytes == 24
    assert "beyond" in rebuilt(storage, 1, (2, 3), (3, 1)).problem
    assert "far more" in rebuilt(storage, 0, (2**30,), (0,)).problem
    assert "no storage" in rebuilt(StandIn("torch.storage._load_from_bytes"), 0, (2,), (1,)).problem


@pytest.mark.parametrize(("size", "stride"), [((2,), (1, 1)), ((-1,), (1,)), (("a",), (1,)), ((1,) * 65, (1,) * 65)])
def test_what_is_no_shape_is_refused(size: tuple[int, ...], stride: tuple[int, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        rebuilt(SketchedStorage("float32", "0", 24), 0, size, stride)


def test_names_that_make_nothing_known_stay_names() -> None:
    assert sketched("my_nets", "Net") is None
    assert sketched("torch", "float32") == NumberType("float32")
