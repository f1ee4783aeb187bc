"""A run that lies elsewhere, and a store that goes there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fsspec.implementations.memory import MemoryFileSystem
from safetensors.torch import save_file

import rfav_cli
from rfav_cli.commands.check import names_stores
from rfav_cli.commands.show import follow
from rfav_cli.errors import RfavError, StoreError, UsageError
from rfav_cli.records import Note
from rfav_cli.remote import mirror
from tests.commands import nets

RUN = {"model": nets.Vectors, "layout": "nf"}


@pytest.fixture
def there(memory, series, samples):
    """Two checkpoints and a probe, elsewhere."""
    for path in series(nets.Vectors, "eager").iterdir():
        memory.pipe(f"/run/{path.name}", path.read_bytes())
    memory.pipe("/probe.npz", Path(samples(nets.Vectors)).read_bytes())
    return memory


def same(one, other):
    """Whether two stores hold the same figures."""
    names = {"entropy/mean", "probe/loss", "correlation/mean"}
    return all(np.array_equal(one.columns[name], other.columns[name]) for name in names)


@pytest.mark.parametrize("place", ["memory://run", "memory://run/epoch_*.pt"])
def test_the_figures_are_those_of_the_same_files_here(tmp_path, there, series, samples, place, monkeypatch):
    monkeypatch.setattr(mirror, "KEPT", 0)
    local = rfav_cli.analyze(
        series(nets.Vectors, "eager"), probe=samples(nets.Vectors), out=tmp_path / "here.h5", **RUN
    )
    history = rfav_cli.analyze(place, probe="memory://probe.npz", out=tmp_path / "there.h5", **RUN)
    assert same(local, history)
    assert [checkpoint.sha256 for checkpoint in history.checkpoints] == [c.sha256 for c in local.checkpoints]
    assert [checkpoint.path for checkpoint in history.checkpoints] == [
        "memory://run/epoch_0.pt",
        "memory://run/epoch_1.pt",
    ]
    assert history.run.probe.source == "memory://probe.npz"
    assert history.run.probe.sha256 == local.run.probe.sha256


def test_folders_that_are_checkpoints(tmp_path, there):
    for epoch in (1, 2):
        save_file(nets.make(nets.Vectors, epoch).state_dict(), tmp_path / "a")
        there.pipe(f"/out/checkpoint-{50 * epoch}/model.safetensors", (tmp_path / "a").read_bytes())
        there.pipe(f"/out/checkpoint-{50 * epoch}/optimizer.pt", b"moments" * 10)
        there.pipe(f"/out/checkpoint-{50 * epoch}/trainer_state.json", json.dumps({"epoch": float(epoch)}).encode())
    history = rfav_cli.analyze("memory://out", probe="memory://probe.npz", out=tmp_path / "a.h5", **RUN)
    assert [checkpoint.path for checkpoint in history.checkpoints] == [
        "memory://out/checkpoint-50",
        "memory://out/checkpoint-100",
    ]


def test_only_the_checkpoint_that_is_measured_and_the_next_are_here(tmp_path, there, monkeypatch):
    monkeypatch.setattr(mirror, "KEPT", 0)
    for epoch in range(2, 6):
        there.pipe(f"/run/epoch_{epoch}.pt", there.cat(f"/run/epoch_{epoch % 2}.pt"))
    here = []

    def look(event):
        (made,) = mirror._made
        here.append(sum(remote.here for path, remote in made.remotes.items() if path.suffix == ".pt"))

    rfav_cli.analyze("memory://run", probe="memory://probe.npz", out=tmp_path / "a.h5", report=look, **RUN)
    assert max(here) <= 2
    assert not any(remote.here for path, remote in mirror._made[0].remotes.items() if path.suffix == ".pt")


def test_a_store_that_goes_elsewhere_is_read_there_and_continued(there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there.mv("/run/epoch_1.pt", "/later.pt")
    options = {"probe": "memory://probe.npz", "out": "memory://stores/rfav.h5", **RUN}
    assert len(rfav_cli.analyze("memory://run", **options)) == 1
    there.mv("/later.pt", "/run/epoch_1.pt")
    told = []
    history = rfav_cli.analyze("memory://run", report=told.append, **options)
    assert [note.text for note in told if isinstance(note, Note) and "remote" in note.text] == [
        "1 remote checkpoints that the store has are taken as they were: --fresh reads them again"
    ]
    assert list(history.epochs) == [0, 1]
    assert history.path == "memory://stores/rfav.h5"
    assert np.isfinite(np.asarray(history.columns["entropy/mean"])).all()
    assert rfav_cli.show("memory://stores/rfav.h5").history.path == "memory://stores/rfav.h5"
    assert rfav_cli.check("memory://stores/rfav.h5", min_entropy={"*": 0.0}).code == 2
    rfav_cli.report("memory://stores/rfav.h5", out=tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_is_no_store_is_not_replaced_there(there):
    there.pipe("/stores/rfav.h5", b"mine")
    options = {"probe": "memory://probe.npz", "out": "memory://stores/rfav.h5", **RUN}
    for fresh in (True, False):
        with pytest.raises(StoreError):
            rfav_cli.analyze("memory://run", fresh=fresh, **options)
    assert there.cat_file("/stores/rfav.h5") == b"mine"


def test_what_was_measured_before_an_error_is_written_there(there, tmp_path):
    content = bytearray(there.cat("/run/epoch_1.pt"))
    weight = next(iter(nets.make(nets.Vectors, 1).state_dict().values())).numpy().tobytes()
    content[content.index(weight)] ^= 1  # so that its checksum is wrong, which is looked at when it is measured
    there.pipe("/run/epoch_1.pt", bytes(content))
    options = {"probe": "memory://probe.npz", "out": "memory://rfav.h5", **RUN}
    with pytest.raises(RfavError, match=r"^memory://run/epoch_1\.pt: "):
        rfav_cli.analyze("memory://run", **options)
    assert list(rfav_cli.open_store("memory://rfav.h5").epochs) == [0]


def test_a_store_that_cannot_be_written_is_kept_here(there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rfav.h5").write_text("another file")
    opened = MemoryFileSystem.open

    def refuse(self, path, mode="rb", **more):
        if "w" in mode:
            raise PermissionError(path)
        return opened(self, path, mode, **more)

    monkeypatch.setattr(MemoryFileSystem, "open", refuse)
    with pytest.raises(StoreError, match=r"^memory://rfav\.h5: access denied; what was measured is in rfav-1\.h5"):
        rfav_cli.analyze("memory://run", probe="memory://probe.npz", out="memory://rfav.h5", **RUN)
    assert len(rfav_cli.open_store("rfav-1.h5")) == 2


@pytest.mark.parametrize(
    ("out", "more", "message"),
    [
        ("memory://rfav.h5", {"no_pack": True}, "by one process"),
        ("memory://rfav.h5", {"shard": "1/2"}, "by one process"),
        ("https://me:secret@host/rfav.h5", {}, r"--out https://host/rfav\.h5: nothing can be written there"),
    ],
)
def test_a_store_that_cannot_go_there_is_refused_before_any_work(there, out, more, message):
    with pytest.raises(UsageError, match=message):
        rfav_cli.analyze("memory://run", probe="memory://probe.npz", out=out, **more, **RUN)


def test_nothing_that_is_not_there(there, tmp_path):
    with pytest.raises(RfavError, match=r"^memory://gone: no such file, folder or bucket"):
        rfav_cli.analyze("memory://gone", probe="memory://probe.npz", out=tmp_path / "a.h5", **RUN)
    with pytest.raises(RfavError, match=r"^memory://gone\.npz: no such file"):
        rfav_cli.analyze("memory://run", probe="memory://gone.npz", out=tmp_path / "a.h5", **RUN)
    with pytest.raises(RfavError, match=r"^memory://gone\.h5: no such file"):
        rfav_cli.open_store("memory://gone.h5")


def test_other_commands_take_what_is_elsewhere(there, samples, tmp_path):
    listed = rfav_cli.layers("memory://run/epoch_0.pt", probe="memory://probe.npz", **RUN)
    assert [layer.name for layer in listed.layers]
    images = np.load(samples(nets.Vectors))["images"]
    with torch.no_grad():
        labels = nets.make(nets.Vectors, 0).eval()(torch.from_numpy(images)).argmax(1).numpy()
    np.savez(tmp_path / "known.npz", images=images, labels=labels)
    there.pipe("/known.npz", (tmp_path / "known.npz").read_bytes())
    found = rfav_cli.calibrate("memory://run/epoch_0.pt", probe="memory://known.npz", **RUN)
    assert found.path == "memory://run/epoch_0.pt"


@pytest.mark.parametrize(
    "call",
    [
        lambda: rfav_cli.watch("memory://run", probe="memory://probe.npz", **RUN),
        lambda: rfav_cli.watch("run", probe="memory://probe.npz", out="memory://a.h5", **RUN),
        lambda: next(follow("memory://a.h5")),
        lambda: rfav_cli.pack("memory://a.h5"),
    ],
)
def test_what_takes_a_local_path_says_so(there, call):
    with pytest.raises(UsageError, match=r"^memory://.*(local|as it is)"):
        call()


def test_a_signed_address_of_a_store_is_one():
    assert names_stores([Path("https://host/rfav.h5?signature=secret")])
    assert not names_stores([Path("https://host/epoch_1.pt?signature=secret")])
