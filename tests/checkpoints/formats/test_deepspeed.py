from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.checkpoints.formats.files import state, write_deepspeed

if TYPE_CHECKING:
    from pathlib import Path


def test_the_weights_of_one_rank(tmp_path: Path) -> None:
    folder = tmp_path / "global_step10"
    write_deepspeed(folder, state())
    (folder / "zero_pp_rank_0_mp_rank_00_optim_states.pt").write_bytes(b"moments")
    payload = formats.read(folder, ReadOptions())
    assert [candidate.name for candidate in payload.content] == ["module"]
    assert torch.equal(payload.content[0].weights["0.weight"], state()["0.weight"])
    assert (payload.path, payload.epoch) == (folder, None)
    assert formats.weight_files(folder) == [folder / "mp_rank_00_model_states.pt"]


def test_the_epoch_beside_the_weights(tmp_path: Path) -> None:
    torch.save({"module": state(), "epoch": 4}, tmp_path / "mp_rank_00_model_states.pt")
    assert formats.stored_epoch(tmp_path, ReadOptions()) == formats.read(tmp_path, ReadOptions()).epoch == 4


def test_in_the_folder_of_a_trainer(tmp_path: Path) -> None:
    write_deepspeed(tmp_path / "global_step50", state())
    assert not formats.is_checkpoint_folder(tmp_path)
    (tmp_path / "trainer_state.json").write_text(json.dumps({"epoch": 2.0}))
    (tmp_path / "latest").write_text("global_step50")
    assert formats.is_checkpoint_folder(tmp_path)
    assert formats.read(tmp_path, ReadOptions()).epoch == formats.stored_epoch(tmp_path, ReadOptions()) == 2


@pytest.mark.parametrize(
    ("names", "message", "remedy"),
    [
        (["zero_pp_rank_0_mp_rank_00_model_states.pt"], "ZeRO stage 3", "zero_to_fp32.py"),
        (["mp_rank_00_model_states.pt", "mp_rank_01_model_states.pt"], "2 files hold parts", "state_dict"),
        (["layer_00-model_states.pt", "mp_rank_00_model_states.pt"], "2 files hold parts", "state_dict"),
    ],
)
def test_parts_of_a_net_are_refused(tmp_path: Path, names: list[str], message: str, remedy: str) -> None:
    for name in names:
        write_deepspeed(tmp_path, state(), name)
    assert formats.is_checkpoint_folder(tmp_path)
    for function in (formats.read, formats.stored_epoch):
        with pytest.raises(CheckpointError, match=message) as caught:
            function(tmp_path, ReadOptions())
        assert remedy in caught.value.remedy
