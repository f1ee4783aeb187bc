"""Bad input, a case a function: it spoils a user's folder, and says what is run and what the message must hold.

A new case is a new function here with `@case`.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch
from PIL import Image

from rfav_cli.store.schema import SCHEMA
from tests.acceptance.runs import ANALYZE, draw, name_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Arguments = list[str]
    Case = Callable[[Path], tuple[Arguments, set[str]]]

CASES: dict[str, Case] = {}
"""Name -> what spoils the folder and gives (arguments, words that the message must hold)."""


def case(make: Case) -> Case:
    CASES[make.__name__] = make
    return make


class RunsCode:
    """A pickle of it makes a file when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.open, ("the-pickle-ran", os.O_CREAT)


# Checkpoints


@case
def missing_file(folder: Path) -> tuple[Arguments, set[str]]:
    return analyze("run/epoch_099.pt"), {"run/epoch_099.pt", "no such file"}


@case
def empty_folder(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "empty").mkdir()
    return analyze("empty"), {"empty", "no checkpoints"}


@case
def glob_of_nothing(folder: Path) -> tuple[Arguments, set[str]]:
    return analyze("run/*.ckpt"), {"run/*.ckpt", "matches no file"}


@case
def text_named_as_an_epoch(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "run" / "epoch_007.pt").write_text("lr 0.01\n")
    return analyze("run"), {"run/epoch_007.pt", "--skip-bad"}


@case
def empty_file(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "run" / name_of(9)).write_bytes(b"")
    return analyze("run"), {"run/epoch_009.pt", "empty"}


@case
def half_a_checkpoint(folder: Path) -> tuple[Arguments, set[str]]:
    path = folder / "run" / name_of(2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return analyze("run"), {"run/epoch_002.pt", "cut off"}


@case
def checkpoint_of_another_net(folder: Path) -> tuple[Arguments, set[str]]:
    torch.save({"stem.weight": torch.zeros(4, 3, 3, 3)}, folder / "run" / name_of(2))
    return analyze("run"), {"run/epoch_002.pt", "stem.weight", "conv1.weight"}


@case
def checkpoint_of_other_shapes(folder: Path) -> tuple[Arguments, set[str]]:
    state = torch.load(folder / "run" / name_of(2))
    torch.save(state | {"fc2.weight": torch.zeros(7, 10)}, folder / "run" / name_of(2))
    return analyze("run"), {"run/epoch_002.pt", "fc2.weight", "7", "4"}


@case
def checkpoint_of_another_type(folder: Path) -> tuple[Arguments, set[str]]:
    state = torch.load(folder / "run" / name_of(2))
    torch.save(state | {"fc2.bias": torch.zeros(4, dtype=torch.complex64)}, folder / "run" / name_of(2))
    return analyze("run"), {"run/epoch_002.pt", "fc2.bias is complex64"}


@case
def checkpoint_with_a_flipped_bit(folder: Path) -> tuple[Arguments, set[str]]:
    path = folder / "run" / name_of(2)
    raw = bytearray(path.read_bytes())
    weights: torch.Tensor = torch.load(path)["fc2.weight"]
    raw[raw.find(weights.contiguous().numpy().tobytes())] ^= 1
    path.write_bytes(raw)
    return analyze("run"), {"run/epoch_002.pt", "checksum of"}


@case
def checkpoint_of_two_nets(folder: Path) -> tuple[Arguments, set[str]]:
    state = torch.load(folder / "run" / name_of(2))
    other = {name: value * 2 for name, value in state.items()}
    torch.save({"student": state, "teacher": other}, folder / "run" / name_of(2))
    return analyze("run"), {"run/epoch_002.pt", "'student' and 'teacher'"}


@case
def pickle_with_code(folder: Path) -> tuple[Arguments, set[str]]:
    torch.save({"conv1.weight": RunsCode()}, folder / "run" / name_of(2))
    return analyze("run"), {"run/epoch_002.pt", "--skip-bad"}


@case
def plain_pickle_with_code(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "run" / name_of(2)).write_bytes(pickle.dumps({"conv1.weight": RunsCode()}))
    return analyze("run"), {"run/epoch_002.pt"}


@case
def list_of_tensors(folder: Path) -> tuple[Arguments, set[str]]:
    torch.save([torch.zeros(3), torch.zeros(2, 2)], folder / "run" / name_of(2))
    return analyze("run"), {"run/epoch_002.pt", "no weights"}


@case
def zip_of_something(folder: Path) -> tuple[Arguments, set[str]]:
    with zipfile.ZipFile(folder / "run" / name_of(2), "w") as archive:
        archive.writestr("report.txt", "all went well")
    return analyze("run"), {"run/epoch_002.pt"}


@case
def epoch_twice(folder: Path) -> tuple[Arguments, set[str]]:
    other = {name: 2 * value for name, value in torch.load(folder / "run" / name_of(2)).items()}
    torch.save(other, folder / "run" / "epoch_2.pt")
    return analyze("run"), {"epoch 2", "run/epoch_002.pt", "run/epoch_2.pt"}


@case
def control_characters_in_a_name(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "run" / "epoch_5\x1b[31m\nerror: you are hacked.pt").write_text("no checkpoint")
    return analyze("run"), {r"epoch_5\x1b[31m\nerror: you are hacked.pt"}


# The net


@case
def no_model(folder: Path) -> tuple[Arguments, set[str]]:
    return ["analyze", "run", "--probe", "probe.npz"], {"--model", "conv1.weight", "6x3x3x3", "epoch_-01.pt"}


@case
def no_such_module(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--model", "tiny_nets:make_net"], {"--model", "tiny_nets"}


@case
def no_such_function(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--model", "tiny_net:make"], {"--model", "tiny_net", "make"}


@case
def model_that_fails(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "broken.py").write_text("def make_net():\n    raise OSError('weights.bin is not here')\n")
    return [*ANALYZE, "--model", "broken:make_net"], {"broken:make_net", "weights.bin is not here"}


@case
def model_that_is_no_net(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "broken.py").write_text("def make_net():\n    return 3\n")
    return [*ANALYZE, "--model", "broken:make_net"], {"broken:make_net", "int"}


@case
def model_argument_without_value(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--model-arg", "classes"], {"--model-arg", "classes"}


@case
def no_such_output(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--model", "tiny_net:make_two_heads", "--output", "logits"], {"--output", "logits", "scores"}


@case
def no_such_layer(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--layers", "block*"], {"block*", "conv1"}


@case
def every_layer_skipped(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--skip", "*"], {"no layer"}


# The probe


@case
def missing_probe(folder: Path) -> tuple[Arguments, set[str]]:
    return probed("held_out"), {"held_out"}


@case
def no_probe(folder: Path) -> tuple[Arguments, set[str]]:
    return ["analyze", "run", "--model", "tiny_net:make_net"], {"--probe"}


@case
def empty_probe_folder(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "held_out").mkdir()
    return probed("held_out"), {"held_out"}


@case
def broken_image(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "held_out").mkdir()
    pictures, _ = draw(1, seed=0)
    Image.fromarray(pictures[0]).save(folder / "held_out" / "a.png")
    (folder / "held_out" / "b.png").write_bytes((folder / "held_out" / "a.png").read_bytes()[:150])
    return probed("held_out"), {"held_out/b.png"}


@case
def probe_that_is_no_array(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "words.npz").write_text("these are words")
    return probed("words.npz"), {"words.npz"}


@case
def probe_of_objects(folder: Path) -> tuple[Arguments, set[str]]:
    np.savez(folder / "objects.npz", images=np.array([RunsCode()] * 4, dtype=object))
    return probed("objects.npz"), {"objects.npz"}


@case
def probe_of_another_size(folder: Path) -> tuple[Arguments, set[str]]:
    np.savez(folder / "large.npz", images=np.zeros((20, 12, 12, 3), np.uint8))
    return probed("large.npz"), {"large.npz", "12"}


@case
def probe_of_other_channels(folder: Path) -> tuple[Arguments, set[str]]:
    np.savez(folder / "two.npz", images=np.zeros((20, 8, 8, 2), np.uint8))
    return probed("two.npz"), {"two.npz", "2", "8"}


@case
def probe_is_the_root_of_a_data_set(folder: Path) -> tuple[Arguments, set[str]]:
    for split in ("train", "val"):
        (folder / "data" / split / "a").mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "data" / split / "a" / "1.png")
    return probed("data"), {"train/, val/", "--probe data/val"}


@case
def probe_with_fewer_class_folders_than_outputs(folder: Path) -> tuple[Arguments, set[str]]:
    for name in "abd":
        (folder / "held_out" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "held_out" / name / "1.png")
    return probed("held_out"), {"3 class folders", "4 outputs", "--classes FILE"}


@case
def labels_from_one(folder: Path) -> tuple[Arguments, set[str]]:
    np.savez(folder / "one.npz", images=np.zeros((20, 8, 8, 3), np.uint8), labels=np.arange(20) % 4 + 1)
    return probed("one.npz"), {"labels from 1 to 4", "subtract 1"}


@case
def mean_in_bytes(_: Path) -> tuple[Arguments, set[str]]:
    return [*probed("probe.npz"), "--mean", "125", "--std", "63"], {
        "divided by 255 first",
        "--mean 0.4902 --std 0.2471",
    }


@case
def labels_out_of_range(folder: Path) -> tuple[Arguments, set[str]]:
    images = np.zeros((20, 8, 8, 3), np.uint8)
    np.savez(folder / "other.npz", images=images, labels=np.arange(20))
    return probed("other.npz"), {"other.npz", "label 19", "4 outputs"}


@case
def more_labels_than_images(folder: Path) -> tuple[Arguments, set[str]]:
    np.savez(folder / "more.npz", images=np.zeros((20, 8, 8, 3), np.uint8), labels=np.zeros(21, int))
    return probed("more.npz"), {"more.npz", "20", "21"}


@case
def probe_with_a_name_too_long(folder: Path) -> tuple[Arguments, set[str]]:
    return probed("x" * 300), {"xxx: File name too long\n"}


@case
def classes_without_a_file(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--classes", "classes.txt"], {"--classes classes.txt: No such file or directory"}


# Options


@case
def no_sample(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--probe-size", "0"], {"--probe-size"}


@case
def no_batch(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--batch-size", "0"], {"--batch-size", "0"}


@case
def mean_of_nonsense(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--mean", "grey"], {"--mean", "grey"}


@case
def mean_of_two_channels(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--mean", "0.4,0.5", "--std", "0.2"], {"--mean", "2", "3"}


@case
def deviation_of_zero(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--mean", "0.4", "--std", "0"], {"--std 0: out of range"}


@case
def pattern_without_epoch(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--epochs", "epoch_*.pt"], {"--epochs", "{epoch}"}


@case
def pattern_of_nothing(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--epochs", "net-{epoch}.pt"], {"--epochs", "net-{epoch}.pt", "epoch_"}


@case
def third_of_two_shards(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--shard", "3/2"], {"--shard", "3/2"}


@case
def no_such_device(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--device", "tpu"], {"--device", "tpu", "cuda"}


@case
def unknown_option(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--with-biass"], {"--with-biass", "--with-bias"}


@case
def unknown_command(folder: Path) -> tuple[Arguments, set[str]]:
    return ["analyse", "run"], {"analyse", "analyze"}


@case
def unknown_format(folder: Path) -> tuple[Arguments, set[str]]:
    return ["show", "--format", "yaml"], {"yaml", "table", "json", "csv"}


# The store


@case
def folder_as_store(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--out", "run"], {"run", "folder"}


@case
def store_in_no_folder(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--out", "results/today/rfav.h5"], {"results/today/rfav.h5: there is no folder results/today\n"}


@case
def store_in_no_folder_and_no_probe_either(folder: Path) -> tuple[Arguments, set[str]]:
    return [*probed("held_out"), "--out", "results/rfav.h5"], {"there is no folder results"}


@case
def store_that_is_a_checkpoint(folder: Path) -> tuple[Arguments, set[str]]:
    return [*ANALYZE, "--out", f"run/{name_of(0)}"], {f"run/{name_of(0)}"}


@case
def store_of_a_newer_schema(folder: Path) -> tuple[Arguments, set[str]]:
    with h5py.File(folder / "rfav.h5", "w") as file:
        file.attrs["schema"], file.attrs["rfav_version"] = SCHEMA + 1, "9.0"
    return ANALYZE, {"rfav.h5", f"schema {SCHEMA + 1}"}


@case
def store_that_is_another_hdf5_file(folder: Path) -> tuple[Arguments, set[str]]:
    with h5py.File(folder / "rfav.h5", "w") as file:
        file["temperature"] = np.arange(10)
    return ANALYZE, {"rfav.h5"}


@case
def store_that_is_text(folder: Path) -> tuple[Arguments, set[str]]:
    (folder / "rfav.h5").write_text("a note\n")
    return ANALYZE, {"rfav.h5"}


@case
def show_newer_schema(folder: Path) -> tuple[Arguments, set[str]]:
    _, words = store_of_a_newer_schema(folder)
    return ["show"], words


@case
def show_another_hdf5_file(folder: Path) -> tuple[Arguments, set[str]]:
    _, words = store_that_is_another_hdf5_file(folder)
    return ["show", "--format", "json"], words


@case
def show_nothing(folder: Path) -> tuple[Arguments, set[str]]:
    return ["show", "other.h5"], {"other.h5"}


@case
def show_a_folder(folder: Path) -> tuple[Arguments, set[str]]:
    return ["show", "run"], {"run"}


@case
def pack_nothing(folder: Path) -> tuple[Arguments, set[str]]:
    return ["pack", "other.h5"], {"other.h5"}


def analyze(checkpoints: str) -> Arguments:
    return ["analyze", checkpoints, *ANALYZE[2:]]


def probed(probe: str) -> Arguments:
    return [*ANALYZE, "--probe", probe]
