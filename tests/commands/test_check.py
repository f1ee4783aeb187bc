"""The gate on stores and on checkpoints, as Python calls it; its decisions are tested with the diagnosis."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from pathlib import Path

import pytest

import rfav_cli
from rfav_cli.commands.check import CACHE, checked_into, names_stores
from rfav_cli.errors import BaselineError, OutputError, StoreError, UsageError
from rfav_cli.options import Check
from rfav_cli.records import Measurement
from rfav_cli.render.ci import CHECK_FORMATS
from rfav_cli.store import StoreWriter
from tests.commands import nets
from tests.store.example import make_run


def test_stores_are_told_by_their_endings_and_not_mixed():
    assert names_stores([Path("a.h5"), Path("b.HDF5")])
    assert not names_stores([Path("run"), Path("a.pt")])
    with pytest.raises(UsageError, match="nothing to check"):
        names_stores([])
    with pytest.raises(UsageError, match=r"a\.h5 is a store, other paths are not"):
        names_stores([Path("run"), Path("a.h5")])


def test_codes_are_those_of_the_worst_store(judged):
    bad, good = judged
    assert [rfav_cli.check(paths).code for paths in (good, bad, [good, bad])] == [0, 1, 1]
    assert len(rfav_cli.check([good, bad]).stores) == 2


def test_limits_are_pairs_or_a_mapping(judged):
    for limits in ({"fc1": 0.99}, [("fc1", 0.99)]):
        assert rfav_cli.check(judged[1], min_entropy=limits).code == 1
    assert rfav_cli.check(judged[1], min_entropy={"fc1": 0.1}).code == 0


def test_a_baseline_is_a_good_store_or_what_was_written_of_one(judged, tmp_path):
    bad, good = judged
    written = tmp_path / "baseline.json"
    rfav_cli.check(bad, write_baseline=written)
    assert not written.exists()
    rfav_cli.check(good, write_baseline=written)
    for baseline in (good, written):
        assert rfav_cli.check(good, baseline=baseline, max_accuracy_drop=0.01).code == 0
    with pytest.raises(UsageError, match="several stores"):
        rfav_cli.check([good, good], write_baseline=written)
    StoreWriter.open(tmp_path / "empty.h5", make_run())
    with pytest.raises(StoreError, match="no epochs to be a baseline"):
        rfav_cli.check(good, baseline=tmp_path / "empty.h5", max_accuracy_drop=0.01)


def test_the_first_baseline_is_written_where_the_policy_names_it_already(judged, tmp_path):
    bad, good = judged
    named = tmp_path / "baseline.json"
    policy = {"baseline": named, "max_accuracy_drop": 0.01}
    with pytest.raises(BaselineError, match=r"--write-baseline .*baseline\.json` writes the first one"):
        rfav_cli.check(good, **policy)
    with pytest.raises(BaselineError):  # another file does not stand in for the one that is asked for
        rfav_cli.check(good, **policy, write_baseline=tmp_path / "other.json")
    assert rfav_cli.check(bad, **policy, write_baseline=named).code == 1
    assert not named.exists()
    assert rfav_cli.check(good, **policy, write_baseline=str(named)).code == 0
    assert rfav_cli.check(good, **policy).code == 0
    assert "RFAV009" in {each.rule for each in rfav_cli.check(bad, **policy).findings}


def test_checkpoints_are_measured_once_beside_them_and_anew_where_they_changed(series, samples, tmp_path):
    run, probe = tmp_path / "run", samples(nets.Vectors)
    shutil.copytree(series(nets.Vectors, "eager", 3), run)
    options = {"model": nets.Vectors, "probe": probe, "layout": "nf"}
    told = []

    def epochs():
        told.clear()
        report = rfav_cli.check(run, report=told.append, **options)
        measured = [event.checkpoint.epoch for event in told if isinstance(event, Measurement)]
        return len(report.stores), measured

    assert epochs() == (1, [0, 1, 2])
    assert (run / CACHE).is_file()
    assert epochs() == (1, [])
    shutil.copy(run / "epoch_0.pt", run / "epoch_1.pt")
    assert epochs() == (1, [0, 1, 2])
    (run / "epoch_2.pt").unlink()
    assert epochs() == (1, [0, 1])
    with pytest.raises(UsageError, match="held-out samples first"):
        rfav_cli.check(run)


def test_files_of_what_was_found_and_the_baseline_appear_together_or_not_at_all(judged, tmp_path, monkeypatch):
    files = {tmp_path / "a.json": "json", tmp_path / "a.xml": "junit"}
    options = Check(paths=judged[1], write_baseline=tmp_path / "baseline.json")
    real, calls = os.replace, []

    def fail_third(source, target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    def contents():
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    for before in ({}, {"a.json": b"{}", "a.xml": b"<a/>", "baseline.json": b"[]"}):
        for name, content in before.items():
            (tmp_path / name).write_bytes(content)
        calls.clear()
        monkeypatch.setattr(os, "replace", fail_third)
        with pytest.raises(OutputError, match=r"baseline\.json: cannot be written"):
            checked_into(dataclasses.replace(options, force=True), files)
        assert contents() == before
        monkeypatch.undo()
    checked_into(dataclasses.replace(options, force=True), files)
    assert len(contents()) == 3
    checked_into(options, files)  # which replaces its own


@pytest.mark.parametrize("name", CHECK_FORMATS)
def test_no_store_and_no_file_of_others_is_replaced(judged, tmp_path, name):
    for taken, force in ((judged[0], True), (judged[1], True), (tmp_path / "mine", False)):
        before = taken.read_bytes() if taken.exists() else b"mine"
        taken.write_bytes(before)
        with pytest.raises(OutputError, match="stays as it is"):
            checked_into(Check(paths=judged[0], force=force), {taken: name})
        assert taken.read_bytes() == before
    checked_into(Check(paths=judged[0], force=True), {tmp_path / "mine": name})
    checked_into(Check(paths=judged[0]), {tmp_path / "mine": name})
