from __future__ import annotations

import json
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.metadata import (
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    TensorProperties,
    TensorStorageMetadata,
)

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import Marker, state, write_distcp

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

WHOLE = torch.arange(12.0).reshape(4, 3)
HALVES = [((0, 0), WHOLE[:2].clone()), ((2, 0), WHOLE[2:].clone())]


def read(folder: Path) -> dict[str, dict[str, Tensor]]:
    return {candidate.name: dict(candidate.weights) for candidate in formats.read(folder, ReadOptions()).content}


def write_pieces(
    folder: Path, pieces: list[tuple[tuple[int, ...], Any]], shape: tuple[int, ...] = (4, 3), **places: Any
) -> Metadata:
    """One tensor in pieces, as ranks of a sharded training write it, a file a rank.

    Args:
        folder: where to.
        pieces: offsets of each, and what is saved there.
        shape: of the tensor.
        places: what is said of each piece's place instead of what is true.
    """
    folder.mkdir(exist_ok=True)
    chunks, storage = [], {}
    for rank, (offsets, part) in enumerate(pieces):
        file = folder / f"__{rank}_0.distcp"
        torch.save(part, file)
        sizes = part.shape if isinstance(part, torch.Tensor) else (2, 3)
        chunks.append(ChunkStorageMetadata(torch.Size(offsets), torch.Size(sizes)))
        place = {"relative_path": file.name, "offset": 0, "length": file.stat().st_size} | places
        storage[MetadataIndex("net.weight", offsets)] = _StorageInfo(**place)
    tensor = TensorStorageMetadata(TensorProperties(torch.float32), torch.Size(shape), chunks)
    metadata = Metadata({"net.weight": tensor}, {"net.weight": ("net", "weight")}, storage)
    (folder / ".metadata").write_bytes(pickle.dumps(metadata))
    return metadata


def test_the_weights_without_the_optimizers(tmp_path: Path) -> None:
    net = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    write_distcp(tmp_path / "a", {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 7})
    assert formats.is_checkpoint_folder(tmp_path / "a")
    weights = read(tmp_path / "a")
    assert list(weights) == ["model"]
    assert weights["model"].keys() == net.state_dict().keys()
    assert all(torch.equal(weights["model"][name], value) for name, value in net.state_dict().items())
    assert formats.stored_epoch(tmp_path / "a", ReadOptions()) == 7


@pytest.mark.parametrize("epoch", [torch.tensor(3), 3.0])
def test_the_epoch_as_a_tensor_or_a_number(tmp_path: Path, epoch: Any) -> None:
    write_distcp(tmp_path / "a", {"model": state(), "epoch": epoch})
    assert formats.read(tmp_path / "a", ReadOptions()).epoch == 3


def test_the_epoch_of_lightning(tmp_path: Path) -> None:
    folder = tmp_path / "epoch=1-step=20.ckpt"
    write_distcp(folder, {"model": state()})
    torch.save({"epoch": 1, "global_step": 20, "hyper_parameters": {}}, folder / "meta.pt")
    assert formats.stored_epoch(folder, ReadOptions()) == 1


def test_in_the_folder_of_a_trainer(tmp_path: Path) -> None:
    write_distcp(tmp_path / "pytorch_model_fsdp_0", {"model": state()})
    write_distcp(tmp_path / "optimizer_0", {"optimizer": {"step": torch.ones(1)}})
    (tmp_path / "trainer_state.json").write_text(json.dumps({"epoch": 5.0}))
    assert list(read(tmp_path)) == ["model"]
    assert formats.stored_epoch(tmp_path, ReadOptions()) == 5
    assert {path.name for path in formats.weight_files(tmp_path)} == {".metadata", "__0_0.distcp"}


def test_a_bare_state_dict(tmp_path: Path) -> None:
    write_distcp(tmp_path / "a", state())
    assert read(tmp_path / "a")[""].keys() == state().keys()


def test_a_tensor_in_pieces(tmp_path: Path) -> None:
    write_pieces(tmp_path, HALVES)
    assert torch.equal(read(tmp_path)["net"]["weight"], WHOLE)


def test_what_torch_reads_is_what_is_read(tmp_path: Path) -> None:
    write_pieces(tmp_path, HALVES)
    expected = {"net": {"weight": torch.zeros(4, 3)}}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is", UserWarning)
        torch.distributed.checkpoint.load(expected, checkpoint_id=tmp_path, no_dist=True)
    assert torch.equal(read(tmp_path)["net"]["weight"], expected["net"]["weight"])


def test_a_piece_that_is_a_parameter(tmp_path: Path) -> None:
    write_pieces(tmp_path, [((0, 0), nn.Parameter(WHOLE))])
    assert torch.equal(read(tmp_path)["net"]["weight"], WHOLE)


def test_chunks_that_many_tensors_share_are_not_made_again_and_again(tmp_path: Path) -> None:
    metadata = write_pieces(tmp_path, [((), torch.ones(()))], ())
    shared = metadata.state_dict_metadata["net.weight"]
    shared.chunks *= 3000
    metadata.state_dict_metadata = {f"w{n}": shared for n in range(3000)}
    place = _StorageInfo("__0_0.distcp", 0, 0)
    metadata.storage_data = {MetadataIndex(f"w{n}", ()): place for n in range(3000)}
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata))
    with pytest.raises(CheckpointError, match="damaged, or not written by"):
        read(tmp_path)


def test_keys_of_one_long_text(tmp_path: Path) -> None:
    metadata = write_pieces(tmp_path, [((0, 0), WHOLE)])
    metadata.planner_data = {"net.weight": ("a" * 10**6,) * 60}
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata))
    with pytest.raises(CheckpointError, match="damaged, or not written by"):
        read(tmp_path)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a piece is missing": ({"pieces": HALVES[:1]}, "pieces of 'net.weight' are missing"),
    "pieces lie over each other": ({"pieces": [HALVES[0], ((1, 0), HALVES[1][1])]}, "lie over each other"),
    "a piece beyond the end": ({"pieces": [HALVES[0], ((3, 0), HALVES[1][1])]}, "is no part of it"),
    "another type": ({"pieces": [HALVES[0], ((2, 0), WHOLE[2:].double())]}, "is no part of it"),
    "no tensor": ({"pieces": [((0, 0), {"a": 1}), HALVES[1]]}, "is no plain tensor"),
    "no elements of a shape without end": (
        {"pieces": [((0,) * 4, torch.ones(0, 1, 1, 1))], "shape": (2**61, 2**61, 2**61, 0)},
        "cannot be put together",
    ),
    "repeated": ({"pieces": [((0, 0), torch.ones(1).expand(1000, 1000))], "shape": (1000, 1000)}, "is not what its"),
    "far too large": ({"pieces": [], "shape": (2**40, 2**20)}, "are missing"),
    "a name that leads elsewhere": ({"relative_path": "../__0_0.distcp"}, "is no name of a file in it"),
    "a whole path": ({"relative_path": "/etc/passwd"}, "is no name of a file in it"),
    "a file that is not there": ({"relative_path": "gone.distcp"}, r"gone\.distcp is not there"),
    "a file for two pieces": ({"relative_path": "__0_0.distcp", "length": 1500}, "several things"),
    "beyond the end of the file": ({"offset": 4000}, "is cut off"),
    "not where a piece begins": ({"offset": 1, "length": 100}, "damaged"),
    "a negative place": ({"offset": -5}, "damaged, or not written by"),
    "a true place": ({"offset": True}, "damaged, or not written by"),
    "no path": ({"relative_path": 5}, "damaged, or not written by"),
    "packed": ({"transform_descriptors": ["zstd"]}, "packed by an extension"),
    "another number of dimensions": ({"pieces": [((0, 0), WHOLE)], "shape": (12,)}, "damaged, or not written by"),
}


@pytest.mark.parametrize(("parts", "message"), BAD.values(), ids=BAD)
def test_bad_folders(tmp_path: Path, parts: dict[str, Any], message: str) -> None:
    write_pieces(tmp_path / "a", **({"pieces": HALVES} | parts))
    (tmp_path / "a" / "x.distcp").touch()
    (tmp_path / "__0_0.distcp").touch()
    with pytest.raises(CheckpointError, match=message) as caught:
        read(tmp_path / "a")
    assert str(tmp_path / "a") in caught.value.what
    assert caught.value.remedy


def test_a_link_to_another_folder_is_refused(tmp_path: Path) -> None:
    write_pieces(tmp_path / "a", HALVES)
    (tmp_path / "a" / "__0_0.distcp").rename(tmp_path / "elsewhere")
    (tmp_path / "a" / "__0_0.distcp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="link to another folder"):
        read(tmp_path / "a")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nothing_of_the_metadata_is_run(tmp_path: Path, protocol: int) -> None:
    metadata = write_pieces(tmp_path / "a", HALVES)
    marker = Marker(tmp_path / "ran")
    for harmful in (marker, Metadata({"net.weight": marker}, {}, metadata.storage_data)):
        (tmp_path / "a" / ".metadata").write_bytes(pickle.dumps(harmful, protocol))
        with pytest.raises(CheckpointError):
            read(tmp_path / "a")
    metadata.storage_meta = marker
    (tmp_path / "a" / ".metadata").write_bytes(pickle.dumps(metadata, protocol))
    with pytest.raises(CheckpointError, match="mkdir, which could run code"):
        read(tmp_path / "a")
    assert not (tmp_path / "ran").exists()


def test_nothing_of_a_piece_is_run(tmp_path: Path) -> None:
    write_pieces(tmp_path / "a", [((0, 0), Marker(tmp_path / "ran")), HALVES[1]])
    with pytest.raises(CheckpointError, match="mkdir, which could run code"):
        read(tmp_path / "a")
    write_distcp(tmp_path / "b", {"model": state(), "epoch": Marker(tmp_path / "ran")})
    with pytest.raises(CheckpointError, match="mkdir, which could run code"):
        formats.stored_epoch(tmp_path / "b", ReadOptions())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("keys", [("net", "weight"), ("net", "weight", "inner"), ("net",)])
def test_two_things_under_one_name(tmp_path: Path, keys: tuple[str, ...]) -> None:
    metadata = write_pieces(tmp_path, [((0, 0), WHOLE)])
    torch.save(torch.ones(2), tmp_path / "other.distcp")
    place = _StorageInfo("other.distcp", 0, (tmp_path / "other.distcp").stat().st_size)
    chunks = [ChunkStorageMetadata(torch.Size([0]), torch.Size([2]))]
    metadata.state_dict_metadata["other"] = TensorStorageMetadata(TensorProperties(), torch.Size([2]), chunks)
    metadata.storage_data[MetadataIndex("other", [0])] = place
    metadata.planner_data["other"] = keys
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata))
    with pytest.raises(CheckpointError, match="is in it twice"):
        read(tmp_path)
