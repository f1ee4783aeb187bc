"""Pickles made to run code, to end the process, or to take its time and memory: none does, each is refused or read."""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest
import torch

from rfav_cli.checkpoints import formats
from rfav_cli.checkpoints.formats.base import ReadOptions
from rfav_cli.checkpoints.pickles import load_pickle
from rfav_cli.errors import CheckpointError
from tests.checkpoints.handmade import (
    NUMBERS,
    call,
    claim,
    mapping,
    name,
    save,
    save_beside,
    save_legacy,
    several,
    tensor,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ORDINARY = {"open", "mmap.__new__", "os.fstat", "builtins.id"}
"""What is audited when an ordinary file is read."""
_events: list[str] | None = None


def _listen(event: str, args: tuple[Any, ...]) -> None:
    if _events is not None:
        _events.append(f"{event} {args[0]!r:.60}" if event == "import" and args else event)


sys.addaudithook(_listen)


def read(path: Path) -> torch.Tensor | None:
    """The weight that a file holds, or None where the file is refused in clear words; nothing else may happen."""
    try:
        payload = formats.read(path, ReadOptions())
    except CheckpointError as error:
        refusal = error
    else:
        assert all(note.isprintable() and len(note) < 600 for note in payload.notes)
        weight: torch.Tensor = payload.content[0].weights["weight"]
        return weight
    assert str(path) in refusal.what
    assert refusal.remedy
    assert (refusal.what + refusal.remedy).isprintable()
    return None


@pytest.fixture
def events(tmp_path: Path) -> Iterator[list[str]]:
    """What is audited in a test: imports, code that is compiled or executed, files, processes."""
    global _events
    read(save_beside(tmp_path / "first.pt", b"N"))
    read(save_legacy(tmp_path / "first-legacy.pt", mapping({"weight": tensor(claim(whole(6), more=(b"N",)))})))
    _events = []
    yield _events
    _events = None


def assert_harmless(path: Path, events: list[str], *, refused: bool | None = None) -> None:
    events.clear()
    weight = read(path)
    assert set(events) <= ORDINARY
    if weight is not None:
        assert torch.equal(weight, torch.from_numpy(NUMBERS.copy()).reshape(2, 3))
    assert refused is None or (weight is None) == refused


CODE = text("import os; os.mkdir('canary')")
COMMAND = several(text("mkdir canary"))
REFUSED_CALLS = (
    *("os.system", "posix.system", "nt.system", "os.popen", "os:path.join", "sys:modules.get", "posix.mkdir"),
    *("subprocess.Popen", "subprocess.check_output", "pty.spawn", "shutil.rmtree", "socket.create_connection"),
    *("builtins.eval", "builtins.exec", "builtins.compile", "builtins.open", "builtins.__import__", "__builtin__.eval"),
    *("importlib.import_module", "importlib:util.find_spec", "runpy.run_path", "ctypes.CDLL", "webbrowser.open"),
)
"""Names that only an attack has a use for."""
CALLS = (
    *("builtins.getattr", "builtins.setattr", "builtins.type", "builtins.map", "builtins.list", "builtins.bytearray"),
    *("functools.partial", "operator.attrgetter", "operator.methodcaller", "types.FunctionType", "types.CodeType"),
    *("torch.load", "torch:hub.load", "torch:jit.load", "torch:utils.cpp_extension.load_inline"),
    *("torch.storage._load_from_bytes", "torch:nn.Module.__setstate__", "torch.set_default_device", "torch.save"),
    *("numpy.load", "numpy.memmap", "numpy:f2py.compile", "numpy:testing._private.utils.runstring", "numpy.fromfile"),
    *("pickle.loads", "_pickle.loads", "copyreg._reconstructor", "copyreg.__newobj__", "codecs.open", "marshal.loads"),
    *("pathlib:Path.write_text", "logging.FileHandler", "tempfile.mkdtemp", "timeit.timeit", "cProfile.run", "pdb.run"),
    *(
        "zipfile.ZipFile",
        "asyncio:create_subprocess_shell",
        "antigravity.fly",
        "code:InteractiveInterpreter.runcode",
        "this.s",
        "rfav_cli.cli.main",
    ),
    *("collections.OrderedDict", "torch.Size", "numpy.core.multiarray.scalar", "torch._utils._rebuild_qtensor"),
    *("torch._tensor._rebuild_from_type_v2", "torch.nn.parameter.Parameter", "torch._utils._rebuild_sparse_tensor"),
)
"""Names that are read as data, or whose place is taken by a function that refuses such arguments."""


def test_what_only_an_attack_names_is_refused(tmp_path: Path, events: list[str]) -> None:
    for dotted in REFUSED_CALLS:
        path = save_beside(tmp_path / f"{dotted}.pt", call(dotted, CODE))
        assert_harmless(path, events, refused=True)
        with pytest.raises(CheckpointError, match=r"needs [\w.]+, which could run code") as caught:
            load_pickle(path, trust=False)
        assert "--i-trust-this-pickle" in caught.value.remedy


HOW: dict[str, Callable[[bytes], bytes]] = {
    "call": lambda named: named + several(CODE) + b"R",
    "new": lambda named: named + several(CODE) + b"\x81",
    "new with names": lambda named: named + several(CODE) + mapping({"mode": CODE}) + b"\x92",
    "called again": lambda named: named + several(CODE) + b"R" + several(CODE) + b"R",
    "as a base": lambda named: call(
        "torch._tensor._rebuild_from_type_v2", named, name("torch.Tensor"), several(CODE), b"}"
    ),
    "with a state": lambda named: (
        named + several(CODE) + b"R" + mapping({"__setstate__": named, "__class__": named}) + b"b"
    ),
}


@pytest.mark.parametrize("how", HOW)
def test_nothing_is_called(how: str, tmp_path: Path, events: list[str]) -> None:
    for dotted in CALLS:
        path = save_beside(tmp_path / f"{how}-{dotted}.pt", HOW[how](name(dotted)), protocol=4)
        assert_harmless(path, events)


def test_the_same_in_the_older_format(tmp_path: Path, events: list[str]) -> None:
    weight = tensor(claim(whole(6), more=(b"N",)))
    for dotted in CALLS:
        body = mapping({"weight": weight, "zz": call(dotted, CODE)})
        assert_harmless(save_legacy(tmp_path / "net.pt", body), events)


OTHER_WAYS = {
    "a name from the stack": text("functools") + text("partial") + b"\x93" + several(CODE) + b"R",
    "a dangerous name from the stack": text("posix") + text("system") + b"\x93" + COMMAND + b"R",
    "a name in parts": text("builtins") + text("eval.__call__") + b"\x93" + several(CODE) + b"R",
    "an instance": b"(" + CODE + b"iposix\nsystem\n",
    "an object": b"(" + name("functools.partial") + CODE + b"o",
    "an extension": b"\x82\x01",
    "a long extension": b"\x84\x01\x00\x00\x00",
    "a text that is evaluated": b"S'a'\nR",
    "a buffer": b"\x97",
    "a text that is called": text("posix.system") + COMMAND + b"R",
    "a tensor that is called": tensor() + COMMAND + b"R",
    "a list that is called": b"]" + COMMAND + b"R",
    "a claim as text": b"P0\n",
    "the claim of a module": claim(text("import os"), typename="module", kind=name("a.B"), key=text("a.py")),
    "the claim of a module that is called": several(text("module"), name("functools.partial"))
    + b"Q"
    + several(CODE)
    + b"R",
    "the claim of a module without a name": several(text("module")) + b"Q",
    "a claim that is a number": whole(3) + b"Q",
    "a claim that is a name": name("posixpath.join") + b"Q",
    "arguments that are a list": name("a.b") + b"]R",
    "arguments that are an object": name("a.b") + call("c.d") + b"R",
    "names that are an object": name("a.b") + b")" + call("c.d") + b"\x92",
    "a chain of getattr": call("builtins.getattr", call("builtins.getattr", name("a.b"), text("__globals__")), CODE),
    "a partial of a partial": call("functools.partial", call("functools.partial", name("a.b"))) + COMMAND + b"R",
    "no stack": b"R" * 50,
    "a wide name": name("\u202e\U0001f600\x07.\x1b[31m") + COMMAND + b"R",
    "a long name": name("a" * 10**6 + ".b") + COMMAND + b"R",
    "a name that is no text": b"c\xff\xfe\n\xff\n" + COMMAND + b"R",
    "a surrogate": text("\udcff") + text("\udcff") + b"\x93" + COMMAND + b"R",
}


@pytest.mark.parametrize("how", OTHER_WAYS)
def test_no_other_way_leads_to_code(how: str, tmp_path: Path, events: list[str]) -> None:
    assert_harmless(save_beside(tmp_path / "net.pt", OTHER_WAYS[how], protocol=4), events)


NAMES = (
    *("state_dict", "items", "keys", "values", "get", "__class__", "__dict__", "__len__", "__iter__", "__getitem__"),
    *("__eq__", "__hash__", "__reduce__", "__setstate__", "__getattr__", "__builtins__", "mappings", "kind", "args"),
)
ATTRIBUTES = mapping(dict.fromkeys(NAMES, call("functools.partial", CODE)))
OBJECT = call("a.Odd")
STATES = {
    "an object's methods": OBJECT + ATTRIBUTES + b"b",
    "an object's slots": OBJECT + b"N" + ATTRIBUTES + b"\x86b",
    "a state of many parts": OBJECT + several(*[ATTRIBUTES] * 9) + b"b",
    "an object of itself": OBJECT + b"q\x01h\x01b",
    "an object with itself as a key": OBJECT + b"q\x01}h\x01h\x01sb",
    "a dictionary's methods": call("collections.OrderedDict") + ATTRIBUTES + b"b",
    "a dictionary's class": call("collections.OrderedDict") + mapping({"__class__": name("a.b")}) + b"b",
    "a dictionary's odd state": call("collections.OrderedDict") + OBJECT + b"b",
    "a plain dictionary's state": b"}" + ATTRIBUTES + b"b",
    "a list's state": b"]" + ATTRIBUTES + b"b",
    "a number's state": b"K\x01" + ATTRIBUTES + b"b",
    "a name's state": name("a.Odd") + ATTRIBUTES + b"b",
    "the state of a known name": name("collections.OrderedDict") + ATTRIBUTES + b"b",
    "a tensor's state": tensor() + several(CODE, CODE, CODE, CODE) + b"b",
    "a tensor's entry": tensor() + text("a") + b"Ns",
    "a name's entry": name("collections.OrderedDict") + text("a") + b"Ns",
    "a tuple's elements": b"))a",
    "odd entries": b"}(" + text("a") + b"u",
    "an object as a key": b"}" + OBJECT + b"Ns",
    "a tensor as a key": b"}" + tensor() + b"Ns",
    "a list as a key": b"}]Ns",
    "pairs that are none": call("collections.OrderedDict", b"](K\x01K\x02e"),
    "pairs without end": call("collections.OrderedDict", OBJECT),
    "a module's odd parts": OBJECT + mapping(dict.fromkeys(("_parameters", "_buffers", "_modules"), ATTRIBUTES)) + b"b",
    "a module of itself": OBJECT
    + b"q\x01"
    + mapping({"_parameters": b"}", "_buffers": b"}", "_modules": mapping({"m": b"h\x01"})})
    + b"b",
    "odd buffers": OBJECT
    + mapping(
        {"_parameters": b"}K\x01Ns", "_buffers": b"}", "_modules": b"}N]s", "_non_persistent_buffers_set": b"K\x01"}
    )
    + b"b",
    "a number without a type": call("numpy.core.multiarray.scalar", OBJECT, b"]"),
    "a number of an odd type": call("numpy.core.multiarray.scalar", call("numpy.dtype", text("O8")), text("12345678")),
    "a number with an odd state": call(
        "numpy.core.multiarray.scalar", call("numpy.dtype", text("f8")) + several(CODE, OBJECT) + b"b", text("1" * 8)
    ),
    "bytes of an odd encoding": call("_codecs.encode", CODE, text("punycode")),
    "bytes that do not fit": call("_codecs.encode", text("\u4e00"), text("latin1")),
}


@pytest.mark.parametrize("what", STATES)
def test_a_state_overrides_nothing(what: str, tmp_path: Path, events: list[str]) -> None:
    assert_harmless(save_beside(tmp_path / "net.pt", STATES[what], protocol=4), events)


def test_of_a_dictionary_only_the_versions_are_taken(tmp_path: Path) -> None:
    state = mapping({"items": CODE, "_metadata": b"}"})
    content = load_pickle(save(tmp_path / "net.pt", call("collections.OrderedDict") + state + b"b"), trust=False)
    assert type(content) is OrderedDict
    assert vars(content) == {"_metadata": {}}


LARGE, NEGATIVE = whole(2**62), whole(-1)
QUANTIZER = several(name("torch.per_channel_affine"), b"](K\x01K\x01e", b"](K\x00K\x00e", whole(0))
BY_CHANNEL = claim(whole(6), kind=name("torch.QInt8Storage"))


def quantized(quantizer: bytes) -> bytes:
    size, stride = several(whole(2), whole(3)), several(whole(3), whole(1))
    rest = (quantizer, b"\x89", call("collections.OrderedDict"))
    return call("torch._utils._rebuild_qtensor", BY_CHANNEL, whole(0), size, stride, *rest)


TENSORS = {
    "more numbers than there are": tensor(claim(whole(7))),
    "a storage without end": tensor(claim(LARGE)),
    "a storage of less than nothing": tensor(claim(NEGATIVE)),
    "a count that is text": tensor(claim(text("6"))),
    "a storage that is not there": tensor(claim(whole(6), key=text("1"))),
    "a storage elsewhere": tensor(claim(whole(6), key=text("../../../etc/passwd"))),
    "a storage's key that is a tuple": tensor(claim(whole(6), key=b")")),
    "a storage of no type": tensor(claim(whole(6), kind=name("a.FloatStorage"))),
    "a storage that is called": tensor(name("torch.FloatStorage") + several(LARGE) + b"R"),
    "a storage that is an object": tensor(OBJECT),
    "a storage with parts too many": tensor(claim(whole(6), more=(b"N", b"N"))),
    "one number too many": tensor(size=several(whole(7)), stride=several(whole(1))),
    "an offset beyond": tensor(offset=whole(1)),
    "an offset far beyond": tensor(offset=LARGE),
    "a negative offset": tensor(offset=NEGATIVE),
    "a negative size": tensor(size=several(NEGATIVE, NEGATIVE)),
    "a negative stride": tensor(stride=several(NEGATIVE, whole(1)), offset=whole(3)),
    "a huge size": tensor(size=several(LARGE, LARGE)),
    "a huge stride": tensor(stride=several(LARGE, LARGE)),
    "the same number without end": tensor(size=several(whole(2**40)), stride=several(whole(0))),
    "strides too few": tensor(stride=several(whole(1))),
    "dimensions without end": tensor(size=several(*[whole(1)] * 1000), stride=several(*[whole(1)] * 1000)),
    "a size that is an object": tensor(size=several(OBJECT, OBJECT)),
    "a size that is a list": tensor(size=b"]"),
    "a size that is a float": tensor(size=several(b"G" + bytes(8), whole(3))),
    "a type that is none": call(
        "torch._utils._rebuild_tensor_v3", claim(whole(6)), whole(0), b")", b")", b"\x89", b"N", OBJECT
    ),
    "a wider type": call(
        "torch._utils._rebuild_tensor_v3",
        *(claim(whole(6)), whole(0), several(whole(6)), several(whole(1)), b"\x89", b"N", name("torch.float64")),
    ),
    "steps without their size": tensor(claim(whole(6), kind=name("torch.QInt8Storage"))),
    "steps without their size, by their type": call(
        "torch._utils._rebuild_tensor_v3",
        *(claim(whole(6)), whole(0), several(whole(6)), several(whole(1)), b"\x89", b"N", name("torch.quint4x2")),
    ),
    "a parameter of nothing": call("torch._utils._rebuild_parameter", b"N", b"\x89", b"N"),
    "a quantizer that is none": quantized(OBJECT),
    "scales in one another": quantized(QUANTIZER.replace(b"](K\x01K\x01e", b"](]]e")),
    "a channel that is not there": quantized(QUANTIZER[:-6] + whole(9) + b"t"),
    "scales too few": quantized(QUANTIZER.replace(b"](K\x01K\x01e", b"](K\x01e")),
    "arguments too few": call("torch._utils._rebuild_tensor_v2"),
}


@pytest.mark.parametrize("what", TENSORS)
def test_a_tensor_is_within_its_file(what: str, tmp_path: Path, events: list[str]) -> None:
    assert_harmless(save_beside(tmp_path / "net.pt", TENSORS[what]), events, refused=True)


def test_hooks_and_gradients_are_left(tmp_path: Path) -> None:
    hooks = call("collections.OrderedDict", b"]K\x00" + call("functools.partial", CODE) + b"\x86a")
    body = tensor().replace(b"\x89" + call("collections.OrderedDict"), b"\x88" + hooks)
    weight = load_pickle(save(tmp_path / "net.pt", body), trust=False)
    assert not weight.requires_grad
    assert weight._backward_hooks is None


LEGACY = {
    "a storage without end": {"storage": claim(LARGE, more=(b"N",))},
    "a storage larger than the file": {"storage": claim(whole(10**6), more=(b"N",))},
    "a part beyond its storage": {"storage": claim(whole(6), more=(several(text("1"), whole(5), whole(6)),))},
    "a part between the places of its numbers": {
        "storage": claim(whole(24), kind=name("torch.ByteStorage"), more=(several(text("1"), whole(1), whole(16)),)),
        "numbers": struct.pack("<q", 24) + bytes(24),
        "make": "torch.complex64",
    },
    "a part that is none": {"storage": claim(whole(6), more=(several(text("1")),))},
    "a part that begins before": {"storage": claim(whole(6), more=(several(text("1"), NEGATIVE, whole(6)),))},
    "no storages": {"keys": b"]"},
    "another storage": {"keys": b"](" + text("1") + b"e"},
    "storages that are an object": {"keys": OBJECT},
    "a storage twice": {"keys": b"](" + text("0") * 2 + b"e"},
    "numbers too few": {"numbers": struct.pack("<q", 6) + bytes(20)},
    "another count": {"numbers": struct.pack("<q", 2**60) + bytes(24)},
    "nothing": {"numbers": b""},
    "a tensor beyond its storage": {"size": several(whole(2**20), whole(3))},
}


@pytest.mark.parametrize("what", LEGACY)
def test_the_older_format_gives_no_memory_that_was_not_written(what: str, tmp_path: Path, events: list[str]) -> None:
    how: dict[str, Any] = dict(LEGACY[what])
    storage = how.pop("storage", claim(whole(6), more=(b"N",)))
    weight = tensor(storage, size=how.pop("size", b""))
    if dtype := how.pop("make", ""):
        rest = (several(whole(1)), several(whole(1)), b"\x89", b"N", name(dtype))
        weight = call("torch._utils._rebuild_tensor_v3", storage, whole(0), *rest)
    assert_harmless(save_legacy(tmp_path / "net.pt", mapping({"weight": weight}), **how), events, refused=True)


KEPT, AGAIN = b"q\x010", b"h\x01"
"""Put what is on the stack away, and take it back as often as wanted."""


def with_versions() -> bytes:
    """A state_dict of ten thousand modules whose versions are all the one dictionary of ten thousand."""
    versions = b"}(" + b"".join(text(f"k{n}") + b"N" for n in range(10**4)) + b"u" + KEPT
    modules = b"}(" + b"".join(text(f"p{n}") + AGAIN for n in range(10**4)) + b"uq\x020"
    weights = call("collections.OrderedDict") + text("weight") + tensor() + b"s"
    return versions + modules + weights + mapping({"_metadata": b"h\x02"}) + b"b"


DOUBLED_TUPLE = b")" + b"q\x01h\x01\x86" * 60
DOUBLED_LIST = b"]" + b"q\x01](h\x01h\x01e" * 60
MODULE = {"_parameters": mapping({"weight": tensor()}), "_buffers": b"}"}


def module(children: bytes) -> bytes:
    return call("a.Net") + mapping({**MODULE, "_modules": children}) + b"b"


def doubled_module() -> bytes:
    body = module(b"}")
    for _ in range(60):
        body += b"r\x01\x00\x00\x000" + module(mapping({"a": b"j\x01\x00\x00\x00", "b": b"j\x01\x00\x00\x00"}))
    return body


COSTLY: dict[str, Callable[[], bytes]] = {
    "lists in one another": lambda: b"](" * 9_999 + b"e" * 9_999,
    "lists in one another without end": lambda: b"](" * 10**6 + b"e" * 10**6,
    "tuples in one another": lambda: b")" + b"\x85" * 4 * 10**5,
    "objects in one another": lambda: b")" + (b"q\x01" + name("a.b") + b"h\x01\x85R") * 3 * 10**4,
    "a list of itself 2^60 times": lambda: DOUBLED_LIST,
    "a tuple of itself 2^60 times as a key": lambda: b"}" + DOUBLED_TUPLE + b"Ns",
    "a tuple of itself 2^60 times in a set": lambda: b"\x8f(" + DOUBLED_TUPLE + b"\x90",
    "a tuple of itself 2^60 times in an ordered dictionary": lambda: call(
        "collections.OrderedDict", b"](" + DOUBLED_TUPLE + b"N\x86e"
    ),
    "a deep key": lambda: b"})" + b"\x85" * 4 * 10**5 + b"Ns",
    "keys of one hash": lambda: b"}(" + b"".join(whole(n * (2**61 - 1)) + b"N" for n in range(1, 40_000)) + b"u",
    "a bytearray that is called": lambda: call("builtins.bytearray", whole(2**40)),
    "a bytearray": lambda: b"\x96" + struct.pack("<Q", 2**40),
    "bytes": lambda: b"\x8e" + struct.pack("<Q", 2**60),
    "text": lambda: b"\x8d" + struct.pack("<Q", 2**40),
    "a frame": lambda: b"\x95" + struct.pack("<Q", 2**60) + b"N",
    "a number of many digits": lambda: b"\x8b" + struct.pack("<i", 10**6) + b"\x7f" * 10**6,
    "a list that is copied": lambda: (
        b"](" + b"NN\x86" * 10**5 + b"eq\x010" + (name("collections.OrderedDict") + b"h\x01\x85R0") * 10**4 + b"N"
    ),
    "text that is copied": lambda: (
        text("a" * 10**6) + b"q\x010" + (name("_codecs.encode") + b"h\x01" + text("latin1") + b"\x86R") * 10**5
    ),
    "marks": lambda: b"(" * 10**6,
    "memories": lambda: b"N" + b"".join(b"r" + struct.pack("<I", 2**32 - 1 - n) for n in range(10**5)),
    "a module of itself": lambda: (
        call("a.Net") + b"q\x01" + mapping({**MODULE, "_modules": mapping({"m": b"h\x01"})}) + b"b"
    ),
    "a module of itself 2^60 times": doubled_module,
    "modules of the same parts": lambda: (
        b"}(" + b"".join(text(f"m{n}") + module(b"}") for n in range(5_000)) + b"uq\x010" + module(b"h\x01")
    ),
    "state_dicts without end": lambda: mapping({f"m{n}": mapping({"weight": tensor()}) for n in range(3_000)}),
    "notes without end": lambda: b"](" + b"".join(call(f"m{n}.a") for n in range(50_000)) + b"e",
    "rows without end for an ordered dictionary": lambda: call(
        "collections.OrderedDict", tensor(size=several(whole(2**25), whole(2)), stride=several(whole(0), whole(1)))
    ),
    "a state that is given again and again": lambda: (
        (b"}(" + b"".join(text(str(n)) + b"N" for n in range(3 * 10**4)) + b"u" + KEPT)
        + (call("collections.OrderedDict") + (AGAIN + b"b") * 5 * 10**4)
    ),
    "arguments that are given again and again": lambda: (
        (b"(" + b"N" * 10**5 + b"t" + KEPT)
        + (b"](" + (name("a.b") + AGAIN + b"}" + text("a") + b"Ns\x92") * 2000 + b"e")
    ),
    "names in one long module": lambda: (
        text("a" * 3 * 10**6) + KEPT + b"](" + b"".join(AGAIN + text(str(n)) + b"\x93" for n in range(500)) + b"e"
    ),
    "a long key in many dictionaries": lambda: (
        text("a" * 10**7) + KEPT + b"}(" + b"".join(text(str(n)) + b"}" + AGAIN + b"Ns" for n in range(5000)) + b"u"
    ),
    "state_dicts of a long name": lambda: (
        (text("a" * 3 * 10**6) + KEPT + b"}" + AGAIN)
        + (mapping({f"m{n}": mapping({"weight": tensor()}) for n in range(900)}) + b"s")
    ),
    "versions without end": with_versions,
    "the same number many times": lambda: tensor(size=several(whole(2**50)), stride=several(whole(0))),
}
_CHILD = """
import json, pathlib, resource, sys, time
from tests.checkpoints.test_hostile_pickles import read
read(pathlib.Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in map(pathlib.Path, sys.argv[2:]):
    start = time.process_time()
    weight = read(path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    print(json.dumps([path.stem, time.process_time() - start, grown, weight is not None]), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the memory of a process is not known")
def test_no_pickle_takes_the_time_or_the_memory(tmp_path: Path) -> None:
    paths = [save_beside(tmp_path / "first.pt", b"N")]
    paths += [save_beside(tmp_path / f"{what}.pt", make(), protocol=5) for what, make in COSTLY.items()]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *map(str, paths)], capture_output=True, text=True, timeout=120, check=False
    )
    ends = {what: (seconds, grown) for what, seconds, grown, _ in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, (done.stderr[-2000:], list(ends)[-1:])
    assert list(ends) == list(COSTLY)
    assert {what: end for what, end in ends.items() if end[0] > 10 or end[1] > 600} == {}


def test_the_instructions_are_those_that_picklers_write() -> None:
    from rfav_cli.checkpoints.unpickler import DataUnpickler

    refused = {"INST", "OBJ", "PERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"}
    assert not {getattr(pickle, opcode)[0] for opcode in refused} & DataUnpickler.dispatch.keys()
