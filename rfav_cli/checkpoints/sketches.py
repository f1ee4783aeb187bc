"""What a pickle says of its tensors, told without torch and without a byte of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.plain_values import PARAMETERS, PLAIN, WITH_TYPE, last_element
from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.unpickler import Maker
from rfav_cli.files.sizes import MUCH

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = {
    **dict.fromkeys(("bool", "uint8", "int8", "quint8", "qint8", "quint4x2", "quint2x4", "float8_e4m3fn"), 1),
    **dict.fromkeys(("float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"), 1),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("float32", "int32", "uint32", "qint32", "complex32"), 4),
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 8),
    "complex128": 16,
}
"""Type of numbers, as torch names it -> bytes of one."""
_STORAGES = {
    "Float": "float32",
    "Double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Byte": "uint8",
    "Char": "int8",
    "Short": "int16",
    "Int": "int32",
    "Long": "int64",
    "Bool": "bool",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
    "QInt8": "qint8",
    "QUInt8": "quint8",
    "QInt32": "qint32",
    "QUInt4x2": "quint4x2",
    "QUInt2x4": "quint2x4",
    "Untyped": "uint8",
    "_Untyped": "uint8",
}


@dataclass(frozen=True)
class NumberType:
    """A type of numbers, or of a storage of them."""

    name: str
    storage: bool = False


@dataclass(eq=False)
class SketchedStorage:
    """A storage that a pickle claims.

    Attributes:
        dtype: of its elements.
        key: its name in the file.
        bytes: that it is said to have.
    """

    dtype: str
    key: str
    bytes: int


@dataclass(eq=False)
class SketchedTensor:
    """A tensor that a pickle describes.

    Attributes:
        storage: where its numbers are.
        dtype: of its elements.
        shape: its sizes.
        problem: why it cannot be what the file says; empty without.
    """

    storage: SketchedStorage
    dtype: str
    shape: tuple[int, ...]
    problem: str = ""

    @property
    def bytes(self) -> int:
        """Of its elements, were each written out."""
        return prod(self.shape) * SIZES.get(self.dtype, 1)


def sketch_storage(given: Any) -> SketchedStorage:
    """Read the claim of a storage.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(given, tuple) or not 5 <= len(given) <= 6 or given[0] not in ("storage", b"storage"):
        raise ValueError("not the claim of a storage")
    _, kind, key, _, count, *more = given
    if not isinstance(kind, NumberType) or not isinstance(key, str | int | bytes) or type(count) is not int:
        raise ValueError("not the claim of a storage")
    if not 0 <= count < 2**63:
        raise ValueError("no count of elements")
    if more and more[0] is not None and not _is_part(more[0], count):
        raise ValueError("a part of a storage that it has not")
    name = key.decode("ascii") if isinstance(key, bytes) else str(key)
    return SketchedStorage(kind.name, name, count * SIZES[kind.name])


def _is_part(view: Any, count: int) -> bool:
    """Whether what the older format says of a part of a storage, (name, first element, length), lies in it."""
    if not isinstance(view, tuple) or len(view) != 3:
        return False
    _, first, length = view
    return type(first) is int and type(length) is int and first >= 0 <= length and first + length <= count


def sketched(module: str, name: str) -> Any:
    """What a name means to who only looks: a `Maker` of sketches, a type of numbers; None for one that is not known."""
    if module.partition(".")[0] == "torch" and name.endswith("Storage") and name[:-7] in _STORAGES:
        return NumberType(_STORAGES[name[:-7]], storage=True)
    if module == "torch" and name in SIZES:
        return NumberType(name)
    return _MAKERS.get(f"{module}.{name}")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> SketchedTensor:
    if isinstance(storage, StandIn):  # of a pickle that has its storages in itself
        tensor = _placed(SketchedStorage("uint8", "", 2**62), "uint8", offset, size, stride)
        return SketchedTensor(SketchedStorage("uint8", "", 0), "unknown", tensor.shape, "has no storage in the file")
    if type(storage) is not SketchedStorage:
        raise TypeError("no storage")
    return _placed(storage, storage.dtype, offset, size, stride)


def _typed_tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> SketchedTensor:
    """`_rebuild_tensor_v3`, which says the type of the numbers third of the rest."""
    kind = rest[2] if len(rest) > 2 else None
    if type(storage) is not SketchedStorage or not isinstance(kind, NumberType):
        raise TypeError("no storage")
    return _placed(storage, kind.name, offset, size, stride)


def _placed(storage: SketchedStorage, dtype: str, offset: Any, size: Any, stride: Any) -> SketchedTensor:
    last = last_element(offset, size, stride)
    tensor = SketchedTensor(storage, dtype, size)
    if tensor.bytes and (last + 1) * SIZES[dtype] > storage.bytes:
        tensor.problem = "lies beyond its storage"
    elif tensor.bytes > storage.bytes + MUCH:
        tensor.problem = "has far more elements than its storage"
    return tensor


def _same(data: Any, *_: Any) -> Any:
    return data


def _of_type(make: Any, kind: Any, args: Any, *_: Any) -> Any:
    if type(make) is Maker and make.make in (_tensor, _typed_tensor, _same) and type(args) is tuple:
        return make.make(*args)
    return StandIn("torch._tensor._rebuild_from_type_v2", (make, kind, args))


_NAMES: dict[Callable[..., Any], tuple[str, ...]] = {
    _tensor: ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_qtensor"),
    _typed_tensor: ("torch._utils._rebuild_tensor_v3",),
    _same: PARAMETERS,
    _of_type: WITH_TYPE,
}
_MAKERS = {**{name: Maker(make) for make, names in _NAMES.items() for name in names}, **PLAIN}
