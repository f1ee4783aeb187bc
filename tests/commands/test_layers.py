"""The layers of a net, before any run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import rfav_cli
from rfav_cli.errors import CheckpointError, ModelError, UsageError
from tests.commands import nets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.records import LayerList


def rows(listed: LayerList) -> dict[str, tuple[Any, ...]]:
    return {
        layer.name: (layer.kind, layer.weight_shape, layer.parameters, layer.channels, layer.positions, layer.uses)
        for layer in listed.layers
    }


IMAGES = {
    "stem": ("Conv2d", (8, 3, 3, 3), 224, 8, (9, 9), 1),
    "grouped": ("Conv2d", (12, 2, 3, 3), 216, 12, (7, 7), 1),
    "dilated": ("Conv2d", (6, 12, 3, 3), 654, 6, (7, 7), 1),
    "up": ("ConvTranspose2d", (6, 4, 2, 2), 104, 8, (14, 14), 1),
    "twice": ("Conv2d", (8, 8, 3, 3), 584, 8, (14, 14), 2),
    "fc1": ("Linear", (16, 32), 528, 16, (), 1),
    "fc2": ("Linear", (4, 16), 68, 4, (), 1),
}


@pytest.mark.parametrize("kind", ["eager", "traced", "scripted", "exported"])
def test_each_layer_in_forward_order_and_whether_it_is_measured(
    samples: Callable[[Any], Path], series: Callable[..., Path], kind: str
) -> None:
    folder = series(nets.Images, kind)
    listed = rfav_cli.layers(
        folder / "epoch_0.pt", probe=samples(nets.Images), model=nets.Images if kind == "eager" else None
    )
    assert rows(listed) == IMAGES
    assert list(rows(listed)) == list(IMAGES)
    assert [layer.reason for layer in listed.layers] == [""] * 6 + ["classifier"]
    subject = listed.subject
    assert subject is not None
    assert subject.layers == tuple(IMAGES)[:-1]
    assert (subject.samples, subject.classes, subject.output_shape, subject.classifier) == (24, 4, (4,), "fc2")


def test_a_net_as_its_code_makes_it_needs_no_checkpoint(samples: Callable[[Any], Path]) -> None:
    listed = rfav_cli.layers(model=nets.Images, probe=samples(nets.Images), skip=["up"], mean=0.5)
    assert rows(listed) == IMAGES
    assert {layer.name: layer.reason for layer in listed.layers if layer.reason} == {
        "up": "--skip up",
        "fc2": "classifier",
    }
    assert listed.subject is not None
    assert listed.subject.mean == (0.5, 0.5, 0.5)


def test_without_a_probe_the_weights_alone_are_listed() -> None:
    listed = rfav_cli.layers(model=nets.Images)
    assert listed.subject is None
    assert [(layer.name, layer.weight_shape, layer.parameters) for layer in listed.layers] == [
        (name, weight, count) for name, (_, weight, count, *_) in IMAGES.items()
    ]
    assert not any(layer.uses or layer.reason for layer in listed.layers)


class Odd(nn.Module):
    """A layer that is not reached, one without a shape, weights without a layer, and two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.fc = nn.Linear(5, 4)
        self.other = nn.Linear(5, 4)
        self.unused = nn.Linear(5, 2)
        self.lazy = nn.LazyLinear(3)

    def forward(self, x: Tensor) -> Any:
        h = self.lstm(x[:, None])[0][:, 0]
        return self.fc(h), self.other(h)


def test_what_is_not_measured_says_why_and_what_is_doubted_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "probe.npy", np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32))
    listed = rfav_cli.layers(model=Odd, probe=tmp_path / "probe.npy")
    reasons = {layer.name: layer.reason for layer in listed.layers}
    assert reasons["fc"] == "classifier"
    assert reasons["other"] == ""
    assert reasons["unused"] == "the forward does not reach it"
    assert "lazy" in reasons["lazy"]
    found = {layer.name: layer for layer in listed.layers}
    assert (found["unused"].weight_shape, found["unused"].parameters, found["unused"].uses) == ((2, 5), 12, 0)
    assert (found["lazy"].weight_shape, found["lazy"].parameters) == ((), None)
    assert reasons["lstm.l0"] == ""
    assert [doubt.kind for doubt in listed.doubts] == ["output"]
    assert [note for note in listed.notes if "took all 5 samples" in note]
    assert rfav_cli.layers(model=Odd, probe=tmp_path / "probe.npy", output="1").doubts == ()


def test_what_cannot_be_listed_is_an_error(
    tmp_path: Path, samples: Callable[[Any], Path], series: Callable[..., Path]
) -> None:
    with pytest.raises(UsageError, match="no net to look at"):
        rfav_cli.layers(probe=samples(nets.Vectors))
    with pytest.raises(ModelError, match="needs --model"):
        rfav_cli.layers(series(nets.Vectors, "eager") / "epoch_0.pt", probe=samples(nets.Vectors))
    with pytest.raises(ModelError, match="by a forward alone") as raised:
        rfav_cli.layers(series(nets.Vectors, "scripted") / "epoch_0.pt")
    assert "--probe" in raised.value.remedy
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match=r"other\.pt"):
        rfav_cli.layers(tmp_path / "other.pt", model=nets.Vectors)


def test_nothing_is_written(tmp_path: Path, samples: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rfav_cli.layers(model=nets.Vectors, probe=samples(nets.Vectors))
    assert list(tmp_path.iterdir()) == []


class Routed(nn.Module):
    """An expert for the samples with a positive first value, and none for the others."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.expert, self.head = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        h, chosen = self.stem(x), x[:, 0] > 0
        out = h.clone()
        out[chosen] = self.expert(h[chosen])
        return self.head(torch.relu(out))


def test_a_layer_that_some_samples_reach_has_no_output_to_list(tmp_path: Path) -> None:
    samples = np.ones((8, 3), np.float32)
    samples[4:] = -1
    np.savez(tmp_path / "probe.npz", x=samples, y=np.arange(8) % 2)
    listed = rfav_cli.layers(model=Routed, probe=str(tmp_path / "probe.npz"))
    expert = next(layer for layer in listed.layers if layer.name == "expert")
    assert (expert.reason, expert.channels, expert.uses) == ("only some samples reach it", None, 0)
