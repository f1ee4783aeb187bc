"""Names in pickles that become plain values, and shapes of tensors: the same to who reads and to who only looks."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.stand_ins import Name, StandIn
from rfav_cli.checkpoints.unpickler import Maker, safe_key

if TYPE_CHECKING:
    from collections.abc import Callable

_LATIN = ("latin1", "latin-1")
_MOST_AXES = 64


def last_element(offset: Any, size: Any, stride: Any) -> int:
    """The place in its storage of the last element of a tensor, counted in elements; of one that has any.

    Raises:
        TypeError: these are no shape.
        ValueError: they do not belong together.
    """
    for numbers in ((offset,), size, stride):
        if not isinstance(numbers, tuple) or not all(type(n) is int and 0 <= n < 2**63 for n in numbers):
            raise TypeError("no shape of a tensor")
    if len(size) != len(stride) or len(size) > _MOST_AXES:
        raise ValueError("a shape and strides that do not belong together")
    return int(offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)))


def _ordered(items: Any = ()) -> OrderedDict[Any, Any]:
    if type(items) not in (dict, OrderedDict, list, tuple):  # a tensor may have one row without end
        raise TypeError("no pairs")
    pairs = items.items() if isinstance(items, dict) else items
    return OrderedDict((safe_key(key), value) for key, value in pairs)


def _default(*_: Any) -> dict[Any, Any]:
    """`collections.defaultdict`; the function that makes its values is left."""
    return {}


def _size(numbers: Any = ()) -> tuple[Any, ...]:
    """`torch.Size`."""
    return numbers if type(numbers) is tuple else ()


def _encoded(text: Any, encoding: Any = "", *_: Any) -> Any:
    """`_codecs.encode`, by which protocol 2 writes bytes."""
    if type(text) is str and encoding in _LATIN:
        return text.encode("latin-1")
    return StandIn("_codecs.encode", (text, encoding))


def _constructed(kind: Any = None, *args: Any) -> StandIn:
    """`copyreg._reconstructor` and `__newobj__`: what they would call is what the object is of."""
    return StandIn(kind.kind if isinstance(kind, Name | StandIn) else "object", args)


_FUNCTIONS: dict[Callable[..., Any], tuple[str, ...]] = {
    _ordered: ("collections.OrderedDict",),
    _default: ("collections.defaultdict",),
    _size: ("torch.Size",),
    _encoded: ("_codecs.encode",),
    _constructed: ("copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__"),
}
PLAIN = {name: Maker(make) for make, names in _FUNCTIONS.items() for name in names}
"""Name -> what makes its value."""
PARAMETERS = (
    *("torch.nn.parameter.Parameter", "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor",
)
"""Names that give the tensor which they are called with: a parameter, one that was on a device without storages."""
WITH_TYPE = ("torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type")
"""Names that call another one, for a tensor of a class of its own."""
