"""A small run whose figures follow from its epochs, so that any two ways of writing it must give the same store."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rfav_cli.records import Checkpoint, History, Layer, Measurement, ProbeRecord, Run, Settings, SkippedLayer
from rfav_cli.store import StoreWriter

if TYPE_CHECKING:
    from pathlib import Path

SIZE, MAPS = 5, 2


def make_run(**settings: Any) -> Run:
    """Two layers, one with a map of positions."""
    layers = (Layer("conv1", "Conv2d", 8, (8, 3, 3, 3), (4, 3)), Layer("fc.é", "Linear", 16, (16, 96), ()))
    thumbnails = np.arange(MAPS * 4 * 4 * 3, dtype=np.uint8).reshape(MAPS, 4, 4, 3)
    probe = ProbeRecord("ab" * 32, SIZE, np.arange(SIZE, dtype=np.int64), thumbnails, "cifar10:data")
    return Run(layers, (SkippedLayer("fc2", "classifier"),), probe, replace(Settings(maps=MAPS), **settings))


def measure(epoch: int, /, **more: Any) -> Measurement:
    """The figures of an epoch."""
    random = np.random.default_rng(epoch + 1)
    columns = {
        "probe/loss": np.float64(random.random()),
        "probe/accuracy": np.float64(random.random()),
        "probe/sample_loss": random.random(SIZE).astype(np.float32),
        "entropy/mean": random.random(2),
        "entropy/sample_mean": random.random((2, SIZE)).astype(np.float32),
        "entropy/mean_map/0": random.random((4, 3)).astype(np.float32),
        "entropy/mean_map/1": np.float32(random.random()),
        "entropy/map/0": random.random((MAPS, 4, 3)).astype(np.float16),
        "correlation/histogram": np.stack([random.multinomial(n, [1 / 201] * 201) for n in (28, 120)]).astype(
            np.uint32
        ),
        "nonfinite": random.integers(0, 2, 2),
        "activation/dead": np.array([random.random(), np.nan]),
        "activation/scale": 9 * random.random(2),
        "activation/shape": random.random(2) * np.log([8, 16]),
        "activation/rank": np.array([8 * random.random(), np.nan]),
        "activation/winners/0": random.dirichlet(np.ones(8)).astype(np.float32),
        "activation/winners/1": random.dirichlet(np.ones(16)).astype(np.float32),
    }
    digest = hashlib.sha256(str(epoch).encode()).hexdigest()
    return Measurement(Checkpoint(epoch, f"runs/epoch_{epoch}.pt", digest), columns | more)


def measure_little(epoch: int) -> Measurement:
    """The same in few columns, for tests that write hundreds of epochs."""
    whole = measure(epoch)
    names = ("probe/loss", "entropy/mean", "entropy/map/0")
    return Measurement(whole.checkpoint, {name: whole.columns[name] for name in names})


def write(path: Path, *epochs: int) -> StoreWriter:
    """Make a store or go on with it, and commit some epochs."""
    writer = StoreWriter.open(path, make_run())
    for epoch in epochs:
        writer.append(measure(epoch))
    return writer


def assert_same(one: History, other: History) -> None:
    """Two histories say the same, whichever path they were read from."""
    assert one.checkpoints == other.checkpoints
    assert one.bad == other.bad
    assert (one.run.layers, one.run.skipped, one.run.settings) == (
        other.run.layers,
        other.run.skipped,
        other.run.settings,
    )
    np.testing.assert_equal(vars(one.run.probe), vars(other.run.probe))
    assert sorted(one.columns) == sorted(other.columns)
    for name, column in one.columns.items():
        assert column.dtype == other.columns[name].dtype, name
        np.testing.assert_array_equal(np.asarray(column), np.asarray(other.columns[name]), err_msg=name)


def leftovers(folder: Path) -> list[str]:
    """Names of temporaries that a writer left."""
    return sorted(str(path) for path in folder.rglob(".tmp-*"))
