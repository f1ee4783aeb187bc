from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pathlib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.checkpoints import export_archives
from rfav_cli.checkpoints.export_archives import check_exported
from rfav_cli.checkpoints.formats import exported
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.errors import CheckpointError
from tests.activations.networks.program_nets import NETS, make, samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODEL = "net/models/model.json"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "net.pt2"
    shapes = ({0: torch.export.Dim("batch", min=1, max=64)},)
    torch.export.save(torch.export.export(make("Branching"), (samples(2),), dynamic_shapes=shapes), path)
    return path


def tampered(archive: Path, path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(archive) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def edit(*keys: Any, value: Any) -> Callable[[dict[str, bytes]], None]:
    """Puts a value into the graph's JSON."""

    def change(members: dict[str, bytes]) -> None:
        document = json.loads(members[MODEL])
        inner = document
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        members[MODEL] = json.dumps(document).encode()

    return change


class Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def tree(kind: str, context: str) -> str:
    return json.dumps([1, {"type": kind, "context": context, "children_spec": []}])


GRAPH = ("graph_module", "graph")
NODE = (*GRAPH, "nodes", 1)
SIGNATURE = ("graph_module", "module_call_graph", 0, "signature")
EXPRESSION = '__import__("os").mkdir("{marker}")'


@pytest.mark.parametrize("name", NETS)
def test_honest_archives_pass(name: str, tmp_path: Path) -> None:
    torch.export.save(torch.export.export(make(name), (samples(2),)), tmp_path / "net.pt2")
    check_exported(tmp_path / "net.pt2", (tmp_path / "net.pt2").read_bytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda marker: edit(*NODE, "target", value="torch.os.mkdir"),
        lambda marker: edit(*NODE, "target", value="torch.ops.load_library"),
        lambda marker: edit(*NODE, "target", value="torch.ops.aten.from_file.default"),
        lambda marker: edit(*NODE, "target", value="#extension:run"),
        lambda marker: edit(*NODE, "inputs", 0, "name", value=f"x=__import__('os').mkdir('{marker}'), y"),
        lambda marker: edit(*NODE, "outputs", 0, "as_tensor", "name", value=f"x; import os; os.mkdir('{marker}')"),
        lambda marker: edit("guards_code", value=[EXPRESSION.format(marker=marker)]),
        lambda marker: edit("guards_code", value=[f"L['x'].size()[0] == {EXPRESSION.format(marker=marker)}"]),
        lambda marker: edit("guards_code", value=[f"L['x'].size()[0] == 1 or {EXPRESSION.format(marker=marker)}"]),
        lambda marker: edit("graph_module", "signature", "parameter", value="x = 1"),
        lambda marker: edit(*SIGNATURE, "in_spec", value=tree("builtins.tuple", '{"__enum__": true, "fqn": "this:x"}')),
        lambda marker: edit(*SIGNATURE, "out_spec", value=tree("collections.defaultdict", "{}")),
        lambda marker: lambda members: members.update({"net/data/sample_inputs/model.pt": pickled(Bomb(marker))}),
        lambda marker: lambda members: members.update({"net/data/constants/model.pt": pickled(Bomb(marker))}),
        lambda marker: lambda members: members.update({"net/data/constants/opaque_obj_0": pickled(Bomb(marker))}),
        lambda marker: lambda members: members.update({"net/data/aotinductor/model/x.so": b"\x7fELF"}),
        lambda marker: lambda members: members.update({"net/models/other.json": members[MODEL]}),
    ],
)
def test_hostile_archives_are_refused(
    change: Callable[[Path], Callable[[dict[str, bytes]], None]], archive: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    path = tampered(archive, tmp_path / "net.pt2", change(marker))
    with pytest.raises(CheckpointError, match=r"net\.pt2: refused"):
        exported.read(path, ReadOptions())
    assert not marker.exists()


EXPRESSIONS = [
    EXPRESSION,
    "Symbol('s0').__class__",
    "Symbol('s0; import os')",
    "Integer(__import__('os').getpid())",
    "(lambda: 1)()",
    "eval('1')",
    "[Integer(1) for x in ()]",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_that_are_no_arithmetic_are_refused(expression: str, archive: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    text = expression.format(marker=marker)

    def change(members: dict[str, bytes]) -> None:
        honest = b"\"Symbol('s77', positive=True, integer=True)\""
        assert honest in members[MODEL]
        members[MODEL] = members[MODEL].replace(honest, json.dumps(text).encode())

    path = tampered(archive, tmp_path / "net.pt2", change)
    with pytest.raises(CheckpointError, match="refused"):
        exported.read(path, ReadOptions())
    assert not marker.exists()


@pytest.mark.skipif(torch.__version__ < (2, 14), reason="torch 2.10 reads this expression without running it")
def test_the_attack_would_work_on_a_plain_load(archive: Path, tmp_path: Path) -> None:
    """Shows that the tests above test something."""
    marker = tmp_path / "marker"

    def change(members: dict[str, bytes]) -> None:
        honest = b"\"Symbol('s77', positive=True, integer=True)\""
        members[MODEL] = members[MODEL].replace(honest, json.dumps(EXPRESSION.format(marker=marker)).encode())

    path = tampered(archive, tmp_path / "net.pt2", change)
    with contextlib.suppress(Exception):  # whatever becomes of the load once the code has run
        torch.export.load(path)
    assert marker.exists()


def test_pickled_weights_are_refused(archive: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        name = "net/data/weights/model_weights_config.json"
        members[name] = members[name].replace(b'"use_pickle": false', b'"use_pickle": true')

    with pytest.raises(CheckpointError, match="pickled weight"):
        exported.read(tampered(archive, tmp_path / "net.pt2", change), ReadOptions())


def test_no_name_that_a_file_chooses_hides_what_is_under_it(archive: Path, tmp_path: Path) -> None:
    """Nodes keep notes under "metadata", but a weight and a tensor may be called so too."""
    marker = tmp_path / "marker"

    def pickled_weight(members: dict[str, bytes]) -> None:
        config = "net/data/weights/model_weights_config.json"
        document = json.loads(members[config])
        weight = next(iter(document["config"].values()))
        document["config"]["metadata"] = {**weight, "use_pickle": True, "path_name": "weight_9"}
        members |= {config: json.dumps(document).encode(), "net/data/weights/weight_9": pickled(Bomb(marker))}

    def evaluated_size(members: dict[str, bytes]) -> None:
        document = json.loads(members[MODEL])
        tensors = document["graph_module"]["graph"]["tensor_values"]
        name = next(name for name, tensor in tensors.items() if "Symbol" in json.dumps(tensor))
        attack = json.dumps(EXPRESSION.format(marker=marker)).strip('"')
        size = json.dumps(tensors.pop(name)).replace("Symbol('s77', positive=True, integer=True)", attack)
        tensors["metadata"] = json.loads(size)
        members[MODEL] = json.dumps(document).replace(f'"name": "{name}"', '"name": "metadata"').encode()

    for change in (pickled_weight, evaluated_size):
        with pytest.raises(CheckpointError, match=r"net\.pt2: refused"):
            exported.read(tampered(archive, tmp_path / "net.pt2", change), ReadOptions())
        assert not marker.exists()


TARGETS = [
    *("torch.ops.aten._sparse_csr_tensor_unsafe.default", "torch.ops.aten.set_.source_Tensor", "torch.sym_fresh_size"),
    *(
        "torch.ops.aten.resize_.default",
        "torch.ops.aten._unsafe_index.Tensor",
        "torch.ops.aten.native_batch_norm.default",
    ),
    *(
        "torch.ops.image.read_file.default",
        "torch.ops.aten.relu",
        "torch.ops.aten.relu.__call__",
        "torch.ops.higher_order.x",
    ),
    *("torch.ops.higher_order.cond.default", "torch.ops.c10d.barrier.default", "torch.ops.aten.from_file.default"),
]


@pytest.mark.parametrize("target", TARGETS)
def test_operators_that_nets_do_not_need_are_refused(target: str, archive: Path, tmp_path: Path) -> None:
    path = tampered(archive, tmp_path / "net.pt2", edit(*NODE, "target", value=target))
    with pytest.raises(CheckpointError, match=r"net\.pt2: refused"):
        check_exported(path, path.read_bytes())


def test_who_trusts_a_program_may_run_any_operator(archive: Path, tmp_path: Path) -> None:
    path = tampered(archive, tmp_path / "net.pt2", edit(*NODE, "target", value="torch.ops.aten.to_sparse.default"))
    check_exported(path, path.read_bytes(), trust=True)
    path = tampered(archive, tmp_path / "net.pt2", edit(*NODE, "target", value="torch.os.mkdir"))
    with pytest.raises(CheckpointError, match="refused"):
        check_exported(path, path.read_bytes(), trust=True)


@pytest.mark.parametrize("value", [argparse.Namespace(a=1), {"a": [pathlib.PurePosixPath("x")]}, (torch.nn.Linear,)])
def test_parts_hold_tensors_alone(value: object, archive: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["net/data/constants/model.pt"] = pickled(value)

    with pytest.raises(CheckpointError, match="holds more than tensors"):
        exported.read(tampered(archive, tmp_path / "net.pt2", change), ReadOptions())


def repeated(times: int, *, renamed: bool) -> Callable[[dict[str, bytes]], None]:
    """Has the nodes of the graph again and again."""

    def change(members: dict[str, bytes]) -> None:
        document = json.loads(members[MODEL])
        graph = document["graph_module"]["graph"]
        nodes = json.dumps(graph["nodes"])
        graph["nodes"] = [
            node
            for time in range(times)
            for node in json.loads(nodes.replace('"name": "', f'"name": "t{time}_') if renamed else nodes)
        ]
        members[MODEL] = json.dumps(document).encode()

    return change


def test_nodes_of_one_name_are_damage(archive: Path, tmp_path: Path) -> None:
    path = tampered(archive, tmp_path / "net.pt2", repeated(2, renamed=False))
    with pytest.raises(CheckpointError, match="damaged: two nodes of its graph have one name"):
        exported.read(path, ReadOptions())


def test_more_nodes_than_nets_have_are_refused(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_archives, "MOST_NODES", 30)
    path = tampered(archive, tmp_path / "net.pt2", repeated(30, renamed=True))
    with pytest.raises(CheckpointError, match=r"refused, its graph has \d+ nodes\n.*--i-trust-this-program"):
        check_exported(path, path.read_bytes())
    check_exported(path, path.read_bytes(), trust=True)
    check_exported(archive, archive.read_bytes())


def test_deep_documents_are_damage(archive: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members[MODEL] = b"[" * 100_000

    with pytest.raises(CheckpointError, match="is no JSON"):
        exported.read(tampered(archive, tmp_path / "net.pt2", change), ReadOptions())
