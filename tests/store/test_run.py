"""A run is told from another one, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from rfav_cli.errors import StoreError
from rfav_cli.records import ProbeRecord, Run
from rfav_cli.store import StoreWriter, open_store, pack
from rfav_cli.store.hdf5 import LIBVER, opened
from rfav_cli.store.run import differences, fingerprint, read_run, write_header, write_run
from tests.store.example import make_run, write

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_run_of_nothing_is_read_as_such(path: Path) -> None:
    bare = replace(make_run(), layers=(), skipped=(), probe=ProbeRecord("ab" * 32, 0))
    read = read_back(path, bare)
    assert (read.layers, read.skipped, read.probe.labels, read.probe.thumbnails) == ((), (), None, None)


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
