"""What is written is what is read, however it was split over writers, files and packs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli.errors import StoreError
from rfav_cli.store import StoreWriter, check_place, open_store, pack
from rfav_cli.store.schema import epoch_file, folder_of
from tests.store.example import assert_same, make_run, measure, write


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 6), st.booleans()), max_size=10), st.integers(0, 2))
def test_any_split_over_writers_and_packs_reads_the_same(steps: list[tuple[int, bool]], writers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder, "one.h5"), Path(folder, "other.h5")
        write(one, *sorted({epoch for epoch, _ in steps}))
        several = [StoreWriter.open(other, make_run()) for _ in range(writers + 1)]
        for step, (epoch, packs) in enumerate(steps):
            several[step % len(several)].append(measure(epoch))
            if packs:
                pack(other)
        assert_same(open_store(one), open_store(other))
        assert_same(pack(one), pack(other))


def test_two_writers_fill_one_store(path: Path) -> None:
    first, second = StoreWriter.open(path, make_run()), StoreWriter.open(path, make_run())
    for epoch in range(6):
        (first if epoch % 2 else second).append(measure(epoch))
        if epoch == 3:
            pack(path)
    assert sorted(first.committed) == [1, 3, 5]
    assert pack(path).epochs.tolist() == [0, 1, 2, 3, 4, 5]


_WRITE = """
import sys
from pathlib import Path
from rfav_cli.store import StoreWriter, pack
from tests.store.example import make_run, measure
path = Path(sys.argv[1])
writer = StoreWriter.open(path, make_run())
for epoch in range(int(sys.argv[2]), 40, 2):
    writer.append(measure(epoch))
    if epoch % 5 == 0:
        pack(path)
pack(path)
"""


def test_readers_and_packers_beside_two_writers(path: Path) -> None:
    write(path)
    root = Path(__file__).parents[2]
    started = [subprocess.Popen([sys.executable, "-c", _WRITE, path, str(first)], cwd=root) for first in (0, 1)]
    seen = -1
    while any(process.poll() is None for process in started):
        history = open_store(path)
        assert len(history) >= seen
        seen = len(history)
        for row, epoch in enumerate(history.epochs.tolist()):
            np.testing.assert_array_equal(
                history.columns["entropy/map/0"][row], measure(epoch).columns["entropy/map/0"]
            )
    assert [process.returncode for process in started] == [0, 0]
    reference = path.with_name("alone.h5")
    write(reference, *range(40))
    assert_same(pack(path), open_store(reference))
    assert not folder_of(path).exists()


def test_errors_name_the_store_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("rfav.h5")
    write(path, 0)
    other = Path("deeper")
    other.mkdir()
    history = open_store(path)
    failures = [
        lambda: StoreWriter.open(path, make_run(with_bias=True)),
        lambda: StoreWriter.open(other / "none" / "rfav.h5", make_run()),
        lambda: StoreWriter.open(other, make_run()),
        lambda: open_store(other / "rfav.h5"),
    ]
    for fail in failures:
        with pytest.raises(StoreError) as caught:
            fail()
        assert str(tmp_path) not in str(caught.value)
    epoch_file(folder_of(path), 0).unlink()
    monkeypatch.chdir(other)
    with pytest.raises(StoreError, match=r"^rfav\.h5: what was opened is not there any more"):
        history.maps("conv1")[0]


def test_a_name_that_is_too_long_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be written \(File name too long\)"):
        check_place(tmp_path / ("x" * 300))
    with pytest.raises(StoreError, match=r"cannot be read \(File name too long\)"):
        open_store(tmp_path / ("x" * 300))
