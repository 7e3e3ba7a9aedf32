"""Keys and values of the positions already evaluated, and the seam of every causal model."""

from __future__ import annotations

from copy import copy
from math import prod
from typing import TYPE_CHECKING, Protocol, Self

import torch

from quant.forward import BLOCK, cache_shapes

if TYPE_CHECKING:
    from torch import Tensor

    from engine.config import DecoderConfig


class Cache(Protocol):
    """What a model keeps of the tokens it has seen."""

    length: int
    """Positions held."""
    capacity: int
    """Positions it has room for."""

    @property
    def position_bytes(self) -> int:
        """Memory that one position takes."""

    @property
    def nbytes(self) -> int:
        """Memory taken, also for positions to come."""

    def truncate(self, length: int) -> None:
        """Keep the first `length` positions."""

    def fork(self, length: int) -> Cache:
        """A copy of the first `length` positions, with the same capacity."""


class CausalLM(Protocol):
    """A model as generation sees it."""

    vocab_size: int
    context_length: int

    def new_cache(self, capacity: int) -> Cache:
        """An empty cache with room for `capacity` positions."""

    def forward(
        self, tokens: Tensor, cache: Cache, last: int = 1, *, yields: bool = False
    ) -> Tensor:
        """Append `tokens` (int64 [n]) to the cache; logits of the `last` ones, 1 ≤ last ≤ n.

        Returns float32 [last, vocab].

        Raises:
            InterruptedPassError: it `yields`, and was interrupted; the cache is as it was.
        """

    def interrupt(self) -> None:
        """End a pass that yields, if one is under way and takes long; from any thread.

        It may also be the next one that ends.
        """


FIRST_ROOM = 512
"""Positions that a cache has memory for at first; it doubles up to the capacity."""


class GrowingCache:
    """Memory for keys and values that doubles with the sequence, along axis 2.

    A gigabyte for contexts that nobody uses would be committed otherwise.
    """

    def __init__(self, keys: Tensor, values: Tensor, unit: int, capacity: int) -> None:
        """Both tensors have no memory yet; an index of their axis 2 holds `unit` positions."""
        self.keys, self.values = keys, values
        self.capacity = capacity
        self.length = 0
        self._unit = unit

    @property
    def position_bytes(self) -> int:
        """Bytes of one position's keys and values in all layers."""
        return (_index_bytes(self.keys) + _index_bytes(self.values)) // self._unit

    @property
    def nbytes(self) -> int:
        """Bytes of `keys` and `values`."""
        return self.keys.nbytes + self.values.nbytes

    def fork(self, length: int) -> Self:
        """A copy of the first `length` positions; it has memory for hardly more at first."""
        self._check(length)
        copied, used = copy(self), -(-length // self._unit)
        copied.keys = self.keys[:, :, :used].clone()
        copied.values = self.values[:, :, :used].clone()
        copied.length = length
        return copied

    def truncate(self, length: int) -> None:
        """Keep the first `length` positions; what lies behind is overwritten later."""
        self._check(length)
        self.length = length

    def reserve(self, rows: int) -> None:
        """Have memory for so many positions behind `length`; once before a forward pass.

        Raises:
            ValueError: They are more than the capacity.
        """
        needed, room = self.length + rows, self.keys.shape[2] * self._unit
        if needed > self.capacity:
            raise ValueError(f"a cache for {self.capacity} positions has no room for {needed}")
        if needed > room:
            room = min(max(needed, 2 * room, FIRST_ROOM), self.capacity)
            self.keys, self.values = self._grown(self.keys, room), self._grown(self.values, room)

    def _check(self, length: int) -> None:
        if not 0 <= length <= self.length:
            raise ValueError(f"a cache holds {self.length} positions, not {length}")

    def _grown(self, held: Tensor, room: int) -> Tensor:
        layers, heads, _, *rest = held.shape
        used = -(-self.length // self._unit)
        grown = held.new_empty(layers, heads, -(-room // self._unit), *rest)
        grown[:, :, :used] = held[:, :, :used]
        return grown


def _index_bytes(held: Tensor) -> int:
    """Bytes of one index of axis 2."""
    layers, heads, _, *rest = held.shape
    return layers * heads * prod(rest) * held.itemsize


class KvCache(GrowingCache):
    """For passes in torch: `keys` and `values` are [layers, kv_heads, room, head_dim]."""

    def __init__(self, config: DecoderConfig, capacity: int, dtype: torch.dtype) -> None:
        empty = torch.empty(config.layers, config.kv_heads, 0, config.head_dim, dtype=dtype)
        super().__init__(empty, empty, 1, capacity)

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store one layer's new rows [kv_heads, n, head_dim] behind `length`.

        Returns all keys and values so far, [kv_heads, length + n, head_dim], as views.
        `length` itself moves once per forward pass, by the model.
        """
        end = self.length + keys.shape[1]
        self.keys[layer, :, self.length : end] = keys
        self.values[layer, :, self.length : end] = values
        return self.keys[layer, :, :end], self.values[layer, :, :end]


class BlockCache(GrowingCache):
    """For passes in C: float16, in blocks of 64 positions; see `quant.forward.cache_shapes`."""

    def __init__(self, config: DecoderConfig, capacity: int) -> None:
        shapes = cache_shapes(config.layers, config.kv_heads, 0, config.head_dim)
        keys, values = (torch.empty(shape, dtype=torch.float16) for shape in shapes)
        super().__init__(keys, values, BLOCK, capacity)
