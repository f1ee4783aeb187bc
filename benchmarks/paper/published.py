"""What the paper (arXiv 2002.09237) says of its trainings, figure by figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE_2_COLUMNS = (
    ("cifar-100", "s", "sgd"),
    ("cifar-100", "m", "sgd"),
    ("cifar-100", "xxl", "sgd"),
    ("cifar-100", "xxl", "adam"),
    ("cifar-10", "xxl", "sgd"),
    ("tiny-imagenet", "xxl", "sgd"),
)
"""Data set, size and optimizer. Of the Adam column section 4.2 says that it is of cifar-100."""

TABLE_2: Mapping[str, tuple[float, ...]] = {
    "vanillaNet": (0.3486, 0.3603, 0.3656, 0.3843, 0.6964, 0.2198),
    "dropNet": (0.2505, 0.4708, 0.4202, 0.4507, 0.7862, 0.2446),
    "normNet": (0.3626, 0.4302, 0.5059, 0.5292, 0.7900, 0.2661),
    "sr1Net": (0.2663, 0.4917, 0.5325, 0.3960, 0.8079, 0.2714),
    "sr2Net": (0.3460, 0.5023, 0.5387, 0.4025, 0.8042, 0.3123),
    "sr3Net": (0.3781, 0.5219, 0.5423, 0.4079, 0.8040, 0.3052),
}
"""Best accuracy during 100 epochs, one a column of `TABLE_2_COLUMNS`."""

TABLE_3: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "cifar-10": {"LeNet": (0.6006, 0.6101), "AlexNet": (0.6987, 0.7509)},
    "cifar-100": {"LeNet": (0.2977, 0.3027), "AlexNet": (0.3842, 0.4682)},
    "tiny-imagenet": {"LeNet": (0.1267, 0.1345), "AlexNet": (0.2978, 0.3739)},
}
"""Data set -> net -> accuracy without and with sparsity regularisation."""

OVERFITS_FROM: Mapping[str, int | None] = {
    "vanillaNet": 8,
    "dropNet": 30,
    "normNet": 20,
    "sr1Net": None,
    "sr2Net": None,
    "sr3Net": None,
}
"""The epoch from which the loss of the xxl nets rises on cifar-100, "around" it for the second and third (section 4.1);
None where it does not within 200 epochs (section 4.2)."""

FIGURE_6_BEST = 0.5513
"""Best accuracy in 200 epochs, of sr3Net-xxl on cifar-100 (section 4.2)."""


def best_accuracy(net: str, column: tuple[str, str, str]) -> float:
    """A cell of Table 2.

    Args:
        net: the name of the row.
        column: one of `TABLE_2_COLUMNS`.
    """
    return TABLE_2[net][TABLE_2_COLUMNS.index(column)]
