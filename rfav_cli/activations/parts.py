"""The linear maps within modules of torch that apply several weights at once: attention, and recurrent layers.

They call no module for each, so a hook on the whole says what the maps were given, and their outputs are worked out
again from that, exactly as the module does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Recurrent = nn.LSTM | nn.GRU | nn.RNN

PACKED = "its input is a packed sequence, of which samples have different lengths"
PROJECTED = "its hidden states are projected (proj_size)"
UNBATCHED = "its input has no axis for the batch"


class Part:
    """One linear map within a module: as a layer of its own, with a weight and a bias.

    Args:
        owner: the module.
        key: what the map is called within it.
        weight: gives (D, C) as it is now.
        bias: gives (D,) or None.
        names: of the owner's parameters that these are made of; empty where they are themselves what is learnt.
    """

    def __init__(
        self,
        owner: nn.Module,
        key: str,
        weight: Callable[[], Tensor],
        bias: Callable[[], Tensor | None],
        names: tuple[str, ...] = (),
    ) -> None:
        self.owner, self.key, self._names = owner, key, names
        self._weight, self._bias = weight, bias

    @property
    def weight(self) -> Tensor:
        """(D, C)."""
        return self._weight()

    @property
    def bias(self) -> Tensor | None:
        """(D,) or None."""
        return self._bias()

    def parameters(self) -> Iterator[Tensor]:
        """What is learnt, as an `nn.Module` gives it."""
        yield from (getattr(self.owner, name) for name in self._names)
        if not self._names:
            yield from (tensor for tensor in (self.weight, self.bias) if tensor is not None)


def parts_of(module: nn.Module) -> list[tuple[str, Part]]:
    """The kind and the part of each linear map within a module, in the order of their use; none of most modules."""
    if isinstance(module, nn.MultiheadAttention) and type(module).forward is nn.MultiheadAttention.forward:
        return [("Attention", part) for part in (*(_projection(module, index) for index in range(3)), _out(module))]
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        if isinstance(module, kind) and type(module).forward is kind.forward:
            return [(kind.__name__, _gates(module, suffix)) for suffix in _suffixes(module)]
    return []


def outputs(owner: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Iterator[tuple[str, Any]]:
    """What the parts of a module gave in one forward.

    Args:
        owner: the module.
        args: what it was given.
        kwargs: likewise.
        output: what it returned.

    Yields:
        The key of a part, and its output with its bias, (n, T, D); or a text that says why it has none.
    """
    if isinstance(owner, nn.MultiheadAttention):
        yield from _of_attention(owner, args, kwargs, output)
    elif isinstance(owner, Recurrent):
        yield from _of_recurrent(owner, args, kwargs, output)


def _projection(module: nn.MultiheadAttention, index: int) -> Part:
    """The projection of queries, keys or values: a third of one weight, or a weight of its own."""
    name, rows = "qkv"[index], slice(index * module.embed_dim, (index + 1) * module.embed_dim)

    def weight() -> Tensor:
        together = module.in_proj_weight
        found: Tensor = getattr(module, f"{name}_proj_weight") if together is None else together[rows]
        return found

    return Part(
        module,
        f"{name}_proj",
        weight,
        lambda: None if module.in_proj_bias is None else module.in_proj_bias[rows],
    )


def _out(module: nn.MultiheadAttention) -> Part:
    return Part(module, "out_proj", lambda: module.out_proj.weight, lambda: module.out_proj.bias)


def _of_attention(
    module: nn.MultiheadAttention, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> Iterator[tuple[str, Any]]:
    given = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
    for index, name in enumerate(("query", "key", "value")):
        part = _projection(module, index)
        yield part.key, _batch_first(linear(given[name], part.weight, part.bias), first=module.batch_first)
    yield "out_proj", _batch_first(output[0], first=module.batch_first)


def _batch_first(values: Tensor, *, first: bool) -> Tensor | str:
    """(n, T, D) of what is so, or (T, n, D)."""
    if values.ndim != 3:
        return UNBATCHED
    return values if first else values.transpose(0, 1)


def _suffixes(module: Recurrent) -> list[str]:
    directions = ("", "_reverse") if module.bidirectional else ("",)
    return [f"l{layer}{direction}" for layer in range(module.num_layers) for direction in directions]


def _gates(module: Recurrent, suffix: str) -> Part:
    """All gates of one layer in one direction: of W x + U h the weight is (W, U), beside each other."""

    def weight() -> Tensor:
        return torch.cat([getattr(module, f"weight_{source}_{suffix}") for source in ("ih", "hh")], 1)

    def bias() -> Tensor | None:
        if not module.bias:
            return None
        added: Tensor = getattr(module, f"bias_ih_{suffix}") + getattr(module, f"bias_hh_{suffix}")
        return added

    names = [f"weight_ih_{suffix}", f"weight_hh_{suffix}"]
    names += [f"bias_ih_{suffix}", f"bias_hh_{suffix}"] if module.bias else []
    names += [f"weight_hr_{suffix}"] if module.proj_size else []
    return Part(module, suffix, weight, bias, tuple(names))


def _of_recurrent(
    module: Recurrent, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> Iterator[tuple[str, Any]]:
    """W x + U h of each layer and direction; of all layers but the last the hidden states are computed again."""
    given = dict(zip(("input", "hx"), args, strict=False)) | kwargs
    x, states = given["input"], given.get("hx")
    if module.proj_size or not isinstance(x, Tensor) or x.ndim != 3:
        why = PROJECTED if module.proj_size else UNBATCHED if isinstance(x, Tensor) else PACKED
        yield from ((suffix, why) for suffix in _suffixes(module))
        return
    last = output[0]
    if not module.batch_first:
        x, last = x.transpose(0, 1), last.transpose(0, 1)
    directions = 2 if module.bidirectional else 1
    if states is None:
        zeros = x.new_zeros(module.num_layers * directions, len(x), module.hidden_size)
        states = (zeros, zeros) if isinstance(module, nn.LSTM) else zeros
    hidden = states[0] if isinstance(states, tuple) else states
    for layer in range(module.num_layers):
        rows = slice(layer * directions, (layer + 1) * directions)
        own = tuple(state[rows] for state in states) if isinstance(states, tuple) else states[rows]
        out = last if layer == module.num_layers - 1 else _run_layer(module, layer, x, own)
        halves = out.chunk(directions, 2)
        for direction, (half, start) in enumerate(zip(halves, hidden[rows], strict=True)):
            suffix = f"l{layer}{'_reverse' if direction else ''}"
            before = [half[:, 1:], start[:, None]] if direction else [start[:, None], half[:, :-1]]
            part = _gates(module, suffix)
            yield suffix, linear(torch.cat([x, torch.cat(before, 1)], 2), part.weight, part.bias)
        x = out


def _run_layer(module: Recurrent, layer: int, x: Tensor, states: Any) -> Tensor:
    """The hidden states of one layer, (n, T, directions * H)."""
    each = len(module._flat_weights) // module.num_layers
    weights = module._flat_weights[layer * each : (layer + 1) * each]
    run = getattr(torch, {"LSTM": "lstm", "GRU": "gru"}.get(module.mode, module.mode.lower()))
    result: Tensor = run(x, states, weights, bool(module.bias), 1, 0.0, False, bool(module.bidirectional), True)[0]
    return result
