"""Keys and values of the positions already evaluated, and the seam of every causal model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from engine.config import DecoderConfig


class Cache(Protocol):
    """What a model keeps of the tokens it has seen."""

    length: int
    """Positions held."""
    capacity: int
    """Positions it has room for."""

    def truncate(self, length: int) -> None:
        """Keep the first `length` positions."""


class CausalLM(Protocol):
    """A model as generation sees it."""

    vocab_size: int
    context_length: int

    def new_cache(self, capacity: int) -> Cache:
        """An empty cache with room for `capacity` positions."""

    def forward(self, tokens: Tensor, cache: Cache, last: int = 1) -> Tensor:
        """Append `tokens` (int64 [n]) to the cache; logits of the `last` ones, 1 ≤ last ≤ n.

        Returns float32 [last, vocab].
        """


FIRST_ROOM = 256
"""Positions that a cache has memory for at first; it doubles up to the capacity."""


class KvCache:
    """Keys and values of one sequence.

    Each of `keys` and `values` is [layers, kv_heads, room, head_dim], where `room` grows with
    the sequence: a gigabyte for contexts that nobody uses would be committed otherwise.
    """

    def __init__(self, config: DecoderConfig, capacity: int, dtype: torch.dtype) -> None:
        self._shape = (config.layers, config.kv_heads, 0, config.head_dim)
        self.keys = torch.empty(self._shape, dtype=dtype)
        self.values = torch.empty(self._shape, dtype=dtype)
        self.capacity = capacity
        self.length = 0

    def truncate(self, length: int) -> None:
        """Keep the first `length` positions; what lies behind is overwritten later."""
        assert 0 <= length <= self.length
        self.length = length

    def reserve(self, rows: int) -> None:
        """Have memory for so many positions behind `length`; once before a forward pass."""
        needed, room = self.length + rows, self.keys.shape[2]
        assert needed <= self.capacity
        if needed > room:
            room = min(max(needed, 2 * room, FIRST_ROOM), self.capacity)
            self.keys, self.values = self._grown(self.keys, room), self._grown(self.values, room)

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store one layer's new rows [kv_heads, n, head_dim] behind `length`.

        Returns all keys and values so far, [kv_heads, length + n, head_dim], as views.
        `length` itself moves once per forward pass, by the model.
        """
        end = self.length + keys.shape[1]
        self.keys[layer, :, self.length : end] = keys
        self.values[layer, :, self.length : end] = values
        return self.keys[layer, :, :end], self.values[layer, :, :end]

    def _grown(self, held: Tensor, room: int) -> Tensor:
        layers, heads, _, size = self._shape
        grown = held.new_empty(layers, heads, room, size)
        grown[:, :, : self.length] = held[:, :, : self.length]
        return grown
