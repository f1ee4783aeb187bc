"""The files of frameworks that are not installed for the tests, as these write them."""

from __future__ import annotations

import copy
import json
import sys
from datetime import datetime, timezone
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from tests.acceptance.recognised.folder import EPOCHS, Folder, folder_of_images, trained

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def ultralytics(path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """`weights/epoch0.pt`, `best.pt` and `last.pt`: pickled modules in half precision, and their arguments."""
    folder = folder_of_images(path)
    code = folder.user_code("nets.py")
    net = code.Net()
    # As the pickle names it: a class of a package that is not there when it is read.
    tasks = ModuleType("ultralytics.nn.tasks")
    tasks.ClassificationModel = type("ClassificationModel", (code.Net,), {"__module__": tasks.__name__})  # type: ignore[attr-defined]
    for name in ("ultralytics", "ultralytics.nn"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, tasks.__name__, tasks)
    weights = path / "runs" / "train" / "weights"
    weights.mkdir(parents=True)
    (weights.parent / "args.yaml").write_text("task: classify\n")
    for epoch in range(EPOCHS):
        with torch.no_grad():  # what is saved has half the digits, so the net goes on with these
            for value in net.state_dict().values():
                value.copy_(value.half() if value.is_floating_point() else value)
        optimizer = trained(folder, net, epoch)
        folder.losses.pop()
        half = tasks.ClassificationModel()
        half.load_state_dict(net.state_dict())
        half = half.half()
        folder.remember(copy.deepcopy(half).float())
        checkpoint = {
            "epoch": epoch,
            "best_fitness": 0.5,
            "model": None,
            "ema": half,
            "updates": 3 * epoch,
            "optimizer": optimizer.state_dict(),
            "train_args": {"task": "classify", "epochs": EPOCHS, "imgsz": 8},
            "train_metrics": {"fitness": 0.5},
            "date": datetime.now(timezone.utc).isoformat(),
            "version": "8.3.0",
        }
        for name in (f"epoch{epoch}", "last", *(["best"] if epoch == 1 else [])):
            torch.save(checkpoint, weights / f"{name}.pt")
    for name in [name for name in sys.modules if name.partition(".")[0] == "ultralytics"]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def fastai(path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """`SaveModelCallback(every_epoch=True)`: `models/model_N.pth`, the net and its optimizer's state."""
    folder = folder_of_images(path)
    net = folder.user_code("nets.py").Net()
    models = path / "learner" / "models"
    models.mkdir(parents=True)
    for epoch in range(EPOCHS):
        optimizer = trained(folder, net, epoch)
        torch.save({"model": net.state_dict(), "opt": optimizer.state_dict()}, models / f"model_{epoch}.pth")
    return folder


def deepspeed(path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """`engine.save_checkpoint` of one rank: `global_stepN/mp_rank_00_model_states.pt`, and `latest` beside it."""
    folder = folder_of_images(path)
    net = folder.user_code("nets.py").Net()
    steps = [5 * (epoch + 1) for epoch in range(EPOCHS)]
    for epoch, step in enumerate(steps):
        optimizer = trained(folder, net, epoch)
        there = path / "runs" / f"global_step{step}"
        there.mkdir(parents=True)
        states = {
            "module": net.state_dict(),
            "buffer_names": [name for name, _ in net.named_buffers()],
            "optimizer": None,
            "param_shapes": [{name: value.shape for name, value in net.named_parameters()}],
            "frozen_param_shapes": None,
            "shared_params": {},
            "lr_scheduler": None,
            "data_sampler": None,
            "random_ltd": None,
            "sparse_tensor_module_names": set(),
            "skipped_steps": 0,
            "global_steps": step,
            "global_samples": 8 * step,
            "dp_world_size": 1,
            "mp_world_size": 1,
            "ds_config": {"train_batch_size": 8, "zero_optimization": {"stage": 1}},
            "ds_version": "0.16.0",
        }
        torch.save(states, there / "mp_rank_00_model_states.pt")
        partition = {"optimizer_state_dict": optimizer.state_dict(), "ds_config": {}, "ds_version": "0.16.0"}
        torch.save(partition, there / "zero_pp_rank_0_mp_rank_00_optim_states.pt")
    (path / "runs" / "latest").write_text(f"global_step{steps[-1]}")
    (path / "runs" / "zero_to_fp32.py").write_text("raise SystemExit('code beside the weights ran')\n")
    (path / "runs" / "ds_config.json").write_text(json.dumps({"train_batch_size": 8}))
    folder.epochs = [*folder.epochs, steps]
    return folder
