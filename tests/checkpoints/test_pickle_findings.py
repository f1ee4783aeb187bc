from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest

from rfav_cli.checkpoints.inspected import Look
from rfav_cli.checkpoints.pickle_findings import report_names, report_problem, report_tensors
from rfav_cli.checkpoints.pickle_walk import Walked
from rfav_cli.checkpoints.sketches import SketchedStorage, SketchedTensor
from rfav_cli.checkpoints.stand_ins import StandIn

if TYPE_CHECKING:
    from rfav_cli.records import ScannedFile


def done(look: Look) -> ScannedFile:
    return look.done("net.pt", "state_dict", "torch.save file", 100)


def tensor(key: str = "0", problem: str = "") -> SketchedTensor:
    return SketchedTensor(SketchedStorage("float32", key, 24), "float32", (2, 3), problem)


def test_names_are_told_by_what_they_can_do() -> None:
    look = Look()
    names = {("os", "system"): True, ("my_nets", "Net"): True, ("torch._utils", "_rebuild_tensor_v2"): True}
    report_names(Walked(names), look, "data.pkl")
    file = done(look)
    assert [(finding.rule, finding.message) for finding in file.findings] == [
        ("runs-code", "data.pkl: calls os.system"),
        ("refused", "data.pkl: needs os.system, which could run code"),
        ("objects", "data.pkl: holds my_nets.Net"),
    ]
    assert (file.classes.first, file.calls.first, file.opens) == (("my_nets.Net",), ("os.system",), False)


def test_of_many_classes_the_first_are_named() -> None:
    look = Look()
    report_names(Walked({("nets", f"Net{number}"): True for number in range(9)}), look)
    (finding,) = done(look).findings
    assert finding.message == "holds nets.Net0, nets.Net1, nets.Net2 and 6 more"


def test_what_was_not_seen_is_told() -> None:
    look = Look()
    report_problem(Walked(problem="a gap", whole=False), look)
    assert [finding.rule for finding in done(look).findings] == ["refused", "incomplete"]


def test_tensors_have_the_names_that_lead_to_them() -> None:
    net = StandIn("my_nets.Net")
    net.state = {"_parameters": OrderedDict(weight=tensor("1")), "_buffers": {}, "_modules": OrderedDict()}
    look = Look()
    report_tensors({"state_dict": {"conv.weight": tensor()}, "net": net, "list": [tensor("2")], "epoch": 3}, look)
    file = done(look)
    assert [entry.name for entry in file.tensors.first] == ["state_dict.conv.weight", "net.weight", "list.0"]
    assert (file.tensor_bytes, file.dtypes, file.metadata) == (72, {"float32": 3}, {"epoch": "3"})
    assert file.opens


def test_a_storage_that_tensors_share_counts_once() -> None:
    look = Look()
    report_tensors({"a": tensor(), "b": tensor()}, look)
    assert done(look).tensor_bytes == 24


def test_an_array_of_numpy_is_told_by_its_pickle() -> None:
    array, kind = StandIn("numpy._core.multiarray._reconstruct"), StandIn("numpy.dtype", ("f4", False, True))
    array.state = (1, (2, 3), kind, False, bytes(24))
    look = Look()
    report_tensors({"weight": array}, look)
    assert [(entry.name, entry.shape, entry.bytes) for entry in done(look).tensors.first] == [("weight", (2, 3), 24)]


@pytest.mark.parametrize(
    "content", [{"state": {0: {"exp_avg": tensor()}}, "param_groups": []}, {"optimizer": {"a": tensor()}}, {"epoch": 3}]
)
def test_what_holds_no_weights_is_told(content: Any) -> None:
    look = Look()
    report_tensors(content, look)
    file = done(look)
    assert [finding.rule for finding in file.findings] == ["no-weights"]
    assert not file.opens


def test_a_content_that_holds_itself_ends() -> None:
    content: dict[str, Any] = {"weight": tensor()}
    content["again"] = content
    look = Look()
    report_tensors(content, look)
    assert done(look).tensors.count == 1


def test_a_tensor_with_a_problem_is_refused() -> None:
    look = Look()
    report_tensors({"weight": tensor(problem="lies beyond its storage")}, look)
    assert done(look).why_not == "damaged: 'weight' lies beyond its storage"
