"""Train the small runs: `python -m benchmarks.remedy.adaptive.train --decoded DIR --out DIR --half tuning`.

DIR of `--decoded` holds `<data>.npz` as `benchmarks.detection.train` decodes them. What is there is passed over, so
that the whole can be stopped at any time and gone on with. A training takes 5 to 40 s of one core.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import rfav_cli
from benchmarks.detection.train import write_json
from benchmarks.remedy.adaptive.fit import fit, judged, read_parts, to_input, watched
from benchmarks.remedy.adaptive.methods import SOURCES, Method, source_options
from benchmarks.remedy.adaptive.nets import make
from benchmarks.remedy.adaptive.runs import split
from rfav_cli.training import control

if TYPE_CHECKING:
    from torch import nn

    from benchmarks.remedy.adaptive.fit import Parts, Row
    from benchmarks.remedy.adaptive.runs import SmallRun

PROBE = 300
"""Validation images that the verdict is made of."""


def main() -> None:
    """Train what is not trained yet, method by method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoded", type=Path, required=True, help="folder of the decoded data sets")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go")
    parser.add_argument("--half", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--methods", default="plain,adaptive,adaptive scores", help="see `methods`; by commas")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", default="", help="runs whose name has this in it")
    parser.add_argument("--skip", default="(none)", help="runs whose name has this in it are left out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parts: dict[str, Parts] = {}
    for method in options.methods.split(","):
        for seed in options.seeds:
            for run in split()[options.half]:
                result = options.out / options.half / run.name / f"{method}.{seed}.json"
                if options.only not in run.name or options.skip in run.name or result.exists():
                    continue
                if run.name not in parts:
                    parts[run.name] = read_parts(run, options.decoded)
                train(run, method, seed, parts[run.name], result)


def train(run: SmallRun, method: str, seed: int, parts: Parts, result: Path) -> None:
    """Train one, and write its figures."""
    result.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    how = from_start if method in SOURCES else go_on
    document = how(run, method, seed, parts, result)
    if document is None:
        return
    write_json(result, document)
    rows = document["rows"]
    told = "nothing to do" if not rows else " ".join(f"{rows[-1][name]:.3f}" for name in ("loss", "accuracy"))
    print(f"{run.name} {method} {seed}: {told} in {time.monotonic() - started:.0f} s", flush=True)


def from_start(run: SmallRun, source: str, seed: int, parts: Parts, result: Path) -> dict[str, Any] | None:
    """A training from fresh weights; of the plain one the best weights and the layers that collapse are kept."""
    options = source_options(run, source)
    if options is None:
        return None
    made, fitted = options
    net = _fresh(run, seed, **made)
    if source != "plain":
        return {"rows": fit(run, net, parts, None, epochs=range(run.epochs), seed=seed, **fitted)}  # type: ignore[arg-type]
    images, labels = to_input(parts.validation[0]), parts.validation[1]
    before = watched(net, images, labels) | judged(net, to_input(parts.truth[0]), parts.truth[1])
    best = {"loss": before["validation_loss"]}
    kept = result.with_suffix(".pt")
    probe = result.with_suffix(".npz")
    np.savez(probe, images=images[:PROBE].numpy(), labels=labels[:PROBE].numpy())
    store = result.with_suffix(".h5")
    with rfav_cli.Monitor(net, probe, store, fold_norm=run.normalised, maps=0, fresh=True) as monitor:
        monitor.record(-1)
        torch.save(net.state_dict(), kept)

        def watch(epoch: int, row: Row) -> None:
            if "loss" in row:
                verdict = monitor.record(epoch)
                collapsed = [layer.name for layer in verdict.layers if layer.state == "collapsed"]
                found.update(state=verdict.run.state, layers=collapsed)
            if row["validation_loss"] < best["loss"]:
                best["loss"] = row["validation_loss"]
                torch.save(net.state_dict(), kept)

        found: dict[str, Any] = {}
        rows = fit(run, net, parts, None, epochs=range(run.epochs), seed=seed, after=watch)
    probe.unlink()
    layers = rfav_cli.open_store(store).run.layers
    positions = {layer.name: int(np.prod(layer.positions)) for layer in layers}
    return {"rows": [before, *rows], "positions": positions, **found}


def go_on(run: SmallRun, name: str, seed: int, parts: Parts, result: Path) -> dict[str, Any] | None:
    """A training that goes on from the best checkpoint of the plain one, with as many epochs in all."""
    method, plain = Method.of(name), result.with_name(f"plain.{seed}.json")
    begun = json.loads(plain.read_text(encoding="utf-8"))
    names = method.layers(begun["positions"], begun["layers"], seed)
    net = _fresh(run, seed)
    regularizer = method.regularizer(run, net, begun["positions"], names)
    if regularizer is None:
        return {"rows": None}
    best = 0
    if not method.fresh:
        net.load_state_dict(torch.load(plain.with_suffix(".pt"), weights_only=True))
        best = int(np.argmin([row["validation_loss"] for row in begun["rows"]]))
    before = control.GAIN, control.HIGHEST
    control.GAIN, control.HIGHEST = method.gain, method.highest
    try:
        rows = fit(run, net, parts, regularizer, epochs=range(best, run.epochs), seed=seed)
    finally:
        control.GAIN, control.HIGHEST = before
    return {"rows": begun["rows"][: best + 1] + rows, "first": best, "layers": names}


def _fresh(run: SmallRun, seed: int, *, norm: bool = False, dropout: bool = False) -> nn.Module:
    torch.manual_seed(seed)
    return make(run.net, run.classes, norm=norm, dropout=dropout).to(memory_format=torch.channels_last)


if __name__ == "__main__":
    main()
