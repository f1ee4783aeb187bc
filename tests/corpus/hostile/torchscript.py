"""TorchScript: programs that reach files, memory, other processes, the terminal, or that do not end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.checkpoints.handmade import mapping, several, whole
from tests.corpus.case import CANARY, Case
from tests.corpus.hostile.archives import patched_bomb
from tests.corpus.hostile.pickles import ATTACKS, INNER
from tests.corpus.programs import rewritten, scripted

if TYPE_CHECKING:
    from pathlib import Path

    Members = dict[str, bytes]

LINES = {
    "save": f'torch.save(x, "{CANARY}")',
    "save-by-ops": f'ops.aten.save(x, "{CANARY}")',
    "save-by-getattr": f'_s = getattr(torch, "save")(x, "{CANARY}")',
    "save-after-a-comment": f'torch. # harmless\\\n      save(x, "{CANARY}")',
    "save-over-lines": f'torch.\\\n      save(x, "{CANARY}")',
    "save-in-a-branch": f'if bool(torch.gt(torch.sum(x), -1e9)):\n      torch.save(x, "{CANARY}")\n    else:\n      pass',
    "save-never-reached": f'if False:\n      torch.save(x, "{CANARY}")\n    else:\n      pass',
    "from-file": f'_f = torch.from_file("{CANARY}", True, 4)',
    "from-file-elsewhere": '_f = torch.from_file("../elsewhere/secret_1.pt", False, 4)',
    "from-file-by-ops": f'_f = ops.aten.from_file("{CANARY}", True, 4)',
    "load-tensor": '_f = ops.prim.load_tensor("../elsewhere/secret_1.pt")',
    "sparse-coo": "_c = torch.to_dense(torch._sparse_coo_tensor_unsafe(torch.tensor([[99999999999]]), torch.ones([1]), [4], is_coalesced=True))",
    "sparse-csr": "_c = torch._sparse_csr_tensor_unsafe(torch.tensor([0, 1]), torch.tensor([99999999999]), torch.ones([1]), [1, 4])\n    x = torch.add(x, torch.sum(torch.matmul(_c, torch.ones([4, 4]))))",
    "sparse-csc": "_c = torch.to_dense(torch._sparse_csc_tensor_unsafe(torch.tensor([0, 1]), torch.tensor([99999999999]), torch.ones([1]), [4, 1]))",
    "sparse-bsr": "_c = torch.to_dense(torch._sparse_bsr_tensor_unsafe(torch.tensor([0, 1]), torch.tensor([99999999999]), torch.ones([1, 1, 1]), [1, 4]))",
    "sparse-compressed": "_c = torch.to_dense(torch._sparse_compressed_tensor_unsafe(torch.tensor([0, 1]), torch.tensor([99999999999]), torch.ones([1]), [1, 4]))",
    "sparse-with-dims": "_c = torch.to_dense(torch._sparse_coo_tensor_with_dims_and_tensors(1, 0, [4], torch.tensor([[99999999999]]), torch.ones([1])))",
    "sparse-in-ops": "x = torch.add(x, torch.sum(ops.aten.to_dense(ops.aten._sparse_coo_tensor_unsafe(torch.tensor([[-99999999999]]), torch.ones([1]), [4]))))",
    "coalesced-by-hand": "_c = torch.to_dense(torch._coalesced_(torch.sparse_coo_tensor(torch.tensor([[0]]), torch.ones([1]), [4]), True))",
    "indices-written": "_c = torch.sparse_coo_tensor(torch.tensor([[0]]), torch.ones([1]), [4])\n    _d = torch.fill_(torch._indices(_c), 99999999999)\n    x = torch.add(x, torch.sum(torch.to_dense(_c)))",
    "nested-offsets": "_c = torch._nested_view_from_buffer(torch.ones([4]), torch.tensor([[99999999]]), torch.tensor([[1]]), torch.tensor([99999999]))\n    x = torch.add(x, torch.sum(torch.to_padded_tensor(_c, 0.)))",
    "set-storage": "_c = torch.set_(torch.ones([1]), torch.ones([1]), 0, [1], [1])",
    "resize": "_c = torch.resize_(torch.ones([1]), [99999999999])",
    "resize-as-nothing": "_c = torch.sum(torch.resize_(torch.ones([1]), [2000000000]))",
    "empty-strided": "_c = torch.empty_strided([1000000, 1000000], [1, 1000000])",
    "zeros-of-3-gib": "_c = torch.zeros([800000000])",
    "zeros-of-8-tib": "_c = torch.zeros([2199023255552])",
    "many-zeros": "_l = annotate(List[Tensor], [])\n    for _i in range(1000):\n      _a = torch.append(_l, torch.ones([10000000]))\n    x = torch.add(x, torch.len(_l))",
    "unfold-much": "_c = torch.sum(torch.mul(torch.ones([100000, 1]), torch.ones([1, 100000])))",
    "loop": "_i = 0\n    _t = True\n    while _t:\n      _i = torch.add(_i, 1)\n    x = torch.add(x, _i)",
    "loop-of-tensors": "_t = True\n    _a = torch.ones([10])\n    while _t:\n      _a = torch.add(_a, _a)",
    "loop-for": "for _i in range(9223372036854775807):\n      x = torch.add(x, _i)",
    "matmul-of-much": "_a = torch.ones([3000, 3000])\n    for _i in range(100000):\n      _a = torch.matmul(_a, _a)\n    x = torch.add(x, torch.sum(_a))",
    "text-doubles": '_s = "x"\n    for _i in range(60):\n      _s = torch.add(_s, _s)\n    x = torch.add(x, torch.len(_s))',
    "list-doubles": "_l = [0]\n    for _i in range(60):\n      _l = torch.add(_l, _l)\n    x = torch.add(x, torch.len(_l))",
    "power": "_n = torch.pow(10, 99999999)",
    "print": 'print("\x1b[31mESCAPED\x1b[0m\\n::error::ESCAPED")',
    "print-tensor": "print(x)",
    "warn": '_w = ops.aten.warn("\x1b[31mESCAPED\\n::error::ESCAPED", 2)',
    "raise": 'ops.prim.RaiseException("\x1b[31mESCAPED\\n::error::ESCAPED", "builtins.X")',
    "assert": 'assert False, "\x1b[31mESCAPED"',
    "unchecked-cast": "_c = unchecked_cast(List[int], 5)\n    x = torch.add(x, _c[0])",
    "uninitialized": "_c = uninitialized(Tensor)\n    x = torch.add(x, torch.sum(_c))",
    "constant-absent": "_c = CONSTANTS.c99999999",
    "constant-negative": "_c = CONSTANTS.c-1",
    "fork": "_c = fork(x)",
    "rpc": '_c = ops.aten.rpc_sync("worker", "f", [x], {})',
    "ops-unknown": "_c = ops.evil.run(x)",
    "ops-c10d": "_c = ops.c10d.allreduce_([x], None, None)",
    "ops-profiler": '_c = ops.profiler._record_function_enter("x", None)',
    "ops-prepacked": "_c = ops.prepacked.unpack_prepacked_sizes_conv2d(x)",
    "ops-quantized-packed": "_c = ops.quantized.linear(x, x, 1., 0)",
    "ops-dunder": "_c = ops.__class__",
    "torch-ops-load": 'torch.ops.load_library("libc.so.6")',
    "classes": "_c = __torch__.torch.classes.corpus.Evil()",
    "classes-of-quantized": "_c = __torch__.torch.classes.quantized.LinearPackedParamsBase()",
    "manual-seed": "_c = torch.manual_seed(0)",
    "set-threads": "_c = torch.set_num_threads(100000)",
    "device": '_c = torch.to(x, torch.device("cuda:99"), 6)',
    "embedding-bag": "_c, _d, _e, _f = torch._embedding_bag(torch.ones([4, 4]), torch.tensor([99999999]), torch.tensor([0]))\n    x = torch.add(x, torch.sum(_c))",
    "index-put": "_c = torch._index_put_impl_(torch.ones([4]), [torch.tensor([99999999])], torch.ones([1]), False, True)",
    "gather-far": "_c = torch.gather(torch.ones([4]), 0, torch.tensor([99999999]))",
    "as-strided": "_c = torch.as_strided(torch.ones([1]), [1000000], [1000000])",
    "as-strided-negative": "_c = torch.as_strided(torch.ones([1]), [1], [1], -100000)",
    "unfold-backward": "_c = torch.unfold_backward(torch.ones([4]), [4], 0, 99999, 1)",
    "max-unpool": "_c = torch.max_unpool2d(torch.ones([1, 1, 1, 1]), torch.tensor([[[[99999999999]]]]), [2, 2])",
    "max-pool-backward": "_c = torch.max_pool2d_with_indices_backward(torch.ones([1, 1, 1, 1]), torch.ones([1, 1, 2, 2]), [2, 2], [2, 2], [0, 0], [1, 1], False, torch.tensor([[[[99999999999]]]]))",
    "dlpack": "_c = torch.data_ptr(x)",
    "fft-c2r": "_c = torch._fft_c2r(torch.ones([4]), [0], 0, 99999999999)",
    "validate-nothing": "_c = torch._make_per_tensor_quantized_tensor(torch.to(torch.ones([1]), 1), 1., 99999999999)",
    "inherits-names": "_c = self.__class__",
}
"""Name -> a line put at the beginning of forward; `x` is the input."""
USED = "\n    x = torch.add(x, torch.mul(torch.sum(_c), 0.))"
"""Added to lines that make a tensor, which would be left out as of no use."""
ENDS = dict.fromkeys(
    (
        "manual-seed",
        "set-threads",
        "resize",
        "empty-strided",
        "power",
        "set-storage",
        "coalesced-by-hand",
        "validate-nothing",
        "loop-for",
        "uninitialized",
        "print",
        "print-tensor",
        "warn",
    ),
    (0, 2),
)
"""What may be measured, as long as it costs nothing."""
IN_STATE = (
    "save",
    "from-file",
    "sparse-coo",
    "print",
    "warn",
    "raise",
    "loop",
    "zeros-of-3-gib",
    "many-zeros",
    "save-by-getattr",
)
IN_FUNCTION = ("save", "from-file", "sparse-csr", "print", "loop")
IN_SUBMODULE = ("save", "sparse-coo", "print", "warn")
WHOLE = {"sparse-coo", "loop", "many-zeros"}
"""Those that go through the process that the command line starts, since they would end or stop their own."""


def put(into: str, method: str, line: str, members: Members) -> None:
    """Put lines at the beginning of a method of a class."""
    for name, content in members.items():
        if name.endswith(".py") and f"class {into}(Module)".encode() in content:
            code = content.decode()
            at = code.index("\n", code.index("->", code.index(f"def {method}"))) + 1
            members[name] = (code[:at] + f"    {line}\n" + code[at:]).encode()
            return
    raise AssertionError(f"no class {into} with {method}")


def _in_forward(line: str, path: Path) -> None:
    rewritten(scripted(), path, partial(put, "Net", "forward", line + _used(line)))


def _used(line: str) -> str:
    return USED if line.startswith("_c = torch.") and "data_ptr" not in line else ""


def _in_state(line: str, path: Path) -> None:
    used = "" if "while" in line or "_c = torch." not in line else USED
    line = f"x = given[0]\n    {line}{used}\n    _z = torch.add_(given[0], torch.sum(x))"
    rewritten(scripted("Holder"), path, partial(put, "Stateful", "__setstate__", line))


def _in_submodule(line: str, path: Path) -> None:
    rewritten(scripted("Holder"), path, partial(put, "Stateful", "forward", line + _used(line)))


def _in_function(line: str, path: Path) -> None:
    def change(members: Members) -> None:
        put("Net", "forward", "x = __torch__.evil.evil(x, )", members)
        folder = next(name for name in members if name.startswith("archive/code/")).split("__torch__")[0]
        members[f"{folder}__torch__/evil.py"] = f"def evil(x: Tensor) -> Tensor:\n    {line}\n    return x\n".encode()

    rewritten(scripted(), path, change)


def _code(code: str, path: Path) -> None:
    """The net's whole code replaced."""

    def change(members: Members) -> None:
        for name in members:
            if name.endswith("corpus/net.py"):
                members[name] = code.encode("utf-8", "surrogateescape")

    rewritten(scripted(), path, change)


CLASS = "class Net(Module):\n  def forward(self: __torch__.tests.corpus.net.Net,\n    x: Tensor) -> Tensor:\n"
DEEP = 100_000
CODES = {
    "parentheses": f"{CLASS}    return {'(' * DEEP}x{')' * DEEP}\n",
    "brackets": f"{CLASS}    _l = {'[' * DEEP}{']' * DEEP}\n    return x\n",
    "unary": f"{CLASS}    _l = {'-' * DEEP}1\n    return x\n",
    "not": f"{CLASS}    _l = {'not ' * DEEP}True\n    return x\n",
    "additions": f"{CLASS}    _l = {'1 + ' * DEEP}1\n    return x\n",
    "ifs": CLASS + "".join("  " * (n + 2) + "if True:\n" for n in range(2000)) + "  " * 2002 + "pass\n    return x\n",
    "attributes": f"{CLASS}    return x{'.a' * DEEP}\n",
    "calls": f"{CLASS}    return {'torch.relu(' * DEEP}x{')' * DEEP}\n",
    "types": f"{CLASS}    _l = annotate({'List[' * DEEP}int{']' * DEEP}, [])\n    return x\n",
    "lines": CLASS + "    x = torch.relu(x)\n" * 200_000 + "    return x\n",
    "long-number": f"{CLASS}    _l = {'9' * DEEP}\n    return x\n",
    "long-text": f'{CLASS}    _l = "{"x" * 5_000_000}"\n    return x\n',
    "long-name": f"{CLASS}    {'x' * 1_000_000} = 1\n    return x\n",
    "unterminated": f'{CLASS}    return "x\n',
    "nothing": "",
    "null": f"{CLASS}    return x\0\n",
    "not-utf-8": f"{CLASS}    \udcff\udcfe\udcc3( = 1\n    return x\n",
    "escapes": f"{CLASS}    return \x1b[31mESCAPED\n::error::ESCAPED\n",
    "python": f"import os\nos.system('touch {CANARY}')\n",
    "other-name": CLASS.replace("class Net", "class Other") + "    return x\n",
    "class-twice": CLASS + "    return x\n" + CLASS + "    return x\n",
    "of-itself": "class Net(Module):\n  net : __torch__.tests.corpus.net.Net\n"
    + CLASS.split("\n", 1)[1]
    + "    return x\n",
    "calls-itself": f"{CLASS}    return (self).forward(x, )\n",
    "interface": "class Net(Interface):\n  def forward(self: __torch__.tests.corpus.net.Net,\n    x: Tensor) -> Tensor:\n    pass\n",
    "enum": "class Net(Enum):\n  A = 1\n",
    "named-tuple": "class Net(NamedTuple):\n  a : int\n",
    "exception": "class Net(Exception):\n  a : int\n",
    "no-forward": "class Net(Module):\n  training : bool\n",
    "other-arguments": CLASS.replace("x: Tensor", "x: int") + "    return torch.ones([x])\n",
    "imports": f"from os import system\n{CLASS}    return x\n",
    "identity": f"{CLASS}    return x\n",
}
"""Name -> the net's code."""


def _member(ending: str, content: bytes, path: Path) -> None:
    rewritten(
        scripted(), path, lambda members: members.update({name: content for name in members if name.endswith(ending)})
    )


def _added(name: str, content: bytes, path: Path) -> None:
    rewritten(scripted(), path, lambda members: members.update({f"archive/{name}": content}))


def _pickle(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


MEMBERS = {
    "pickle-os-system": ("archive/data.pkl", _pickle(ATTACKS["os-system"])),
    "pickle-of-nothing": ("archive/data.pkl", b""),
    "pickle-of-a-number": ("archive/data.pkl", _pickle(whole(5))),
    "pickle-of-a-class": (
        "archive/data.pkl",
        _pickle(b"c__torch__.tests.corpus.net\nNet\n)\x81" + mapping({"training": b"\x89"}) + b"b"),
    ),
    "pickle-deep": ("archive/data.pkl", _pickle(b"]" * 500_000 + b"a" * 499_999)),
    "pickle-memo": ("archive/data.pkl", _pickle(b"Nr\xff\xff\xff\xff")),
    "pickle-bytes": ("archive/data.pkl", _pickle(b"X\xff\xff\xff\x7fabc")),
    "constants-os-system": ("archive/constants.pkl", _pickle(ATTACKS["os-system"])),
    "constants-not-a-tuple": ("archive/constants.pkl", _pickle(whole(5))),
    "constants-class": ("archive/constants.pkl", _pickle(several(b"c__torch__.torch.classes.corpus\nEvil\n)\x81Nb"))),
    "debug-os-system": ("net.py.debug_pkl", _pickle(ATTACKS["os-system"])),
    "debug-deep": ("net.py.debug_pkl", _pickle(b"(" * 500_000 + b"t" * 500_000)),
    "debug-inner": ("net.py.debug_pkl", INNER),
    "weights-empty": ("data/4", b""),
    "weights-short": ("data/4", b"\0" * 100),
    "version-huge": ("archive/version", b"9" * 5000),
    "version-negative": ("archive/version", b"-3\n"),
    "version-text": ("archive/version", b"\x1b[31m\n::error::"),
    "version-of-tomorrow": ("archive/version", b"999\n"),
    "byte-order": ("archive/byteorder", b"big"),
}
ADDED = {
    "extra-leads-out": ("extra/../../elsewhere/x", b"x"),
    "code-leads-out": ("code/../../elsewhere/x.py", b"import os"),
    "code-evil-beside": (
        "code/__torch__/evil.py",
        f'def evil(x: Tensor) -> Tensor:\n  torch.save(x, "{CANARY}")\n  return x\n'.encode(),
    ),
    "python-beside": ("code/__torch__/evil.pyc", b"\0" * 100),
    "pickle-beside": ("evil.pkl", INNER),
    "model-json": ("model.json", b"{}"),
    "custom-class": ("code/__torch__/evil.py", b"class Evil(Module):\n  a : __torch__.torch.classes.corpus.Evil\n"),
}
RUNS = {"identity", "extra-leads-out", "python-beside", "pickle-beside", "model-json", "debug-inner", "debug-os-system", "debug-deep",
        "version-negative", "version-text", "version-huge", "version-of-tomorrow", "code-leads-out", "byte-order"}  # fmt: skip
"""What may be measured: the part that is evil is never looked at, or does nothing."""

SAYS = ("the net does not run", "no layer is left")
"""What is said of the net that it is, where it is not of the file."""
CASES = [
    *(
        Case(
            f"script-{name}",
            "TorchScript",
            partial(_in_forward, line),
            "program",
            ends=ENDS.get(name, (2,)),
            whole=name in WHOLE,
            says=SAYS,
        )
        for name, line in LINES.items()
    ),
    *(
        Case(
            f"script-state-{name}",
            "TorchScript",
            partial(_in_state, LINES[name]),
            "program",
            ends=ENDS.get(name, (2,)),
            layers=2,
        )
        for name in IN_STATE
    ),
    *(
        Case(
            f"script-submodule-{name}",
            "TorchScript",
            partial(_in_submodule, LINES[name]),
            "program",
            ends=ENDS.get(name, (2,)),
            layers=2,
        )
        for name in IN_SUBMODULE
    ),
    *(
        Case(
            f"script-function-{name}",
            "TorchScript",
            partial(_in_function, LINES[name]),
            "program",
            ends=ENDS.get(name, (2,)),
        )
        for name in IN_FUNCTION
    ),
    *(
        Case(
            f"script-code-{name}",
            "TorchScript",
            partial(_code, code),
            "program",
            whole=name == "parentheses",
            says=SAYS,
        )
        for name, code in CODES.items()
    ),
    *(
        Case(
            f"script-{name}", "TorchScript", partial(_member, *change), "program", ends=(0, 2) if name in RUNS else (2,)
        )
        for name, change in MEMBERS.items()
    ),
    *(
        Case(
            f"script-{name}", "TorchScript", partial(_added, *change), "program", ends=(0, 2) if name in RUNS else (2,)
        )
        for name, change in ADDED.items()
    ),
    Case(
        "script-deflated-extra",
        "TorchScript",
        partial(patched_bomb, scripted, "archive/extra/zeros"),
        "program",
        ends=(0, 2),
    ),
    Case(
        "script-deflated-weights",
        "TorchScript",
        partial(patched_bomb, scripted, "archive/data/99"),
        "program",
        ends=(0, 2),
    ),
    Case(
        "script-deflated-code",
        "TorchScript",
        partial(patched_bomb, scripted, "archive/code/__torch__/zeros.py"),
        "program",
    ),
]
