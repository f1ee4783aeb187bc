"""The paper's mathematics on one page (arXiv 2002.09237, section 3), as functions that gradients flow through.

N samples, D filters or neurons, K weights a filter. Half precision is computed in float32. Entropies are in nats.
`activations.entropy` computes Eq. 4 without gradients and at speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from rfav_cli.records import Centering

DEGENERATE = 1e-6
"""A filter is degenerate where no weight differs from the centre by more than this part of the largest: a few roundings
of float32."""


def perplexity(entropy: Tensor) -> Tensor:
    """Eq. 2: e^H, the number of filters that an activation is spread over, from 1 to D.

    Args:
        entropy: in nats, any shape.

    Returns:
        The same shape.

    >>> perplexity(torch.tensor([0.0, 1.3863]))
    tensor([1.0000, 4.0000])
    """
    return entropy.exp()


def entropy(activation: Tensor, dim: int) -> Tensor:
    """Eq. 3 and 4: the entropy H of softmax(a) over the filters, at every position.

    H = ln S - T / S, with S = sum e^(a - m), T = sum (a - m) e^(a - m) and m = max a. No term of it is a logarithm of a
    probability, so neither H nor its gradient is NaN where a probability underflows to 0.

    Args:
        activation: D activations along `dim`, any floating type.
        dim: the dimension of the filters.

    Returns:
        The shape of `activation` without `dim`, within [0, ln D].

    >>> entropy(torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 200.0]]), dim=1)
    tensor([1.3863, 0.0000])
    """
    a = _at_least_float32(activation)
    below_maximum = a - a.detach().amax(dim, keepdim=True)
    power = below_maximum.exp()
    total = power.sum(dim)
    return total.log() - (below_maximum * power).sum(dim) / total


def sparsity_penalty(activation: Tensor, dim: int, weight: float) -> Tensor:
    """Eq. 5 for one layer: -lambda times the sum of H over the positions.

    The mean over the samples of the batch is taken, so that the penalty does not depend on the batch size.

    Args:
        activation: (N, ...) with the filters along `dim`.
        dim: the dimension of the filters, not 0.
        weight: lambda of the layer.

    Returns:
        A scalar, to be added to the loss.

    >>> sparsity_penalty(torch.zeros(8, 4, 3, 3), dim=1, weight=0.001)  # 9 positions of ln 4
    tensor(-0.0125)
    """
    return -weight * entropy(activation, dim).sum() / activation.shape[0]


def normalised_filters(filters: Tensor, centering: Centering = "pearson") -> Tensor:
    """The filters centred and brought to length 1, so that Eq. 6 is their matrix of products; degenerate ones are 0.

    Args:
        filters: (..., D, K).
        centering: "pearson" takes each filter's own mean off, "paper" the mean filter as Eq. 6 is printed.

    Returns:
        (..., D, K).

    Raises:
        ValueError: there is no such centering.

    >>> normalised_filters(torch.tensor([[3.0, 3.0], [1.0, 5.0]]))
    tensor([[ 0.0000,  0.0000],
            [-0.7071,  0.7071]])
    """
    if centering not in ("pearson", "paper"):
        raise ValueError(f"centering must be 'pearson' or 'paper', not {centering!r}")
    w = _at_least_float32(filters)
    centre = w.mean(-1 if centering == "pearson" else -2, keepdim=True)
    centred = w - centre
    spread = _largest(centred)
    degenerate = spread <= DEGENERATE * torch.maximum(_largest(w), _largest(centre))
    scaled = centred / torch.where(degenerate, 1.0, spread)  # so that no square overflows or underflows
    length = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    return scaled * torch.where(degenerate, 0.0, 1.0 / torch.where(degenerate, 1.0, length))


def degenerate_filters(filters: Tensor, centering: Centering = "pearson") -> Tensor:
    """Which filters have no correlation, being equal to their centre but for rounding.

    Args:
        filters: (..., D, K).
        centering: see `normalised_filters`.

    Returns:
        (..., D) bool.

    >>> degenerate_filters(torch.tensor([[0.1, 0.1, 0.1], [0.0, 0.0, 0.0], [1.0, 2.0, 4.0]]))
    tensor([ True,  True, False])
    """
    return (normalised_filters(filters, centering) == 0).all(-1)


def correlation_matrix(filters: Tensor, centering: Centering = "pearson") -> Tensor:
    """Eq. 6: the correlation coefficients of all pairs of filters.

    Args:
        filters: (..., D, K).
        centering: "pearson" as in `numpy.corrcoef`, or "paper" as printed, where any two filters give -1.

    Returns:
        (..., D, D) within [-1, 1]; 0 in the rows and columns of degenerate filters, NaN in those of filters that are
        not finite (with "paper" in all, since the mean filter is not finite either).

    >>> correlation_matrix(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [5.0, 5.0, 5.0]]))
    tensor([[ 1.0000, -1.0000,  0.0000],
            [-1.0000,  1.0000,  0.0000],
            [ 0.0000,  0.0000,  0.0000]])
    """
    unit = normalised_filters(filters, centering)
    return (unit @ unit.mT).clamp(-1.0, 1.0)


def decorrelation_penalty(filters: Tensor, squared: bool = True, centering: Centering = "pearson") -> Tensor:
    """Eq. 7 for one layer, without kappa: the sum over the pairs d < e of the squares of their correlations.

    As printed it is the sum of the correlations, which is at its least, -D / 2, where each filter has one that is its
    opposite: just as redundant. Squares are 0 where no two filters are correlated, and nowhere else.

    Args:
        filters: (..., D, K); the sums of the groups of a grouped layer are added up.
        squared: sum the squares; False for the signed sum, as printed.
        centering: see `correlation_matrix`.

    Returns:
        A scalar, to be multiplied with kappa and added to the loss.

    >>> decorrelation_penalty(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]))
    tensor(3.0000)
    >>> decorrelation_penalty(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]), squared=False)
    tensor(-1.0000)
    """
    pairs = correlation_matrix(filters, centering).triu(1)
    return (pairs.square() if squared else pairs).sum()


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _largest(tensor: Tensor) -> Tensor:
    """The largest absolute value of each row, (..., 1), as a constant."""
    largest: Tensor = torch.linalg.vector_norm(tensor.detach(), torch.inf, dim=-1, keepdim=True)
    return largest
