"""Slow, obvious twins of what the package computes at speed: float64, one definition after the other."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

MEASURED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)


def entropy(activation: np.ndarray) -> np.ndarray:
    """Eq. 3 and 4 as printed, over the last axis."""
    power = np.exp(activation - activation.max(-1, keepdims=True))
    p = power / power.sum(-1, keepdims=True)
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)


def activations(net: nn.Module, samples: torch.Tensor, *, with_bias: bool = False) -> dict[str, list[np.ndarray]]:
    """Every use of every layer, by name: (N, *positions, D) float64."""
    net = copy.deepcopy(net).double().eval()
    found: dict[str, list[np.ndarray]] = {}
    for name, module in net.named_modules():
        if isinstance(module, MEASURED):

            def keep(module, _inputs, output, name=name):
                values = output if isinstance(module, nn.Linear) else output.movedim(1, -1)
                if module.bias is not None and not with_bias:
                    values = values - module.bias
                found.setdefault(name, []).append(values.detach().numpy().copy())

            module.register_forward_hook(keep)
    with torch.no_grad():
        net(samples.double())
    return found


def filters(module: nn.Module) -> list[np.ndarray]:
    """The filters of each group of a layer, a row each."""
    weight = module.weight.detach().double()
    groups = getattr(module, "groups", 1)
    rows = []
    for group in weight.chunk(groups):
        if "Transpose" in type(module).__name__:
            group = group.transpose(0, 1)
        rows.append(group.reshape(len(group), -1).numpy())
    return rows


def correlations(groups: list[np.ndarray]) -> np.ndarray:
    """Eq. 6 for every pair of filters of a group, d < e."""
    return np.concatenate([np.corrcoef(rows)[np.tril_indices(len(rows), -1)] for rows in groups])


def figures(net: nn.Module, samples: torch.Tensor, *, with_bias: bool = False) -> dict[str, dict[str, np.ndarray]]:
    """All figures of every layer, by its name and the name of their column."""
    modules = dict(net.named_modules())
    result = {}
    for name, uses in activations(net, samples, with_bias=with_bias).items():
        maps = [entropy(use) for use in uses]
        pooled = np.concatenate([each.reshape(len(samples), -1) for each in maps], axis=1)
        pairs = correlations(filters(modules[name]))
        result[name] = {
            "entropy/mean": pooled.mean(),
            "entropy/std": pooled.std(),
            "entropy/sample_mean": pooled.mean(1),
            "mean_map": np.mean(maps, axis=0).mean(0),
            "map": np.mean(maps, axis=0),
            "correlation/mean": pairs.mean(),
            "correlation/abs_mean": np.abs(pairs).mean(),
            "correlation/histogram": np.histogram(np.round(pairs, 2), bins=np.arange(-100.5, 101) / 100)[0],
        }
    return result


def dead(activation: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> float:
    """The share of filters, on the last axis, of which a function makes zero everywhere: one filter after the other."""
    given = [function(activation[..., index].ravel()) for index in range(activation.shape[-1])]
    return float(np.mean([all(value == 0 for value in values) for values in given]))


def scale_shape_rank(
    vectors: np.ndarray, function: Callable[[np.ndarray], np.ndarray] | None
) -> tuple[float, float, float]:
    """Scale, entropy at unit scale and effective rank of vectors (M, D), with the function after them if known."""
    vectors = np.array([vector for vector in vectors.astype(np.float64) if np.isfinite(vector).all()])
    if not len(vectors):
        return np.nan, np.nan, np.nan
    filters = list(vectors.T)
    sizes = [np.sqrt(np.mean(filter_**2)) for filter_ in filters]
    made = filters if function is None else [function(filter_) for filter_ in filters]
    live = [d for d in range(len(filters)) if sizes[d] > 0 and any(made[d] != 0)]
    unit = np.array([filters[d] / sizes[d] if d in live else 0 * filters[d] for d in range(len(filters))]).T
    shape = entropy(unit).mean() if live and len(filters) > 1 else np.nan
    sized = [size for size in sizes if size > 0]
    scale = np.prod(sized) ** (1 / len(sized)) if sized else np.nan
    varying = [made[d] for d in live if np.ptp(made[d]) > 1e-6 * np.abs(made[d]).max()]
    eigenvalues = np.linalg.eigvalsh(np.atleast_2d(np.corrcoef(varying))) if varying else np.array([])
    shares = [value / eigenvalues.sum() for value in eigenvalues if value > 1e-12]
    rank = np.exp(-sum(share * np.log(share) for share in shares)) if varying else 0.0
    return float(scale), float(shape), np.nan if function is None else float(rank)


def winners(activation: np.ndarray) -> np.ndarray:
    """The share of positions at which each filter, on the last axis, is the first of the largest, one by one."""
    counts = np.zeros(activation.shape[-1])
    for position in activation.reshape(-1, activation.shape[-1]).tolist():
        largest = max(position) if not np.isnan(position).any() else np.nan
        if np.isfinite(largest):
            counts[position.index(largest)] += 1
    return counts / counts.sum() if counts.sum() else np.full(len(counts), np.nan)
