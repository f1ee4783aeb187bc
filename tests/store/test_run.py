"""A run is told from another one, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import ProbeRecord, Run
from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.hdf5 import opened
from rfav_cli.store.layout import LIBVER
from rfav_cli.store.run import differences, fingerprint, read_run, write_header, write_run
from tests.store.example import make_run, measure, write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def test_other_probe_layers_and_settings_are_named(path: Path) -> None:
    write(path, 0)
    run = make_run(with_bias=True, model="zoo:lenet")
    probe = ProbeRecord("cd" * 32, 7, source="other/")
    layers = (replace(run.layers[0], channels=9), run.layers[1])
    for packs in (False, True):
        if packs:
            pack(path)
        with pytest.raises(StoreError, match="holds another run") as caught:
            StoreWriter.open(path, replace(run, probe=probe, layers=layers))
        assert "with_bias: False / True" in caught.value.what
        assert "model: '' / zoo:lenet" in caught.value.what
        assert (
            "probe: 5 samples of cifar10:data (sha256 abababab) / 7 samples of other/ (sha256 cdcd" in caught.value.what
        )
        assert "layers: conv1 Conv2d 8 (4, 3) / conv1 Conv2d 9 (4, 3)" in caught.value.what
        assert "--fresh" in caught.value.remedy
    assert open_store(path).epochs.tolist() == [0]


def read_back(path: Path, run: Run) -> Run:
    with h5py.File(path, "w", libver=LIBVER) as file:
        write_header(file, run, fingerprint(run))
        write_run(file, run)
    with opened(path) as file:
        assert file.attribute("run_sha256", "") == fingerprint(run)
        return read_run(file)


def test_a_store_that_is_older_than_folding_was_measured_without(path: Path) -> None:
    run = make_run()
    with h5py.File(path, "w", libver=LIBVER) as file:
        write_header(file, run, fingerprint(run))
        write_run(file, run)
        del file.attrs["fold_norm"]
    with opened(path) as file:
        assert read_run(file).settings == replace(run.settings, fold_norm=False)


def test_a_run_is_read_as_it_was_written(path: Path) -> None:
    run = make_run(with_bias=True, centering="paper", model="zoo:lenet(classes=3)", output="scores", outputs=False)
    read = read_back(path, run)
    assert (read.layers, read.skipped, read.settings) == (run.layers, run.skipped, run.settings)
    np.testing.assert_equal(vars(read.probe), vars(run.probe))


def test_training_samples_are_kept_and_a_store_without_them_has_none(path: Path) -> None:
    train_probe = ProbeRecord("cd" * 32, 7, source="train/")
    assert read_back(path, replace(make_run(), train_probe=train_probe)).train_probe == train_probe
    assert read_back(path, make_run()).train_probe is None
    with h5py.File(path, "r+") as file:
        file.attrs["train_probe_sha256"] = "cd" * 32
    with opened(path) as file, pytest.raises(StoreError, match="train_probe_size is 0, and can be 1 or more"):
        read_run(file)


@pytest.mark.parametrize("stored", [None, ProbeRecord("cd" * 32, 7, source="train/")])
@pytest.mark.parametrize("packs", [False, True])
def test_a_store_goes_on_with_the_training_samples_that_it_was_begun_with(
    path: Path, stored: ProbeRecord | None, packs: bool
) -> None:
    run = replace(make_run(), train_probe=stored)
    StoreWriter.open(path, run).append(measure(0))
    if packs:
        pack(path)
    StoreWriter.open(path, run).append(measure(1))
    assert open_store(path).run.train_probe == stored
    other = ProbeRecord("ef" * 32, 7, source="others/")
    with pytest.raises(StoreError, match="holds another run") as caught:
        StoreWriter.open(path, replace(run, train_probe=other))
    before = "7 samples of train/ (sha256 cdcdcdcd)" if stored else "none"
    assert f"train_probe: {before} / 7 samples of others/ (sha256 efefefef)" in caught.value.what


def test_a_run_of_nothing_is_read_as_such(path: Path) -> None:
    bare = replace(make_run(), layers=(), skipped=(), probe=ProbeRecord("ab" * 32, 0))
    read = read_back(path, bare)
    assert (read.layers, read.skipped, read.probe.labels, read.probe.thumbnails) == ((), (), None, None)


def test_which_layers_are_normalised_is_kept_and_none_is_where_a_store_does_not_say(path: Path) -> None:
    run = make_run()
    run = replace(run, layers=(replace(run.layers[0], normalised=True), run.layers[1]))
    read = read_back(path, run)
    assert [layer.normalised for layer in read.layers] == [True, False]
    assert (read.normalised, make_run().normalised) == (True, False)
    with h5py.File(path, "r+") as file:
        del file["layer/normalised"]
    with opened(path) as file:
        assert not read_run(file).normalised


def test_the_classifier_is_the_layer_that_was_skipped_as_such() -> None:
    run = make_run()
    assert run.classifier == "fc2"
    assert replace(run, skipped=()).classifier == ""


def test_the_fingerprint_is_of_what_makes_figures_comparable() -> None:
    run = make_run()
    same = [
        replace(run, skipped=()),
        replace(run, probe=replace(run.probe, source="elsewhere", labels=None, thumbnails=None)),
    ]
    others = [
        make_run(fold_norm=False),
        make_run(maps=3),
        replace(run, layers=run.layers[::-1]),
        replace(run, layers=run.layers[:1]),
        replace(run, probe=replace(run.probe, sha256="cd" * 32)),
        replace(run, probe=replace(run.probe, size=6)),
        replace(run, train_probe=ProbeRecord("cd" * 32, 5)),
        replace(run, train_probe=ProbeRecord("cd" * 32, 6)),
        replace(run, train_probe=ProbeRecord("ef" * 32, 5)),
    ]
    assert {fingerprint(other) for other in same} == {fingerprint(run)}
    assert len({fingerprint(other) for other in [run, *others]}) == 1 + len(others)
    assert [differences(run, other) for other in same] == [[], []]
    assert all(len(differences(run, other)) == 1 for other in others)


def test_of_many_layers_those_that_differ_are_named() -> None:
    run = make_run()
    more = replace(run, layers=(*run.layers, replace(run.layers[1], name="new\x1b")))
    (said,) = differences(run, more)
    assert said.startswith("layers: conv1 Conv2d 8 (4, 3), fc.é")
    assert said.endswith(r" / new\x1b Linear 16 ()")


@pytest.mark.parametrize(
    "labels", [np.array([0.5, -2, 3, 4, 5]), np.array([[0, 1]] * 5), np.array([[0.5, 1]] * 5), None]
)
def test_labels_of_each_task_are_read_back_with_what_guessing_gives(path: Path, labels: NDArray[Any] | None) -> None:
    run = make_run(task="regression", loss="mean squared error")
    probe = replace(run.probe, labels=labels, unkept=labels is None, guessed=1.5, guessed_right=0.25)
    back = read_back(path, replace(run, probe=probe))
    assert back.settings == run.settings
    assert back.probe.labelled
    np.testing.assert_equal(vars(back.probe), vars(probe))


def test_a_store_that_is_older_than_tasks_is_of_classes_where_it_has_labels(path: Path) -> None:
    for probe in (make_run().probe, replace(make_run().probe, labels=None)):
        run = replace(make_run(), probe=probe)
        with h5py.File(path, "w", libver=LIBVER) as file:
            write_header(file, run, fingerprint(run))
            write_run(file, run)
            for name in ("task", "loss", "probe_unkept"):
                del file.attrs[name]
        with opened(path) as file:
            back = read_run(file)
        assert (back.settings.task, back.settings.loss) == ("classes" if probe.labelled else "", "cross-entropy")


@pytest.mark.parametrize("labels", [np.full(5, np.nan), np.array([0, -1, 0, 0, 0]), np.zeros((5, 2, 2))])
def test_labels_that_cannot_be_are_refused(path: Path, labels: NDArray[Any]) -> None:
    run = make_run()
    with pytest.raises(StoreError, match="probe/label"):
        read_back(path, replace(run, probe=replace(run.probe, labels=labels)))


def test_a_task_that_is_not_known_is_refused(path: Path) -> None:
    with pytest.raises(StoreError, match=r"task is \\x1bdetection, and can be classes"):
        read_back(path, make_run(task="\x1bdetection"))
