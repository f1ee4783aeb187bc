from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.activations.suggested_model import suggested_model
from rfav_cli.records import Payload

if TYPE_CHECKING:
    from pathlib import Path


def holding(folder: Path, **arguments: Any) -> Payload:
    return Payload("eager", folder / "a.pt", [], arguments=arguments)


def test_a_configuration_of_transformers_beside_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    assert suggested_model(holding(tmp_path)) == "--model hf:"
    assert suggested_model(Payload("eager", tmp_path, [])) == "--model hf:"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"args": {"model": "\x1b[31m"}},
        {"args": {"model": "x --probe y"}},
        {"args": {"model": 3}},
        {"config": {"model": "no_such_net"}},
    ],
)
def test_a_file_that_does_not_say(tmp_path: Path, arguments: dict[str, Any]) -> None:
    assert suggested_model(holding(tmp_path, **arguments)) == ""


def test_what_the_training_script_of_timm_keeps(tmp_path: Path) -> None:
    pytest.importorskip("timm", reason="pip install 'rfav-cli[timm]'")
    told = suggested_model(holding(tmp_path, args={"model": "test_resnet", "num_classes": 4}))
    assert told == "--model timm:test_resnet --model-arg num_classes=4 (of the file's args)"


def test_what_the_training_script_of_torchvision_keeps(tmp_path: Path) -> None:
    pytest.importorskip("torchvision", reason="pip install 'rfav-cli[torchvision]'")
    assert suggested_model(holding(tmp_path, args={"model": "resnet18"})) == (
        "--model torchvision:resnet18 (of the file's args)"
    )
