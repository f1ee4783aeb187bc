from __future__ import annotations

import pytest

from rfav_cli.checkpoints.script_source import MOST_TEXT, SourceError, check_type, module_of, read_source, words_of

HEAD = "class Net(Module):\n  training : bool\n"


def refused(body: str, head: str = HEAD) -> list[str]:
    code = f"{head}  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n    {body}\n    return x\n"
    return read_source({"__torch__": code}).refused()


HONEST = """
_0 = torch.add(torch.mul(x, 2), CONSTANTS.c0)
_1 = __torch__.torch.nn.functional.relu; x = 1
x = (self.conv).forward(x, )
x = (getattr(self, "0")).forward(x, )
ops.prim.RaiseException("print(torch.save((((((", "builtins.ValueError")
_2 = torch.append(annotate(List[int], []), 3)
_3 = ops.quantized.linear(x, self._packed_params, 0.10000000000000001, 3)
a, b, = torch.split(x, [1, -1])
while torch.gt(n, 0): n = torch.sub(n, 1)
x = unchecked_cast(Tensor, x)
_4 = getattr(self, "b-c")
"""


@pytest.mark.parametrize("line", [line for line in HONEST.splitlines() if ";" not in line and line])
def test_what_torch_writes_is_read(line: str) -> None:
    assert refused(line) == []


def test_a_function_in_a_variable_is_called() -> None:
    assert refused("_1 = __torch__.torch.nn.functional.relu\n    x = _1(x, )") == []


def test_attributes_may_be_called_as_operators_are() -> None:
    assert refused("ops = self.ops\n    return (ops).forward(x, )", f"{HEAD}  ops : __torch__.Linear\n") != []
    assert refused("return (self.ops).forward(x, )", f"{HEAD}  ops : __torch__.Linear\n") == []
    assert (
        refused("return (self).save(x)", f"{HEAD}  def save(self: __torch__.Net, x: Tensor) -> Tensor:\n    return x\n")
        == []
    )


HOSTILE = {
    "torch._sparse_csr_tensor_unsafe(c, c, x, [2, 2])": "aten::_sparse_csr_tensor_unsafe",
    "torch._sparse_bsr_tensor_unsafe(c, c, x, [2, 2])": "aten::_sparse_bsr_tensor_unsafe",
    "ops.aten._sparse_compressed_tensor_unsafe(c, c, x)": "aten::_sparse_compressed_tensor_unsafe",
    "ops . aten . from_file(1)": "aten::from_file",
    "(ops.aten).save(x)": "ops.aten",
    "t = torch": "torch",
    'f = getattr(torch, "save")': "torch",
    "f = torch.save": "aten::save",
    "x.to_dense()": "to_dense",
    "x[0].resize_([9])": "resize_",
    "(x).set_(x)": "set_",
    'getattr(x, "as_strided_")([1], [1])': "as_strided_",
    "print(1)": "prim::Print",
    "p = print": "prim::Print",
    "torch._print(1)": "aten::_print",
    "rpc_async(1)": "prim::rpc_async",
    "ops.c10d.barrier()": "c10d::barrier",
    'ops.image.read_file("x")': "image::read_file",
    "y = __torch__.torch.classes.dist_c10d.Store()": "__torch__.torch.classes.dist_c10d.Store",
    "y = annotate(List[__torch__.torch.classes.aot.X], [])": "__torch__.torch.classes.aot.X",
    "[a.coalesce() for a in [x]]": "coalesce",
    'open("x")': "prim::open",
}


@pytest.mark.parametrize("line", HOSTILE)
def test_what_nets_do_not_need_is_named(line: str) -> None:
    assert refused(line)[0] == HOSTILE[line]


UNREADABLE = [
    *("x = 1  # a comment", "x = \\\n      1", "x = 'one quote'", 'x = """three"""', 'x = "a""b"', "x\t= 1", "x = 1\r"),
    *(
        "x = \u0430",
        "x = 1;",
        "x = $",
        'x = "open',
        "x = `a`",
        "x = ?",
        "x = 1)",
        "x\x00= 1",
        'x = "a\\\nb"',
        "x = a!b",
    ),
    *('_9 = getattr(self, "\\x73ave")', "_9 = getattr(self, name)", '_9 = getattr(self, "a" + "b")', "_9 = getattr("),
]


@pytest.mark.parametrize("line", UNREADABLE)
def test_what_two_readers_could_read_in_two_ways_is_refused(line: str) -> None:
    with pytest.raises(SourceError, match="torch does not write"):
        refused(line)


DEEP = [
    *("(" * 5000 + "x" + ")" * 5000, "[" * 200 + "]" * 200, "x" + "[0]" * 3000, "x" + ".a" * 1000, "not " * 9000 + "x"),
    *("x" + " + x" * 1000, "-" * 5000 + "1", "f" + "()" * 1000, "1 if x else " * 500 + "1", "a" + " ** a" * 500),
    "x\n" + "".join(f"{' ' * (2 * depth)}if x:\n" for depth in range(2, 300)),
    "if x:\n      pass\n" + "    elif x:\n      pass\n" * 500,
    "y: " + "List[" * 300 + "int" + "]" * 300 + " = x",
]


@pytest.mark.parametrize("line", DEEP, ids=range(len(DEEP)))
def test_what_is_nested_deeper_than_torch_can_bear_is_refused(line: str) -> None:
    with pytest.raises(SourceError, match="nested too deep"):
        refused(line)


def test_long_lists_are_not_deep() -> None:
    assert refused(f"x = torch.add(x, [{'1, ' * 5000}])") == []


def test_definitions_that_each_need_the_next_are_refused() -> None:
    def chain(length: int) -> str:
        links = (f"def f{n}(x: Tensor) -> Tensor:\n  return __torch__.f{n + 1}(x, )\n" for n in range(length))
        return "".join(links)

    assert read_source({"__torch__": chain(50)}).refused() == []
    with pytest.raises(SourceError, match="each function needs the next"):
        read_source({"__torch__": chain(1500)})
    ring = chain(1500) + "def f1500(x: Tensor) -> Tensor:\n  return __torch__.f0(x, )\n"
    with pytest.raises(SourceError, match="each function needs the next"):
        read_source({"__torch__": ring})


def test_more_code_than_nets_have_is_refused() -> None:
    with pytest.raises(SourceError, match="more code"):
        read_source({"__torch__": " " * (MOST_TEXT + 1)})


def test_types_in_pickles_are_looked_at() -> None:
    check_type("Dict[str, __torch__.net.Block]")
    for kind in ("List[" * 500 + "int" + "]" * 500, "__torch__.torch.classes.rpc.X", "List['int']", 3.5j):
        with pytest.raises(SourceError):
            check_type(kind)


def test_words_and_members() -> None:
    assert [word.text for word in words_of('x = "a b"\n')] == ["x", "=", '"a b"', "\n"]
    assert module_of("code/__torch__.py") == "__torch__"
    assert module_of("code/__torch__.py.debug_pkl") is module_of("data.pkl") is None
