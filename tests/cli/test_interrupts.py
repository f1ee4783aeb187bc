"""Ctrl-C in good order, and at once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from rfav_cli.cli.interrupts import Stop, safe_in_run, safe_in_store
from rfav_cli.records import Ranks
from rfav_cli.store import StoreWriter
from tests.store.example import make_run, measure

if TYPE_CHECKING:
    from pathlib import Path


def stop(said: list[str], **options: object) -> Stop:
    return Stop("step", said.append, lambda: "all is safe", **options)  # type: ignore[arg-type]


def test_the_first_ctrl_c_asks_and_the_second_ends() -> None:
    said: list[str] = []
    before = signal.getsignal(signal.SIGINT)

    def interrupt_twice() -> None:
        with stop(said) as asked:
            signal.raise_signal(signal.SIGINT)
            assert asked.requested
            assert said == ["stopping after this step; Ctrl-C again to stop at once"]
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupt_twice()
    assert said[1:] == ["stopped at once; all is safe"]
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_asked_otherwise_says_nothing_of_ctrl_c() -> None:
    said: list[str] = []
    with stop(said, signals=(signal.SIGTERM,)) as asked:
        signal.raise_signal(signal.SIGTERM)
    assert asked.requested
    assert said == ["stopping after this step"]


def test_of_several_ranks_each_hears_torchrun_and_the_first_speaks() -> None:
    for rank, words in ((0, 1), (1, 0)):
        said: list[str] = []
        with stop(said, ranks=Ranks(rank, 2)) as asked:
            signal.raise_signal(signal.SIGTERM)
        assert asked.requested
        assert len(said) == words


def test_what_is_safe_is_counted(tmp_path: Path) -> None:
    assert safe_in_store(tmp_path / "rfav.h5") == "there is no store yet"
    writer = StoreWriter.open(tmp_path / "rfav.h5", make_run())
    for number, words in ((0, "1 epoch is safe in"), (1, "2 epochs are safe in")):
        writer.append(measure(number))
        assert safe_in_store(tmp_path / "rfav.h5").startswith(words)
    assert safe_in_run(tmp_path / "none").startswith("0 checkpoints are safe in")
    (tmp_path / "epoch_-1.pt").touch()
    assert safe_in_run(tmp_path).startswith("1 checkpoint is safe in")
