"""What ranks say to each other; several of them are started in tests/acceptance/test_ranks.py."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from rfav_cli.distributed import PATIENCE, is_first_rank, is_lost, joined
from rfav_cli.records import ALONE

ROOT = Path(__file__).parents[1]


def test_one_alone_says_nothing_to_anybody() -> None:
    with joined(ALONE, "cpu", PATIENCE, "") as group:
        net = nn.Linear(2, 2)
        assert group.sums([1.5, -1.0]) == [1.5, -1.0]
        assert (group.any(True), group.any(False)) == (True, False)
        assert (group.gathered("a"), group.of_first("b")) == (["a"], "b")
        assert group.distributed(net) is net
        group.wait()
        group.take_buffers_of_first(net)
    assert not torch.distributed.is_initialized()


def test_errors_of_the_connection_are_told_from_others() -> None:
    assert is_lost(RuntimeError("[gloo] Connection closed by peer"))
    assert is_lost(RuntimeError("NCCL error"))
    assert not is_lost(RuntimeError("shape '[2, 3]' is invalid"))
    assert not is_lost(ValueError("gloo"))


def test_an_error_of_one_alone_goes_on_as_it_is() -> None:
    with pytest.raises(KeyError), joined(ALONE, "cpu", PATIENCE, ""):
        raise KeyError


SCRIPT = """
    import torch
    from torch import nn
    from rfav_cli.distributed import PATIENCE, joined
    from rfav_cli.records import Ranks

    ranks = Ranks.of_torchrun()
    with joined(ranks, "cpu", PATIENCE, "") as group:
        norm = nn.BatchNorm1d(1)
        norm.running_mean.fill_(10.0 + ranks.rank)
        group.take_buffers_of_first(norm)
        net = group.distributed(nn.Linear(1, 1, bias=False))
        nn.init.ones_(net.module.weight)
        net(torch.full((1, 1), 1.0 + ranks.rank)).sum().backward()
        print(
            group.sums([1.0 + ranks.rank, 0.5]), group.any(ranks.rank == 1), group.any(False),
            group.gathered(ranks.rank), group.of_first(f"of {ranks.rank}"),
            norm.running_mean.item(), net.module.weight.grad.item(),
        )
"""


def test_two_ranks_share_what_each_of_them_has() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"PYTHONPATH": str(ROOT), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    shared |= {"LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "test", "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SCRIPT)],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [rank.communicate(timeout=120)[0].strip() for rank in ranks]
    assert said == ["[3.0, 1.0] True False [0, 1] of 0 10.0 1.5"] * 2


@pytest.mark.parametrize(
    ("environment", "first"),
    [
        ({}, True),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"RANK": "4", "LOCAL_RANK": "0"}, False),
        ({"LOCAL_RANK": "1"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, True),
        ({"LOCAL_RANK": "0", "NODE_RANK": "2"}, False),
    ],
)
def test_the_rank_that_writes_is_told_by_what_launchers_set(environment, first):
    assert is_first_rank(environment) is first
