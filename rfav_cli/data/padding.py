"""Which positions of token ids are padding, where a mask among the inputs says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfav_cli.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from rfav_cli.data.sources.base import Samples

MASKS = {
    "attention_mask": False,
    "padding_mask": True,
    "key_padding_mask": True,
    "src_key_padding_mask": True,
}
"""Names of masks -> what stands in them for padding: as Hugging Face's tokenizers write them, and as torch's attention
takes them. No other name says which of the two is meant."""


@dataclass(frozen=True)
class Padding:
    """What a mask says.

    Attributes:
        name: of the mask.
        places: (N, T) bool, where padding is; None where the mask cannot be one, or nothing is padding.
        note: what the user should be told of a mask that is not used.
    """

    name: str
    places: NDArray[np.bool_] | None
    note: str = ""


def padding_of(inputs: Mapping[str, Samples]) -> Padding | None:
    """The padding of samples; None where no input is a mask, or more than one.

    Args:
        inputs: name -> (N, ...).
    """
    names = [name for name in inputs if name in MASKS]
    if len(names) != 1:
        return None
    name, mask = names[0], inputs[names[0]]
    if mask.ndim != 2 or not bool(((mask == 0) | (mask == 1)).all()):
        return None
    places: NDArray[np.bool_] = (mask == 1) if MASKS[name] else (mask == 0)
    if places.all(axis=1).any():
        sample = int(places.all(axis=1).argmax())
        what = f"{printable(name)} makes padding of all of sample {sample}, so no padding is left out of the figures"
        return Padding(name, None, what)
    return Padding(name, places if places.any() else None)
