"""Pages of one run and of several; what is on them is tested with the front-end."""

from __future__ import annotations

import pytest

import rfav_cli
from rfav_cli.commands.report import prepare_run
from rfav_cli.errors import OutputError, StoreError, UsageError
from rfav_cli.store import StoreWriter
from tests.store.example import make_run


def test_a_page_holds_all_runs_by_their_names(judged, tmp_path):
    path = rfav_cli.report(judged, out=tmp_path / "two.html")
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "two.html"
    assert '"bad"' in text
    assert '"good"' in text


def test_a_run_is_prepared_with_its_verdict(judged):
    manifests = [prepare_run(path, name="mine").manifest for path in judged]
    assert [manifest["name"] for manifest in manifests] == ["mine", "mine"]
    assert [manifest["document"]["run"]["state"] for manifest in manifests] == ["overfitting", "healthy"]


def test_without_stores_or_epochs_there_is_no_page(tmp_path):
    with pytest.raises(UsageError, match="no store"):
        rfav_cli.report([], out=tmp_path / "a.html")
    StoreWriter.open(tmp_path / "empty.h5", make_run())
    with pytest.raises(StoreError, match="holds no epoch yet"):
        rfav_cli.report(tmp_path / "empty.h5", out=tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


def test_another_file_is_not_replaced(judged, tmp_path):
    (tmp_path / "a.html").write_text("mine")
    with pytest.raises(OutputError, match=r"a\.html: was not written by `rfav report`"):
        rfav_cli.report(judged[0], out=tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == "mine"
    with pytest.raises(OutputError, match="reads it"):
        rfav_cli.report(judged, out=judged[1], force=True)
    for force in (True, False):
        rfav_cli.report(judged[0], out=tmp_path / "a.html", force=force)
