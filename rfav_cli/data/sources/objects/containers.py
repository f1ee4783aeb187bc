"""What holds several sets of samples: a dict of splits, the sets that a function returns together, a data module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader, Dataset

from rfav_cli.data.roots import role
from rfav_cli.errors import RfavError, SampleError
from rfav_cli.text import named, printable

if TYPE_CHECKING:
    from rfav_cli.data.sources.objects.rows import Given

TRAINING = ("--data", "--train-probe")
"""Options that take samples that a net is trained on."""


def one_of(value: Any, given: Given, keys: tuple[int | str, ...] = ()) -> tuple[Any, str]:
    """The set of samples out of what holds several, and what to say of it.

    Args:
        value: anything; what holds no sets is given back.
        given: the option says whether held-out samples are meant.
        keys: of the entry that the user named.

    Raises:
        SampleError: there is no such entry, or none that is known to be meant.
    """
    for key in keys:
        value = _entry(value, key, given)
    if keys:
        return value, ""
    if hasattr(value, "val_dataloader") and hasattr(value, "train_dataloader"):
        return _of_module(value, given)
    if isinstance(value, Mapping) and value and all(map(is_set, value.values())):
        return _by_role(value, given)
    if isinstance(value, (list, tuple)) and len(value) > 1 and all(map(is_set, value)):
        kinds = ", ".join(printable(type(entry).__name__) for entry in value[:4])
        raise SampleError(
            f"{given}: {len(value)} sets of samples ({kinds}), and which is meant is not known",
            f"Name one of them: '{printable(given.name)}[1]' is the second.",
        )
    return value, ""


def is_set(entry: Any) -> bool:
    """Whether an object is a set of samples: one of torch, or a table of Hugging Face's."""
    return isinstance(entry, (DataLoader, Dataset)) or hasattr(entry, "column_names")


def _entry(value: Any, key: int | str, given: Given) -> Any:
    try:
        return value[key]
    except (KeyError, IndexError, TypeError) as error:
        raise SampleError(
            f"{given}: no entry {printable(key)} in a {printable(type(value).__name__)}", "Name an entry that it has."
        ) from error


def _by_role(value: Mapping[Any, Any], given: Given) -> tuple[Any, str]:
    wanted = ("training",) if given.option in TRAINING else ("validation", "test")
    for purpose in wanted:
        names = [name for name in value if role(str(name)) == purpose]
        if len(names) == 1:
            others = ", ".join(printable(name, 40) for name in value if name != names[0])
            return value[names[0]], f"{given}: {printable(names[0])} was taken, of {printable(names[0])}, {others}"
    listed = ", ".join(repr(name) for name in value)
    first = next(iter(value))
    raise SampleError(
        f"{given}: which of {printable(listed)} is meant is not known",
        f'Name one of them, as in "{printable(given.name)}[{printable(repr(first))}]".',
    )


def _of_module(module: Any, given: Given) -> tuple[Any, str]:
    """The loader of a data module of Lightning's, made as its Trainer makes it."""
    training = given.option in TRAINING
    try:
        for step, arguments in (("prepare_data", ()), ("setup", ("fit",))):
            if hasattr(module, step):
                getattr(module, step)(*arguments)
        loader = module.train_dataloader() if training else module.val_dataloader()
    except RfavError:
        raise
    except Exception as error:
        raise SampleError(
            f"{given}: making its loader raised {named(error, part='all')}", "Put that right in your code."
        ) from error
    if isinstance(loader, (list, tuple)) and len(loader) == 1:
        loader = loader[0]
    return loader, f"{given}: its {'train' if training else 'val'}_dataloader was taken"
