"""What the names in pickles are good for: those that make plain data, those that only an attack needs, and others.

Nothing that rfav makes rests on these lists: it calls nothing that a pickle names. They say what happens to those who
load the same file with `pickle` or `torch.load(weights_only=False)`.
"""

from __future__ import annotations

import sys
from typing import Literal

Judgement = Literal["harmless", "foreign", "runs code"]

_ATTACKS = (
    *("os", "posix", "nt", "sys", "subprocess", "pty", "shutil", "socket", "importlib", "runpy", "ctypes"),
    "webbrowser",
)
"""Packages that objects beside weights are not of: a file that names one is refused aloud. Nothing rests on this."""
_ATTACKS_OF_BUILTINS = ("eval", "exec", "execfile", "compile", "open", "__import__", "breakpoint", "input")
_BUILTINS = ("builtins", "__builtin__")
_PYTHON_2 = frozenset({"__builtin__", "commands", "copy_reg", "cPickle", "exceptions", "popen2", "urllib2", "UserDict"})
"""Modules of Python's own library that only older ones had."""

_HARMLESS = {
    "builtins": (
        *("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "range"),
        *("set", "slice", "str", "tuple", "long", "unicode", "basestring", "xrange", "Ellipsis", "NotImplemented"),
    ),
    "_codecs": ("encode",),
    "_io": ("BytesIO", "StringIO"),
    "argparse": ("Namespace",),
    "array": ("array", "_array_reconstructor"),
    "collections": ("OrderedDict", "defaultdict", "deque", "Counter", "ChainMap"),
    "copyreg": ("_reconstructor", "__newobj__", "__newobj_ex__"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "functools": ("partial",),
    "itertools": ("chain", "count", "cycle", "repeat"),
    "logging": ("getLogger",),
    "pathlib": ("Path", "PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "pathlib._local": ("Path", "PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "random": ("Random",),
    "types": ("SimpleNamespace",),
    "uuid": ("UUID",),
    "numpy": ("dtype", "ndarray", "matrix"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy.core.numeric": ("_frombuffer",),
    "numpy._core.numeric": ("_frombuffer",),
    "numpy.ma.core": ("_mareconstruct",),
    "numpy.random._pickle": ("__bit_generator_ctor", "__generator_ctor", "__randomstate_ctor"),
    "torch": ("Generator", "Size", "Tensor", "device"),
    "torch._tensor": ("_rebuild_from_type", "_rebuild_from_type_v2"),
    "torch.nn.parameter": ("Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"),
    "torch.serialization": ("_get_layout",),
    "torch.storage": ("TypedStorage", "UntypedStorage", "_load_from_bytes"),
}
"""Module -> what of it makes numbers, text, containers, arrays and tensors, and does nothing else.

`torch.storage._load_from_bytes` unpickles what it is given, which is looked through as well."""
_HARMLESS_BEGINNINGS = (
    "torch._utils._rebuild_",
    "torch.jit._pickle.",
    "numpy.random.bit_generator.__pyx_unpickle_",
    "torch.distributed.checkpoint.metadata.",
)
_PLAIN_TYPES = frozenset({"typing", "collections.abc", "numpy.dtypes"})
_RENAMED = {"__builtin__": "builtins", "exceptions": "builtins", "copy_reg": "copyreg", "io": "_io"}


def is_attack(module: str, name: str) -> bool:
    """Whether only an attack has a use for a name: a file that has it is refused."""
    package = module.partition(".")[0]
    return package in _ATTACKS or (package in _BUILTINS and name in _ATTACKS_OF_BUILTINS)


def judge(module: str, name: str, called: bool) -> Judgement:
    """What loading a pickle in Python's own way does with a name.

    Args:
        module: as the pickle has it.
        name: likewise; it may have dots, which Python follows.
        called: whether the pickle calls it, or changes it; a name alone imports its module.

    Returns:
        "harmless": it makes plain data; "foreign": it is an object of some class; "runs code": of an attack's, of
        Python's own library and none that makes data, or a function of any other package that is called.
    """
    module = _RENAMED.get(module, module)
    parts = name.split(".")
    if is_attack(module, name) or any(part in _ATTACKS or part.startswith("__") for part in parts[:-1]):
        return "runs code"
    if name in _HARMLESS.get(module, ()) or f"{module}.{name}".startswith(_HARMLESS_BEGINNINGS):
        return "harmless"
    if module in _PLAIN_TYPES or _is_plain(module, name, called):
        return "harmless"
    package = module.partition(".")[0]
    if package in _PYTHON_2 or package in sys.stdlib_module_names:
        return "runs code"
    return "runs code" if called and not _is_class(parts[-1]) else "foreign"


def _is_plain(module: str, name: str, called: bool) -> bool:
    """Whether a name is a type of numbers, of a storage or of an error, or a class in a program of torch."""
    if module.partition(".")[0] == "__torch__":
        return True
    if module == "builtins":
        return (name in ("type", "getattr") and not called) or name.endswith(("Error", "Exception", "Warning"))
    if module == "torch" or module.startswith("torch.cuda"):
        return name.endswith("Storage") or (
            not called and module == "torch" and "." not in name and name.isidentifier()
        )
    return module == "numpy" and not called and "." not in name


def _is_class(name: str) -> bool:
    """Whether a name is written as classes are: `_Net` and `Net`, not `make_net`."""
    return name.lstrip("_")[:1].isupper()
