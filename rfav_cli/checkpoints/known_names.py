"""The names in pickles that become more than a name: tensors, what they are made of, and plain values.

All that is called in place of a name is here. Each function takes whatever a file gives it, and gives back plain data
or raises; what could make torch read or take memory beyond the file is checked before torch is asked.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rfav_cli.checkpoints.arrays import number_of
from rfav_cli.checkpoints.pickle_names import is_attack
from rfav_cli.checkpoints.plain_values import PARAMETERS, PLAIN, WITH_TYPE, last_element
from rfav_cli.checkpoints.stand_ins import StandIn
from rfav_cli.checkpoints.storages import Storage, storage_kind
from rfav_cli.checkpoints.unpickler import Maker
from rfav_cli.files.sizes import MUCH

if TYPE_CHECKING:
    from collections.abc import Callable


class RunsCodeError(ValueError):
    """A pickle names what only an attack has a use for. It could be read all the same; the user should know.

    Attributes:
        name: what it names, as the file has it.
    """

    def __init__(self, name: str) -> None:
        super().__init__("a name that runs code")
        self.name = name


def meaning(module: str, name: str) -> Any:
    """What a name means: a `Maker`, a `StorageKind`, a type of numbers; None for one that is not known.

    Raises:
        RunsCodeError: only an attack has a use for it.
    """
    if is_attack(module, name):
        raise RunsCodeError(f"{module}.{name}")
    return storage_kind(module, name) or _MEANINGS.get(f"{module}.{name}")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Tensor:
    """`torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`; what would run on a backward pass is left."""
    _, _, *metadata = (*rest, None, None, None)
    return _viewed(storage, offset, size, stride, _checked(storage).dtype, metadata[0])


def _typed_tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> Tensor:
    """`torch._utils._rebuild_tensor_v3`, of types that have no storage of their own."""
    _, _, dtype, *metadata = (*rest, None)
    if not isinstance(dtype, torch.dtype):
        raise TypeError("no type of numbers")
    return _viewed(storage, offset, size, stride, dtype, metadata[0])


def _viewed(storage: Any, offset: Any, size: Any, stride: Any, dtype: torch.dtype, metadata: Any) -> Tensor:
    _check_bounds(_checked(storage), offset, size, stride, dtype)
    empty = torch.empty(0, dtype=dtype)
    if empty.is_quantized:
        raise TypeError("steps without their size")
    tensor = empty.set_(storage.untyped, offset, size, stride)
    if isinstance(metadata, dict):
        tensor = tensor.conj() if metadata.get("conj") is True else tensor
        tensor = torch._neg_view(tensor) if metadata.get("neg") is True else tensor
    return tensor


def _quantized(storage: Any, offset: Any, size: Any, stride: Any, quantizer: Any, *_: Any) -> Tensor:
    """`torch._utils._rebuild_qtensor`."""
    _check_bounds(_checked(storage), offset, size, stride, storage.dtype)
    if not isinstance(quantizer, tuple) or not all(map(_is_of_quantizer, quantizer)):
        raise TypeError("no quantizer")
    typed = torch.storage.TypedStorage(wrap_storage=storage.untyped, dtype=storage.dtype, _internal=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that such storages and such tensors will be removed
        tensor: Tensor = torch._utils._rebuild_qtensor(typed, offset, size, stride, quantizer, False, OrderedDict())
    return tensor


def _is_of_quantizer(value: Any) -> bool:
    flat = isinstance(value, list) and all(type(number) in (int, float) for number in value)
    return flat or type(value) in (int, float) or isinstance(value, Tensor | torch.qscheme)


def _checked(storage: Any) -> Storage:
    if type(storage) is not Storage:
        raise TypeError("no storage")
    return storage


def _check_bounds(storage: Storage, offset: Any, size: Any, stride: Any, dtype: torch.dtype) -> None:
    """Refuse what torch would take more memory for, or read beyond the storage for."""
    last = last_element(offset, size, stride)
    if storage.untyped.data_ptr() % dtype.itemsize:  # processors end the process that reads such complex numbers
        raise ValueError("numbers between the places that numbers of their type have")
    whole, held = prod(size) * dtype.itemsize, storage.untyped.nbytes()
    if whole and (last + 1) * dtype.itemsize > held:
        raise ValueError("a tensor beyond its storage")
    if whole > held + MUCH:  # it can take the same number for many elements
        raise ValueError("a tensor of far more elements than its storage has")


def _same(data: Any, *_: Any) -> Any:
    """A parameter, and a tensor that was on a device without storages: the tensor that it is made from."""
    if not isinstance(data, Tensor):
        raise TypeError("no tensor")
    return data


def _of_type(make: Any, kind: Any, args: Any, *_: Any) -> Any:
    """`torch._tensor._rebuild_from_type_v2`: a tensor of a class of its own becomes a plain one."""
    if type(make) is not Maker or make.make not in _TENSORS or type(args) is not tuple:
        return StandIn("torch._tensor._rebuild_from_type_v2", (make, kind, args))
    return make.make(*args)


def _bytes(*args: Any) -> Any:
    """By which protocol 2 writes no bytes."""
    return StandIn("builtins.bytes", args) if args else b""


def _scalar(dtype: Any, raw: Any = b"", *_: Any) -> int | float | bool | None:
    return number_of(dtype, raw)


_FUNCTIONS: dict[Callable[..., Any], tuple[str, ...]] = {
    _tensor: ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"),
    _typed_tensor: ("torch._utils._rebuild_tensor_v3",),
    _quantized: ("torch._utils._rebuild_qtensor",),
    _same: PARAMETERS,
    _of_type: WITH_TYPE,
    _bytes: ("builtins.bytes", "__builtin__.bytes"),
    _scalar: ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"),
}
_TENSORS = (_tensor, _typed_tensor, _quantized, _same)
_MEANINGS: dict[str, Any] = {
    **{f"torch.{name}": value for name, value in vars(torch).items() if isinstance(value, torch.dtype | torch.qscheme)},
    **{name: Maker(make) for make, names in _FUNCTIONS.items() for name in names},
    **PLAIN,
}
