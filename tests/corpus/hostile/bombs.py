"""Pickles and tensors that ask for far more than their file has."""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING

from tests.checkpoints.handmade import call, claim, mapping, name, several, text, whole
from tests.corpus.case import Case
from tests.corpus.opcodes import (
    EMPTY,
    FALSE,
    NONE,
    ORDERED,
    archive,
    bare,
    beside,
    legacy,
    legacy_beside,
    legacy_weights,
    rebuilt,
    weights,
)

if TYPE_CHECKING:
    from pathlib import Path

MUCH = 3_000_000_000
DEEP = 200_000
_LONG = struct.pack("<Q", MUCH)
VALUES = {
    "bytearray": call("builtins.bytearray", whole(MUCH)),
    "bytes": call("builtins.bytes", whole(MUCH)),
    "bytes-of-python-2": call("__builtin__.bytes", whole(MUCH)),
    "bytearray-of-text": call("builtins.bytearray", text("x" * 1000), text("utf-32")),
    "list-of-range": call("builtins.list", call("builtins.range", whole(MUCH))),
    "range": call("builtins.range", whole(2**62)),
    "repeat": call("operator.mul", text("x" * 1000), whole(MUCH)),
    "power": call("operator.pow", whole(9), whole(MUCH)),
    "punycode": call("_codecs.encode", text("\u00e9\u4e2d" * 40_000), text("punycode")),
    "idna": call("_codecs.encode", text("\u00e9" * 60_000), text("idna")),
    "zlib-codec": call("_codecs.decode", b"B\x04\x00\x00\x00\x78\x9c\x03\x00", text("zlib_codec")),
    "unknown-codec": call("_codecs.encode", text("x"), text("../../corpus_canary")),
    "decimal": call("decimal.Decimal", text("1e999999999")),
    "fraction": call("fractions.Fraction", text("1e999999999")),
    "regular-expression": call("re.compile", text("(a+)+$" * 2000)),
    "deque": call("collections.deque", EMPTY, whole(MUCH)),
    "counter": call("collections.Counter", text("x" * 100)),
    "array": call("array.array", text("d"), several(*[whole(0)] * 100)),
    "numpy-zeros": call("numpy.zeros", several(whole(MUCH))),
    "numpy-reconstruct": call(
        "numpy._core.multiarray._reconstruct", name("numpy.ndarray"), several(whole(MUCH)), text("b")
    ),
    "numpy-frombuffer": call("numpy._core.numeric._frombuffer", text("x"), text("f8"), several(whole(MUCH)), text("C")),
    "numpy-object-array": call(
        "numpy._core.multiarray._reconstruct", name("numpy.ndarray"), several(whole(0)), text("b")
    )
    + several(whole(1), several(whole(MUCH)), call("numpy.dtype", text("O8"), FALSE, FALSE), FALSE, b"]")
    + b"b",
    "torch-zeros": call("torch.zeros", whole(MUCH)),
    "torch-storage": call("torch:UntypedStorage", whole(MUCH)),
    "torch-size": call("torch.Size", several(*[whole(2**40)] * 60)),
    "binary-unicode-8": b"\x8d" + _LONG + b"abc",
    "binary-bytes-8": b"\x8e" + _LONG + b"abc",
    "bytearray-8": b"\x96" + _LONG + b"abc",
    "bytes-of-2-to-63": b"\x8e" + struct.pack("<Q", 2**63 + 5) + b"abc",
    "long-4": b"\x8b" + struct.pack("<i", 2**31 - 1) + b"abc",
    "long-4-negative": b"\x8b" + struct.pack("<i", -5) + b"abc",
    "long-of-a-megabyte": b"\x8b" + struct.pack("<i", 1_000_000) + b"\x7f" * 1_000_000,
    "frame-of-much": b"\x95" + _LONG + NONE,
    "frame-in-frame": b"\x95" + struct.pack("<Q", 2) + b"\x95" + struct.pack("<Q", 1) + NONE,
    "memo-far-away": NONE + b"r\xfe\xff\xff\xff",
    "memo-of-text-far-away": NONE + b"p999999999999\n",
    "memo-many": b"".join(NONE + b"\x94" + b"0" for _ in range(200_000)) + NONE,
    "laughs": b"]("
    + text("lol")
    + b"e"
    + b"".join(b"q" + bytes([n]) + b"0](" + (b"h" + bytes([n])) * 10 + b"e" for n in range(40)),
    "laughs-of-tuples": text("lol")
    + b"".join(b"q" + bytes([n]) + b"0(" + (b"h" + bytes([n])) * 10 + b"t" for n in range(60)),
    "laughs-of-dicts": mapping({})
    + b"".join(b"q" + bytes([n]) + b"0" + mapping({str(k): b"h" + bytes([n]) for k in range(9)}) for n in range(40)),
    "itself-in-itself": b"]q\x01h\x01a",
    "dict-in-itself": b"}q\x01" + text("me") + b"h\x01s",
    "duplicates": text("x" * 50_000) + b"2" * 200_000 + b"0" * 200_000,
    "deep-lists": b"]" * DEEP + b"a" * (DEEP - 1),
    "deep-tuples": b"(" * DEEP + b"t" * DEEP,
    "deep-one-tuples": EMPTY + b"\x85" * 1_000_000,
    "deep-dicts": (b"}" + text("a")) * 50_000 + NONE + b"s" * 50_000,
    "deep-reduce": (name("collections.OrderedDict") + b"(") * 20_000 + b"tR" * 20_000,
    "deep-as-key": b"}" + EMPTY + b"\x85" * 1_000_000 + b"Ns",
    "keys-of-one-hash": b"}(" + b"".join(whole(n * (2**61 - 1)) + NONE for n in range(40_000)) + b"u",
    "pairs-again-and-again": b"]("
    + b"".join(several(text(str(n)), NONE) for n in range(2000))
    + b"eq\x010"
    + call("collections.OrderedDict", b"h\x01") * 1
    + b"".join(b"0" + call("collections.OrderedDict", b"h\x01") for _ in range(3000)),
    "names-without-end": b"0".join(b"c" + b"m" * 900 + b"\n" + str(n).encode() + b"\n" for n in range(20_000)),
    "name-of-a-megabyte": b"c" + b"m" * 1_000_000 + b"\n" + b"n" * 1_000_000 + b"\n",
    "text-of-escapes": text("\x1b[2J\x1b[31m::error::" * 1000),
    "call-of-a-million": name("corpus_canary.make") + b"(" + NONE * 1_000_000 + b"tR",
    "set-of-many": b"\x8f(" + b"".join(whole(n) for n in range(100_000)) + b"\x90",
}
"""Name -> a value that lies beside the weights; it may be read where that costs nothing."""

DIM = 64
_STEP, _EMPTY_SHAPE = several(whole(1)), several()
KINDS = {"half": "HalfStorage", "double": "DoubleStorage", "complex": "ComplexDoubleStorage", "bool": "BoolStorage"}
BIAS = "fc2.bias"
TENSORS = {
    "stride-0": rebuilt("7", 3, (MUCH, 400), (0, 0)),
    "stride-negative": rebuilt("7", 3, (3,), (-1,)),
    "stride-huge": rebuilt("7", 3, (3,), (2**62,)),
    "stride-overflow": rebuilt("7", 3, (2, 2), (2**63 - 1, 2**63 - 1)),
    "stride-beyond-64-bits": rebuilt("7", 3, (3,), (2**70,)),
    "offset-negative": rebuilt("7", 3, (3,), (1,), -1),
    "offset-beyond": rebuilt("7", 3, (3,), (1,), 1),
    "offset-huge": rebuilt("7", 3, (3,), (1,), 2**62),
    "shape-negative": rebuilt("7", 3, (-3,), (1,)),
    "shape-of-8-tib": rebuilt("7", 3, (2**41,), (1,)),
    "shape-product-0": rebuilt("7", 3, (0, 2**62, 2**62), (1, 1, 1)),
    "shape-product-wraps": rebuilt("7", 3, (2**32, 2**32), (1, 1)),
    "shape-of-many-axes": rebuilt("7", 3, (1,) * 200, (1,) * 200),
    "shape-and-stride-apart": rebuilt("7", 3, (3,), (1, 1)),
    "storage-claims-more": rebuilt("7", 2**40, (3,), (1,)),
    "storage-claims-negative": rebuilt("7", -3, (3,), (1,)),
    "storage-claims-2-to-62": rebuilt("7", 2**62, (3,), (1,)),
    "storage-absent": rebuilt("99", 3, (3,), (1,)),
    "storage-elsewhere": rebuilt("../../elsewhere/secret_1.pt", 3, (3,), (1,)),
    "storage-absolute": rebuilt("/etc/hostname", 3, (3,), (1,)),
    "storage-key-with-null": rebuilt("7\0", 3, (3,), (1,)),
    "storage-key-with-escapes": rebuilt("\x1b[31m7\n::error::", 3, (3,), (1,)),
    "storage-of-no-kind": call("torch._utils._rebuild_tensor_v2", claim(whole(3), kind=name("torch.EvilStorage"), key=text("7")), whole(0), several(whole(3)), _STEP, FALSE, ORDERED),
    "shape-of-text": call("torch._utils._rebuild_tensor_v2", claim(whole(3), key=text("7")), whole(0), several(text("3")), _STEP, FALSE, ORDERED),
    "shape-of-floats": call("torch._utils._rebuild_tensor_v2", claim(whole(3), key=text("7")), whole(0), several(b"G@\x08" + b"\0" * 6), _STEP, FALSE, ORDERED),
    "shape-that-is-a-list": call("torch._utils._rebuild_tensor_v2", claim(whole(3), key=text("7")), whole(0), b"]", b"]", FALSE, ORDERED),
    "no-storage": call("torch._utils._rebuild_tensor_v2", whole(5), whole(0), several(whole(3)), _STEP, FALSE, ORDERED),
    "no-arguments": call("torch._utils._rebuild_tensor_v2"),
    "sparse-out-of-bounds": call("torch._utils._rebuild_sparse_tensor", whole(0), several(weights()["fc1.bias"], weights()["fc2.bias"], several(whole(2**40)), b"\x88")),
    "sparse-csr": call("torch._utils._rebuild_sparse_csr_tensor", whole(2), several(weights()["fc1.bias"], weights()["fc1.bias"], weights()["fc2.bias"], several(whole(2**20), whole(2**20)))),
    "quantized-axis": call("torch._utils._rebuild_qtensor", claim(whole(3), kind=name("torch.QInt8Storage"), key=text("7")), whole(0), several(whole(3)), _STEP, several(name("torch.per_channel_affine"), weights()["fc2.bias"], weights()["fc2.bias"], whole(99)), FALSE, ORDERED),
    "quantized-no-scheme": call("torch._utils._rebuild_qtensor", claim(whole(3), kind=name("torch.QInt8Storage"), key=text("7")), whole(0), several(whole(3)), _STEP, several(whole(1)), FALSE, ORDERED),
    "meta-of-8-tib": call("torch._utils._rebuild_meta_tensor_no_storage", name("torch.float32"), several(whole(2**41)), _STEP, FALSE),
    "device-of-numpy": call("torch._utils._rebuild_device_tensor_from_numpy", call("numpy.zeros", whole(MUCH)), name("torch.float32"), text("cpu"), FALSE),
    "nested": call("torch._utils._rebuild_nested_tensor", weights()["fc2.bias"], weights()["fc1.bias"], weights()["fc1.bias"], whole(2**40)),
    "v3-of-bits": call("torch._utils._rebuild_tensor_v3", claim(whole(3), key=text("7")), whole(0), several(whole(3)), _STEP, FALSE, ORDERED, name("torch.bits16")),
    "conjugate": call("torch._utils._rebuild_tensor_v2", claim(whole(3), key=text("7")), whole(0), several(whole(3)), _STEP, FALSE, ORDERED, mapping({"conj": b"\x88", "neg": b"\x88"})),
    "is-text": text("weights"),
    "is-none": NONE,
    "is-itself": name("torch.float32"),
}  # fmt: skip
"""Name -> what stands in the place of the last bias of the net: no checkpoint of it."""


def _value(value: bytes, path: Path) -> None:
    beside(path, value, 4)


def _tensor(value: bytes, path: Path) -> None:
    archive(path, mapping({"state_dict": mapping(weights({BIAS: value}))}))


def _of_kind(kind: str, path: Path) -> None:
    """A storage whose bytes are numbers of another type than it says."""
    storage = claim(whole(3), kind=name(f"torch.{kind}"), key=text("7"))
    made = call("torch._utils._rebuild_tensor_v2", storage, whole(0), several(whole(3)), _STEP, FALSE, ORDERED)
    archive(path, mapping(weights({BIAS: made})))


def _legacy_views(path: Path) -> None:
    """A storage of the older format that is a view of another, far away in it."""
    view = (
        several(
            text("storage"),
            name("torch.FloatStorage"),
            text("7"),
            text("cpu"),
            whole(3),
            several(text("view"), whole(2**40), whole(2**40)),
        )
        + b"Q"
    )
    made = call("torch._utils._rebuild_tensor_v2", view, whole(0), several(whole(3)), _STEP, FALSE, ORDERED)
    legacy(path, mapping({"a": made}))


def _many_keys(path: Path) -> None:
    legacy(path, legacy_weights(), keys=b"](" + text("0") * 100_000 + b"e")


def _stretched(path: Path) -> None:
    """A storage of the older format that says it has 2**60 numbers."""
    legacy(path, legacy_weights())
    raw = path.read_bytes()
    count = struct.pack("<q", 4 * 3 * 9)
    path.write_bytes(raw.replace(count, struct.pack("<q", 2**60), 1))


CASES = [
    *(Case(f"bomb-{name}", "pickle", partial(_value, value), ends=(0, 2)) for name, value in VALUES.items()),
    *(
        Case(f"bomb-legacy-{name}", "legacy", lambda path, name=name: legacy_beside(path, VALUES[name]), ends=(0, 2))
        for name in ("bytearray", "binary-bytes-8", "deep-tuples", "laughs")
    ),
    *(
        Case(f"bomb-bare-{name}", "pickle", lambda path, name=name: bare(path, VALUES[name], 4), file="epoch_1.pkl")
        for name in ("bytearray", "binary-bytes-8", "deep-lists", "memo-far-away")
    ),
    *(
        Case(f"tensor-{name}", "torch zip", partial(_tensor, value), ends=(0, 2) if name in ("conjugate",) else (2,))
        for name, value in TENSORS.items()
    ),
    *(Case(f"storage-as-{name}", "torch zip", partial(_of_kind, kind)) for name, kind in KINDS.items()),
    Case("legacy-view-far-away", "legacy", _legacy_views),
    Case("legacy-keys-again", "legacy", _many_keys),
    Case("legacy-storage-of-2-to-60", "legacy", _stretched),
]
