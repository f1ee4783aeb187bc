"""What the penalties cost in a training: time and memory of a step, as ratios to the plain step of the same net.

Three ways, with the penalties of the paper's sr3 (lambda on conv3, conv4 and fc1, kappa on conv1):

- plain: forward, cross-entropy, backward, SGD;
- rfav: the same with `rfav_cli.TargetedRegularizer`;
- by hand: the same with forward hooks and log_softmax, as a user writes it.

Steps are timed in turns in one process (A B C A B C ...), so that whatever else the machine does meets all of them, and
each ratio is of two neighbours in time. Memory is the peak of a process of its own: all that it holds, and what comes
on top of what it held before the first step (on CUDA: what torch's allocator gave out).
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import rfav_cli
from benchmarks.inputs import CLASSES, SIZE, machine, make_net, memory, print_table, write_json
from benchmarks.speed import CLOCKS
from rfav_cli import equations, recipes

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

WAYS = ("plain", "rfav", "by hand")
RECIPE = "paper:sr3"
WARM_UP = 2


class ByHand:
    """The penalties as a user writes them."""

    def __init__(self, net: nn.Module) -> None:
        self.entropies: list[Tensor] = []
        self.layers = recipes.named(RECIPE).layers
        self.modules = dict(net.named_modules())
        for layer in self.layers:
            if layer.lambda_:
                self.modules[layer.name].register_forward_hook(partial(self.hook, layer.lambda_))

    def hook(self, weight: float, layer: Any, _inputs: Any, output: Tensor) -> None:
        """Keep the penalty of one layer."""
        log_p = torch.log_softmax(output - layer.bias.view(-1, *[1] * (output.ndim - 2)), dim=1)
        self.entropies.append(weight * (log_p.exp() * log_p).sum() / len(output))

    def __call__(self) -> Tensor:
        """The penalties of the last forward."""
        weights = [self.modules[layer.name].weight.flatten(1) for layer in self.layers if layer.kappa]
        total = torch.stack([*self.entropies, *map(equations.decorrelation_penalty, weights)]).sum()
        self.entropies.clear()
        return total


def make_step(way: str, options: argparse.Namespace) -> Callable[[], None]:
    """One step of a training, ready to be called."""
    torch.manual_seed(0)
    net = make_net(options.net).to(options.device)
    images = torch.randn(options.batch, 3, SIZE, SIZE, device=options.device)
    labels = torch.randint(CLASSES, (options.batch,), device=options.device)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    makers = {"rfav": lambda: rfav_cli.TargetedRegularizer(net, RECIPE), "by hand": lambda: ByHand(net)}
    penalty = makers[way]() if way in makers else None

    def step() -> None:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images), labels)
        (loss if penalty is None else loss + penalty()).backward()
        optimizer.step()
        if options.device != "cpu":
            torch.cuda.synchronize()

    return step


def times(options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of the steps of each way, in turns."""
    torch.set_num_threads(options.threads)
    steps = {way: make_step(way, options) for way in WAYS}
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    clock = CLOCKS[options.clock]
    gc.disable()
    for turn in range(WARM_UP + options.steps):
        for way, step in steps.items():
            start = clock()
            step()
            if turn >= WARM_UP:
                taken[way].append(clock() - start)
    return taken


def peak(way: str, options: argparse.Namespace) -> tuple[float, float]:
    """MB that the process holds at most, and how much of that its steps added."""
    torch.set_num_threads(options.threads)
    step = make_step(way, options)
    if options.device != "cpu":
        before = torch.cuda.memory_allocated()
        step()
        step()
        return torch.cuda.max_memory_allocated() / 1e6, (torch.cuda.max_memory_allocated() - before) / 1e6
    before = memory("VmRSS")
    for _ in range(3):
        step()
    return memory("VmHWM"), memory("VmHWM") - before


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All figures, a way a row."""
    taken = times(options)
    rows = []
    for way in WAYS:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            whole, added = pool.submit(peak, way, options).result()
        ratios = sorted(a / b for a, b in zip(taken[way], taken["plain"], strict=True))
        quarter = len(ratios) // 4
        rows.append(
            {
                "way": way,
                "ms": 1000 * statistics.median(taken[way]),
                "time / plain": [ratios[quarter], statistics.median(ratios), ratios[-1 - quarter]],
                "peak MB": whole,
                "added MB": added,
            }
        )
    return rows


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", default="vanillanet-m", help="vanillanet-*")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    rows = measure(options)
    plain = rows[0]
    shown = [
        {
            "way": row["way"],
            "ms": f"{row['ms']:.0f}",
            "time / plain": "{1:.2f} ({0:.2f}-{2:.2f})".format(*row["time / plain"]),
            "peak MB": f"{row['peak MB']:.0f}",
            "/ plain": f"{row['peak MB'] / plain['peak MB']:.2f}",
            "added MB": f"{row['added MB']:.0f}",
            "added / plain": f"{row['added MB'] / plain['added MB']:.2f}",
        }
        for row in rows
    ]
    print_table(f"A step of {options.net}, batch {options.batch}: medians, ratios with (quartiles)", shown)
    write_json(
        options.out, {"machine": machine(options.device), "options": {**vars(options), "out": None}, "results": rows}
    )


if __name__ == "__main__":
    main()
