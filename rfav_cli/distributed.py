"""What ranks that share a command say to each other; one alone says nothing, and torch.distributed stays out.

torchrun ends all processes when one of them fails. Which of them says why is settled in torchrun's own key-value store:
the first to fail speaks, the others end in silence.
"""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import distributed, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from rfav_cli.errors import RanksError, ToldError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch._C._distributed_c10d import Store

    from rfav_cli.records import Ranks

PATIENCE = timedelta(minutes=30)
"""How long ranks that train wait for one of them, such as the one that analyses the probe."""
LONG_PATIENCE = timedelta(days=1)
"""How long ranks that have measured their checkpoints wait for the others."""

_FAILED = "rfav/failed"
_Value = TypeVar("_Value")


def is_first_rank(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is the one that writes, in whatever way a training was started on several.

    Before torch.distributed is set up, the variables tell that torchrun, accelerate and Lightning give each process.
    """
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank() == 0
    names = ("RANK",) if "RANK" in environment else ("LOCAL_RANK", "NODE_RANK")
    return all(environment.get(name, "0") in ("0", "") for name in names)


class Group:
    """The ranks of a command. Each call must be made by all of them, in the same order.

    Attributes:
        ranks: which of them this one is.
    """

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks

    def sums(self, values: Sequence[float]) -> list[float]:
        """The sum of each value over the ranks."""
        if self.ranks.alone:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total)
        summed: list[float] = total.tolist()
        return summed

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in one rank or more."""
        return self.sums([float(bool(flag))])[0] > 0

    def gathered(self, value: _Value) -> list[_Value]:
        """The value of each rank, in their order."""
        if self.ranks.alone:
            return [value]
        values: list[_Value | None] = [None] * self.ranks.world
        distributed.all_gather_object(values, value)
        return values  # type: ignore[return-value]

    def of_first(self, value: _Value) -> _Value:
        """The value of the first rank; what the others give is not used."""
        if self.ranks.alone:
            return value
        values = [value]
        distributed.broadcast_object_list(values)
        return values[0]

    def wait(self) -> None:
        """Go on when all have come here."""
        self.any(False)

    def distributed(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are averaged over the ranks in each backward.

        Nets may leave some of their weights unused in some of their steps.
        """
        return module if self.ranks.alone else DistributedDataParallel(module, find_unused_parameters=True)

    def take_buffers_of_first(self, model: nn.Module) -> None:
        """Copy the buffers of the first rank's net, such as running means, into those of the others."""
        if not self.ranks.alone:
            for buffer in model.buffers():
                distributed.broadcast(buffer, 0)


@contextlib.contextmanager
def joined(ranks: Ranks, device: str, patience: timedelta, remedy: str) -> Iterator[Group]:
    """Join the processes that torchrun started.

    Args:
        ranks: which of them this one is.
        device: where its tensors are going to be, as for `--device`.
        patience: how long one waits for another before it is taken for lost.
        remedy: what the user can do when a rank is gone.

    Raises:
        RanksError: a rank has ended or does not answer.
        ToldError: something went wrong that another rank tells of.
        UsageError: this process is in a group already, or the device cannot be shared.
    """
    if ranks.alone:
        yield Group(ranks)
        return
    store: Store = next(rendezvous("env://", timeout=patience))[0]
    try:
        with _process_group(store, ranks, device, patience):
            yield Group(ranks)
    except BaseException as error:
        if not _speaks(store, ranks):
            raise ToldError(str(error)) from error
        if is_lost(error):
            raise RanksError(f"one of the {ranks.world} ranks has ended before its time", remedy) from error
        raise


@contextlib.contextmanager
def _process_group(store: Store, ranks: Ranks, device: str, patience: timedelta) -> Iterator[None]:
    if device == "mps":
        raise UsageError("--device mps: cannot be shared by ranks", "Give --device cpu, or leave torchrun out.")
    if distributed.is_initialized():
        raise UsageError("this process is in a group of processes already", "Destroy that process group first.")
    on_gpu = device != "cpu" and torch.cuda.is_available()
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
        store=store,
        rank=ranks.rank,
        world_size=ranks.world,
        timeout=patience,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _speaks(store: Store, ranks: Ranks) -> bool:
    """Whether this rank is the first to fail, or nobody can be asked any more."""
    name = str(ranks.rank).encode()
    try:
        return bool(store.compare_set(_FAILED, "", name.decode()) == name)
    except RuntimeError:
        return True


def is_lost(error: BaseException) -> bool:
    """Whether an error is one of the connection; gloo's are bare."""
    return isinstance(error, RuntimeError) and (
        isinstance(error, distributed.DistError) or any(word in str(error).lower() for word in ("gloo", "nccl"))
    )
