"""The pickles in a TorchScript archive, looked through before torch makes objects of them.

Torch's own reader of them makes sparse tensors without a look at their indices, quantised ones without a look at their
scales, and calls `__setstate__` methods of the archive's code. Here nothing is made: `DataUnpickler` reads each pickle
with the names below, which hold every tensor against its storage.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.script_source import SourceError, check_type, is_foreign
from rfav_cli.checkpoints.storages import Claim, storage_kind
from rfav_cli.checkpoints.unpickler import DataUnpickler, Maker

if TYPE_CHECKING:
    from collections.abc import Collection

_LISTS = ("build_intlist", "build_tensorlist", "build_doublelist", "build_boollist")
_SCHEMES = ("per_tensor_affine", "per_channel_affine", "per_tensor_symmetric", "per_channel_symmetric")
_FLOAT_SCHEME = "per_channel_affine_float_qparams"


class NotPlainError(SourceError):
    """A pickle that names what nets do not need; says what."""


@dataclass(frozen=True)
class Numbers:
    """A tensor, of which only the shape is of interest.

    Attributes:
        shape: of it.
    """

    shape: tuple[int, ...]


@dataclass
class Names:
    """What names in the pickles of an archive mean.

    Attributes:
        classes: qualified names that the pickles may make objects of.
        used: those that they do.
    """

    classes: Collection[str]
    used: list[str] = field(default_factory=list)

    def meaning(self, module: str, name: str) -> Any:
        """See `DataUnpickler`.

        Raises:
            NotPlainError: it is none of those that nets need.
        """
        kind = storage_kind(module, name)
        if kind is not None:
            return kind
        if (module, name) in _MEANINGS:
            return _MEANINGS[module, name]
        full = f"{module}.{name}"
        if full in self.classes or (full.startswith("__torch__.torch.classes.") and not is_foreign(full)):
            self.used.append(full)
            return None
        raise NotPlainError(full)


def read_objects(content: bytes, classes: Collection[str]) -> tuple[Any, list[str]]:
    """What a pickle holds, as numbers, text, containers, `Numbers` and stand-ins; and the classes that it names.

    Args:
        content: the pickle.
        classes: qualified names that it may make objects of.

    Raises:
        NotPlainError: it names something else.
        Exception: of any kind: it is damaged, or a tensor reaches beyond its storage.
    """
    names = Names(classes)
    made = DataUnpickler(io.BytesIO(content), names.meaning, _claimed, len(content)).load()
    return made, names.used


def _claimed(claim: Claim) -> Claim:
    return claim


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Numbers:
    if not isinstance(storage, Claim) or len(shape) != len(strides):
        raise ValueError("a tensor without a storage")
    if not all(type(number) is int and number >= 0 for number in (offset, *shape, *strides)):
        raise ValueError("a tensor of no shape")
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if 0 not in shape and last >= storage.count:
        raise ValueError("a tensor that reaches beyond its storage")
    return Numbers(tuple(shape))


def _quantised(storage: Any, offset: Any, shape: Any, strides: Any, scheme: Any, *_: Any) -> Numbers:
    tensor = _tensor(storage, offset, shape, strides)
    name, first, second, *axis = scheme
    if name in _SCHEMES[::2] and not axis and not isinstance(first, Numbers):
        return tensor
    if not axis or not 0 <= axis[0] < len(shape) or {first.shape, second.shape} != {(shape[axis[0]],)}:
        raise ValueError("a quantised tensor whose scales are not those of its channels")
    return tensor


def _list(values: Any, *_: Any) -> Any:
    return values


def _tagged(values: Any, kind: Any, *_: Any) -> Any:
    check_type(kind)
    return values


def _number(real: Any, imaginary: Any) -> complex:
    return complex(float(real), float(imaginary))


def _device(name: Any) -> str:
    return str(name)[:20]


_MEANINGS: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): Maker(_tensor),
    ("torch._utils", "_rebuild_qtensor"): Maker(_quantised),
    ("collections", "OrderedDict"): Maker(lambda *_: OrderedDict()),
    ("torch.jit._pickle", "restore_type_tag"): Maker(_tagged),
    ("builtins", "complex"): Maker(_number),
    ("torch", "device"): Maker(_device),
    **{("torch.jit._pickle", name): Maker(_list) for name in _LISTS},
    **{("torch", name): name for name in (*_SCHEMES, _FLOAT_SCHEME)},
}
