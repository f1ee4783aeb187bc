"""`.pt2`: what loading evaluates, looks up, writes into Python or unpickles, in both layouts."""

from __future__ import annotations

import io
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.corpus.case import CANARY, TOUCH, Case
from tests.corpus.hostile.archives import patched_bomb
from tests.corpus.hostile.pickles import ATTACKS, INNER
from tests.corpus.opcodes import archive
from tests.corpus.programs import exported, exported_as_before, rewritten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Members = dict[str, bytes]

MODEL, OLD = "archive/models/model.json", "serialized_exported_program.json"
CONFIG = "archive/data/weights/model_weights_config.json"
EVAL = f"__import__('os').system('touch {CANARY}')"
SYMBOL = b"Symbol('s77', positive=True, integer=True)"


def edited(member: str, change: Callable[[Any], object], members: Members) -> None:
    """Change a document of JSON."""
    document = json.loads(members[member])
    change(document)
    members[member] = json.dumps(document).encode()


def node(number: int, **parts: Any) -> Callable[[Any], object]:
    return lambda document: document["graph_module"]["graph"]["nodes"][number].update(parts)


def meta(name: str, **parts: Any) -> Callable[[Any], object]:
    """Of the weights' description: what a weight's numbers are taken for."""
    return lambda document: document["config"][name]["tensor_meta"].update(parts)


def sizes(*numbers: int) -> list[dict[str, int]]:
    return [{"as_int": number} for number in numbers]


def signature(**parts: Any) -> Callable[[Any], object]:
    return lambda document: document["graph_module"]["module_call_graph"][0]["signature"].update(parts)


def tree(kind: str, context: str) -> str:
    return json.dumps([1, {"type": kind, "context": context, "children_spec": []}])


def repeated(document: Any) -> None:
    """Have each node 2,000 times, with names of its own."""
    graph = document["graph_module"]["graph"]
    nodes = json.dumps(graph["nodes"])
    copies = (json.loads(nodes.replace('"name": "', f'"name": "again{copy}_')) for copy in range(2000))
    graph["nodes"] = [node for copy in copies for node in copy]


def first_input(name: str) -> Callable[[Any], object]:
    return lambda document: document["graph_module"]["graph"]["nodes"][0]["inputs"][0].update(name=name)


def renamed_output(name: str) -> Callable[[Any], object]:
    return lambda document: document["graph_module"]["graph"]["nodes"][0]["outputs"][0]["as_tensor"].update(name=name)


def as_argument(**argument: Any) -> Callable[[Any], object]:
    return lambda document: document["graph_module"]["graph"]["nodes"][0]["inputs"][3].update(arg=argument)


TARGETS = {
    "os": "torch.os.system",
    "load-library": "torch.ops.load_library",
    "from-file": "torch.ops.aten.from_file.default",
    "sparse-unsafe": "torch.ops.aten._sparse_coo_tensor_unsafe.default",
    "sparse-compressed-unsafe": "torch.ops.aten._sparse_compressed_tensor_unsafe.default",
    "as-strided": "torch.ops.aten.as_strided_scatter.default",
    "resize": "torch.ops.aten.resize_.default",
    "set": "torch.ops.aten.set_.source_Storage",
    "unpool": "torch.ops.aten.max_unpool2d.default",
    "print": "torch.ops.aten._print.default",
    "dunder": "torch.ops.aten.__class__.default",
    "dunder-overload": "torch.ops.aten.conv2d.__class__",
    "builtins": "builtins.eval",
    "operator": "_operator.methodcaller",
    "operator-attrgetter": "_operator.attrgetter",
    "subprocess": "subprocess.Popen",
    "extension": "#extension:run",
    "unknown-namespace": "torch.ops.evil.run.default",
    "unknown-operator": "torch.ops.aten.evil.default",
    "higher-order": "torch.ops.higher_order.triton_kernel_wrapper_mutation",
    "higher-order-call": "torch.ops.higher_order.call_torchbind",
    "profiler": "torch.ops.profiler._record_function_enter.default",
    "sym": "torch.sym_evil",
    "math": "math.__loader__.load_module",
    "escapes": "\x1b[31m\n::error::",
    "letters": "torch.ops.aten.c\u043env2d.default",
    "empty": "",
    "long": "torch.ops.aten." + "a" * 1_000_000,
}
EXPRESSIONS = {
    "import": EVAL,
    "class": "Symbol('s0').__class__.__base__.__subclasses__()",
    "inside-symbol": f"Symbol('s0; {TOUCH}')",
    "inside-integer": f"Integer({EVAL})",
    "lambda": f"(lambda: {EVAL})()",
    "eval": f"eval({EVAL!r})",
    "comprehension": f"[{EVAL} for x in (1,)]",
    "sympify": f"sympify({EVAL!r})",
    "power": "Pow(Integer(9), Pow(Integer(9), Pow(Integer(9), Integer(9))))",
    "huge-number": "Integer(" + "9" * 1500 + ")",
    "deep": "Mul(" * 300 + "Integer(1)" + ")" * 300,
    "factorial": "factorial(Integer(99999999))",
    "nothing": "",
    "escapes": "\x1b[31m",
}
GUARDS = {
    "import": EVAL,
    "after-or": f"L['x'].size()[0] == 1 or {EVAL}",
    "inside-index": f"L[{EVAL}].size()[0] == 1",
    "walrus": f"(L['x'].size()[0] == (y := {EVAL}))",
    "new-line": f"L['x'].size()[0] == 1\n{TOUCH}",
}
EDITS: dict[str, Callable[[Any], object]] = {
    **{f"target-{name}": node(0, target=target) for name, target in TARGETS.items()},
    **{
        f"guard-{name}": (lambda words: lambda document: document.update(guards_code=[words]))(text)
        for name, text in GUARDS.items()
    },
    "argument-name": first_input(f"x={EVAL}, y"),
    "output-name": renamed_output(f"x; import os; {TOUCH}"),
    "output-name-keyword": renamed_output("import"),
    "output-name-of-escapes": renamed_output("\x1b[31m\n::error::"),
    "argument-operator": as_argument(as_operator="builtins.eval"),
    "argument-custom-object": as_argument(as_custom_obj={"name": "x", "class_fqn": "corpus_canary.make"}),
    "argument-graph": as_argument(as_graph={"name": f"x; {TOUCH}", "graph": {}}),
    "argument-text": as_argument(as_string=EVAL),
    "argument-huge": as_argument(as_ints=[2**62, 2**62]),
    "argument-negative": as_argument(as_ints=[-1, -1]),
    "argument-of-nothing": as_argument(),
    "argument-of-two-kinds": as_argument(as_int=1, as_string="x"),
    "argument-float": as_argument(as_float=float("nan")),
    "tree-pickled": signature(in_spec=tree("builtins.tuple", '{"__enum__": true, "fqn": "corpus_canary:make"}')),
    "tree-default-dict": signature(out_spec=tree("collections.defaultdict", '["corpus_canary", "make"]')),
    "tree-named-tuple": signature(out_spec=tree("collections.namedtuple", '"corpus_canary.make"')),
    "tree-of-its-own": signature(out_spec=tree("corpus_canary.Thing", "null")),
    "tree-unknown-version": signature(in_spec=json.dumps([99, {"type": None}])),
    "tree-deep": signature(in_spec="[" * 50_000 + "]" * 50_000),
    "tree-no-json": signature(in_spec=EVAL),
    "metadata-of-escapes": node(0, metadata={"stack_trace": "\x1b[31m\n::error::", "torch_fn": TOUCH}),
    "metadata-unknown": node(0, metadata={"custom": EVAL, "corpus": EVAL}),
    "parameter-name": lambda document: document["graph_module"]["signature"]["input_specs"][0].update(
        parameter={"arg": {"name": "x"}, "parameter_name": f"x = {EVAL}"}
    ),
    "nodes-none": lambda document: document["graph_module"]["graph"].update(nodes=[]),
    "nodes-a-number": lambda document: document["graph_module"]["graph"].update(nodes=5),
    "nodes-again": lambda document: document["graph_module"]["graph"].update(
        nodes=document["graph_module"]["graph"]["nodes"] * 2000
    ),
    "nodes-many": repeated,
    "inputs-none": lambda document: document["graph_module"]["graph"].update(inputs=[]),
    "outputs-unknown": lambda document: document["graph_module"]["graph"].update(
        outputs=[{"as_tensor": {"name": "nowhere"}}]
    ),
    "version-of-tomorrow": lambda document: document.update(schema_version={"major": 99, "minor": 0}),
    "version-of-code": lambda document: document.update(schema_version=EVAL),
    "opset": lambda document: document.update(opset_version={"evil": 10**30}),
    "ranges-backwards": lambda document: document.update(range_constraints={"s77": {"min_val": 9, "max_val": 1}}),
    "ranges-of-text": lambda document: document.update(range_constraints={EVAL: {"min_val": EVAL, "max_val": 1}}),
    "key-of-code": lambda document: document.update({EVAL: {EVAL: EVAL}}),
    "is-a-list": lambda document: document.clear(),
}
MAY_RUN = {"metadata-of-escapes", "metadata-unknown", "opset", "argument-text", "key-of-code"}
"""What may be measured: text that is never more than text."""
WEIGHTS: dict[str, Callable[[Any], object]] = {
    "use-pickle": lambda document: document["config"]["fc2.bias"].update(use_pickle=True),
    "sizes-beyond": meta("fc2.bias", sizes=sizes(300)),
    "sizes-of-8-tib": meta("fc2.bias", sizes=sizes(2**41)),
    "sizes-negative": meta("fc2.bias", sizes=sizes(-3)),
    "strides-0": meta("fc1.weight", strides=sizes(0, 0)),
    "strides-0-of-much": meta("fc1.weight", sizes=sizes(2**20, 2**20), strides=sizes(0, 0)),
    "strides-negative": meta("fc2.bias", strides=sizes(-1)),
    "strides-huge": meta("fc2.bias", strides=sizes(2**40)),
    "offset-huge": meta("fc2.bias", storage_offset={"as_int": 2**40}),
    "offset-negative": meta("fc2.bias", storage_offset={"as_int": -100}),
    "type-wider": meta("fc2.bias", dtype=8),
    "type-unknown": meta("fc2.bias", dtype=99),
    "layout-sparse": meta("fc2.bias", layout=1),
    "device-cuda": meta("fc2.bias", device={"type": "cuda", "index": 99}),
    "device-text": meta("fc2.bias", device={"type": "\x1b[31mevil", "index": None}),
    "path-leads-out": lambda document: document["config"]["fc2.bias"].update(
        path_name="../../../elsewhere/secret_1.pt"
    ),
    "path-absent": lambda document: document["config"]["fc2.bias"].update(path_name="weight_99"),
    "path-of-another": lambda document: document["config"]["fc2.bias"].update(path_name="weight_0"),
    "path-of-the-model": lambda document: document["config"]["fc2.bias"].update(path_name="../../models/model.json"),
    "none": lambda document: document["config"].clear(),
    "name-of-code": lambda document: document["config"].update({EVAL: document["config"].pop("fc2.bias")}),
}


def pickled(value: bytes) -> bytes:
    buffer = io.BytesIO()
    archive(buffer, value)  # type: ignore[arg-type]
    return buffer.getvalue()


MEMBERS: dict[str, tuple[str, bytes]] = {
    "weight-empty": ("archive/data/weights/weight_4", b""),
    "weight-short": ("archive/data/weights/weight_4", b"\0" * 100),
    "weight-a-pickle": ("archive/data/weights/weight_7", pickled(ATTACKS["os-system"])),
    "constants-a-pickle": ("archive/data/constants/model.pt", pickled(ATTACKS["os-system"])),
    "constants-an-object": ("archive/data/constants/opaque_obj_0", INNER),
    "custom-object": ("archive/data/constants/custom_obj_0", INNER),
    "inputs-a-pickle": ("archive/data/sample_inputs/model.pt", pickled(ATTACKS["os-system"])),
    "inputs-bare-pickle": ("archive/data/sample_inputs/model.pt", INNER),
    "inputs-empty": ("archive/data/sample_inputs/model.pt", b""),
    "library": ("archive/data/aotinductor/model/x.so", b"\x7fELF" + b"\0" * 100),
    "second-model": ("archive/models/other.json", b"{}"),
    "python": ("archive/extra/evil.py", TOUCH.encode()),
    "leads-out": ("archive/../../elsewhere/x.json", b"{}"),
    "format-unknown": ("archive/archive_format", b"evil"),
    "version-unknown": ("archive/archive_version", b"99999999999999999999"),
    "version-text": ("archive/archive_version", b"\x1b[31m"),
    "model-no-json": (MODEL, b"{" * 100),
    "model-deep": (MODEL, b"[" * 200_000 + b"]" * 200_000),
    "model-not-utf-8": (MODEL, b'{"\xff\xfe": 1}'),
    "model-empty": (MODEL, b""),
    "config-a-list": (CONFIG, b"[]"),
    "config-deep": (CONFIG, b'{"config":' + b"[" * 200_000),
}
OLD_MEMBERS: dict[str, tuple[str, bytes]] = {
    "state-a-pickle": ("serialized_state_dict.pt", pickled(ATTACKS["os-system"])),
    "state-bare-pickle": ("serialized_state_dict.pt", INNER),
    "state-empty": ("serialized_state_dict.pt", b""),
    "constants-a-pickle": ("serialized_constants.pt", pickled(ATTACKS["builtins-eval"])),
    "inputs-a-pickle": ("serialized_example_inputs.pt", pickled(ATTACKS["os-system"])),
    "version-unknown": ("version", b"99.99"),
    "version-text": ("version", b"\x1b[31m"),
    "model-deep": (OLD, b"[" * 200_000),
}
OLD_EDITS = (
    "target-os",
    "target-from-file",
    "target-sparse-unsafe",
    "guard-import",
    "argument-name",
    "output-name",
    "tree-pickled",
    "tree-of-its-own",
    "argument-operator",
)
SAYS = ("the net does not run", "no layer is left")


def _edit(source: Callable[[], bytes], member: str, change: Callable[[Any], object], path: Path) -> None:
    rewritten(source(), path, partial(edited, member, change))


def _expression(source: Callable[[], bytes], member: str, text: str, path: Path) -> None:
    def change(members: Members) -> None:
        assert SYMBOL in members[member]
        members[member] = members[member].replace(b'"' + SYMBOL + b'"', json.dumps(text).encode())

    rewritten(source(), path, change)


def _member(source: Callable[[], bytes], change: tuple[str, bytes], path: Path) -> None:
    rewritten(source(), path, lambda members: members.update([change]))


def _case(name: str, make: Callable[[Path], object], ends: tuple[int, ...] = (2,), whole: bool = False) -> Case:
    return Case(f"exported-{name}", "exported", make, "program", "epoch_1.pt2", ends, whole, SAYS)


CASES = [
    *(
        _case(name, partial(_edit, exported, MODEL, change), (0, 2) if name in MAY_RUN else (2,))
        for name, change in EDITS.items()
    ),
    *(
        _case(f"expression-{name}", partial(_expression, exported, MODEL, text), whole=name == "power")
        for name, text in EXPRESSIONS.items()
    ),
    *(
        _case(
            f"weights-{name}",
            partial(_edit, exported, CONFIG, change),
            (0, 2) if name in ("strides-0", "layout-sparse", "path-of-another") else (2,),
        )
        for name, change in WEIGHTS.items()
    ),
    *(
        _case(
            name,
            partial(_member, exported, change),
            (0, 2)
            if name
            in (
                "python",
                "version-unknown",
                "version-text",
                "format-unknown",
                "inputs-empty",
                "leads-out",
                "weight-a-pickle",
            )
            else (2,),
        )
        for name, change in MEMBERS.items()
    ),
    *(
        _case(
            f"old-{name}", partial(_member, exported_as_before, change), (0, 2) if name.startswith("version") else (2,)
        )
        for name, change in OLD_MEMBERS.items()
    ),
    *(_case(f"old-{name}", partial(_edit, exported_as_before, OLD, EDITS[name])) for name in OLD_EDITS),
    *(
        _case(f"old-expression-{name}", partial(_expression, exported_as_before, OLD, EXPRESSIONS[name]))
        for name in ("import", "class", "inside-integer")
    ),
    _case("deflated-weight", partial(patched_bomb, exported, "archive/data/weights/weight_99"), (0, 2)),
    _case("deflated-extra", partial(patched_bomb, exported, "archive/extra/zeros"), (0, 2)),
    _case("deflated-model", partial(patched_bomb, exported, "archive/models/other.json")),
    _case("old-deflated", partial(patched_bomb, exported_as_before, "serialized_zeros.pt"), (0, 2)),
]
