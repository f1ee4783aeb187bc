"""What is known of a net's output before it is measured."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rfav_cli.activations.networks.eager import open_fresh
from rfav_cli.data.probe import load_probe
from rfav_cli.errors import ModelError, SampleError
from rfav_cli.measure.net_output import NetOutput, count_classes, look_at_output
from rfav_cli.records import Settings
from tests.measure.runs import opening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rfav_cli.data.probe import Probe


class Net(nn.Module):
    """Vectors of five features, hidden ones of four, scores of three classes; it returns what it is told to."""

    def __init__(self, answer: Callable[[Net, Tensor], Any]) -> None:
        super().__init__()
        self.body, self.head, self.other, self.back = nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(4, 5)
        self.answer = answer

    def forward(self, x: Tensor) -> Any:
        return self.answer(self, torch.relu(self.body(x)))


def probe_of(folder: Path, labels: list[Any] | None = None) -> Probe:
    arrays = {"images": np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)}
    np.savez(folder / "probe.npz", **arrays, **({} if labels is None else {"labels": np.array(labels)}))
    return load_probe(str(folder / "probe.npz"))


LABELS = [0, 1, 2] * 3


def looked(folder: Path, answer: Callable[[Net, Tensor], Any], labels: list[Any] | None, **settings: Any) -> NetOutput:
    torch.manual_seed(0)
    network, probe = open_fresh(lambda: Net(answer).eval(), opening()), probe_of(folder, labels)
    images = probe.batch(slice(0, 4), torch.device("cpu"))
    network.trace(images)
    return look_at_output(network, probe, Settings(**settings), images)


@pytest.mark.parametrize("labels", [LABELS, None])
def test_one_tensor_of_scores_is_read_without_a_word(tmp_path: Path, labels: list[int] | None) -> None:
    output = looked(tmp_path, lambda net, h: net.head(h), labels)
    assert replace(output, task=None) == NetOutput(shape=(3,), read=True, classifier="head")
    assert (output.task.name if output.task else "") == ("classes" if labels else "")


def test_a_net_may_work_on_its_input_in_place_and_draw_numbers(tmp_path: Path) -> None:
    class Changing(Net):
        def forward(self, x: Tensor) -> Any:
            return super().forward(nn.functional.dropout(x.mul_(-3), 0.5))

    network, probe = open_fresh(lambda: Changing(lambda net, h: net.head(h)).eval(), opening()), probe_of(tmp_path)
    images = probe.batch(slice(0, 4), torch.device("cpu"))
    before = images.clone()
    network.trace(images.clone())
    assert look_at_output(network, probe, Settings(), images).classifier == "head"
    assert torch.equal(images, before)


@pytest.mark.parametrize("labels", [LABELS, None])
def test_a_name_tells_which_it_is_and_a_note_says_so(tmp_path: Path, labels: list[int] | None) -> None:
    output = looked(tmp_path, lambda net, h: {"features": h, "logits": net.head(h)}, labels)
    assert (output.choice, output.path, output.shape, output.classifier) == ("logits", "logits", (3,), "head")
    (note,) = output.notes
    assert re.search("features: 4x4, logits: 4x3; the class scores are taken of logits", note)
    assert output.doubts == ()


def test_the_width_tells_where_there_are_labels_and_else_there_is_a_doubt(tmp_path: Path) -> None:
    def answer(net: Net, h: Tensor) -> Any:
        return h, net.head(h)

    labelled, unlabelled = (looked(tmp_path, answer, labels) for labels in (LABELS, None))
    assert (labelled.path, labelled.classifier, labelled.doubts) == ("1", "head", ())
    assert (unlabelled.path, unlabelled.classifier, unlabelled.choice) == ("1", "head", "1")
    (doubt,) = unlabelled.doubts
    assert doubt.kind == "output"
    assert "0: 4x4, 1: 4x3" in doubt.words
    assert "--output" in doubt.remedy


def test_two_heads_of_one_width_are_refused_with_labels_until_one_is_named(tmp_path: Path) -> None:
    def answer(net: Net, h: Tensor) -> Any:
        return net.other(h), net.head(h)

    with pytest.raises(ModelError, match="0 and 1 fit"):
        looked(tmp_path, answer, LABELS)
    for choice, classifier in (("0", "other"), ("1", "head")):
        output = looked(tmp_path, answer, LABELS, output=choice)
        assert (output.choice, output.classifier, output.notes) == (choice, classifier, ())


@pytest.mark.parametrize("labels", [LABELS, None])
@pytest.mark.parametrize("several", [True, False])
def test_an_autoencoder_has_no_scores_and_no_classifier(
    tmp_path: Path, labels: list[int] | None, several: bool
) -> None:
    output = looked(tmp_path, lambda net, h: (net.back(h), h) if several else net.back(h), labels)
    assert (output.shape, output.read, output.classifier, output.doubts) == (None, False, "", ())
    assert "has the shape of the samples" in output.notes[-1]


def test_a_classifier_of_as_many_classes_as_features_is_one(tmp_path: Path) -> None:
    output = looked(tmp_path, lambda net, h: net.back(h), [0, 1, 2, 3, 4, 0, 1, 2, 3])
    assert (output.read, output.classifier) == (True, "back")


@pytest.mark.parametrize("axes", [(None, None), (None, None, None)])
def test_maps_of_one_position_are_a_row_of_scores(tmp_path: Path, axes: tuple[None, ...]) -> None:
    output = looked(tmp_path, lambda net, h: net.head(h)[(..., *axes)], LABELS)
    assert (output.shape, output.read, output.classifier) == ((3,), True, "head")
    assert not any("no row of class scores" in note for note in output.notes)


@pytest.mark.parametrize(
    ("answer", "shape", "classifier"),
    [
        (lambda net, h: net.head(h)[:, :, None].expand(-1, -1, 6), (3, 6), ""),
        (lambda net, h: net.head(h).argmax(1), None, ""),
        (lambda net, h: net.head(h)[:, :, None], (3, 1), "head"),
    ],
)
def test_other_outputs_are_not_read(
    tmp_path: Path, answer: Callable[[Net, Tensor], Any], shape: tuple[int, ...] | None, classifier: str
) -> None:
    output = looked(tmp_path, answer, LABELS)
    assert (output.shape, output.read, output.classifier) == (shape, False, classifier)
    assert "is no row of class scores" in output.notes[0]


def test_outputs_that_nobody_wants_still_tell_the_classifier(tmp_path: Path) -> None:
    output = looked(tmp_path, lambda net, h: {"x": net.head(h), "hidden": h}, None, outputs=False)
    assert (output.read, output.classifier, output.notes) == (False, "head", ())


def test_a_net_may_return_anything_where_there_are_no_labels(tmp_path: Path) -> None:
    assert looked(tmp_path, lambda net, h: None, None).notes == (
        "the net returns no tensor but NoneType, so no predictions are measured",
    )
    assert looked(tmp_path, lambda net, h: None, None, outputs=False).notes == ()
    with pytest.raises(ModelError, match="no tensor"):
        looked(tmp_path, lambda net, h: None, LABELS)


def test_labels_beyond_the_outputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="label 3 is beyond the 3 outputs"):
        looked(tmp_path, lambda net, h: {"aux": h, "logits": net.head(h)}, [0, 1, 2, 3] * 2 + [0])


def test_the_classes_are_those_of_the_labels(tmp_path: Path) -> None:
    assert count_classes(probe_of(tmp_path)) == 0
    assert count_classes(probe_of(tmp_path, [0, 5] * 4 + [0])) == 6


def test_rows_of_one_1_each_are_counted_as_the_classes_that_they_are(tmp_path: Path) -> None:
    def told(labels: list[int]) -> tuple[str, ...]:
        rows = [[float(place == label) for place in range(3)] for label in labels]
        return looked(tmp_path, lambda net, h: net.head(h), rows).notes

    assert not any("the probe has samples of" in note for note in told(LABELS))
    assert "the probe has samples of 2 classes, for the 3 outputs of the net" in told([0, 1, 1] * 3)


def test_rows_of_length_1_are_doubted_to_be_class_scores(tmp_path: Path) -> None:
    def told(answer: Callable[[Net, Tensor], Any]) -> list[str]:
        return [doubt.words for doubt in looked(tmp_path, answer, LABELS).doubts if doubt.kind == "output"]

    (what,) = told(lambda net, h: nn.functional.normalize(net.head(h), dim=1))
    assert "3 wide, has the length 1" in what
    assert told(lambda net, h: net.head(h)) == []
    assert told(lambda net, h: torch.softmax(1000 * net.head(h), 1)) == []
