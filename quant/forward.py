"""A decoder's whole forward pass as one call of our C, over matrices that its kernels know.

What it computes is what the modules of such a decoder compute in torch, which is its oracle. Keys
and values are float16, in blocks of 64 positions: see `cache_shapes`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeGuard

import torch
from torch import nn

from quant.addresses import address
from quant.packed import KERNELS, PackedLinear, StackedLinear

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

if KERNELS:
    from quant import _kernels

_MOST_PARTS, _MATRIX_WORDS = 3, 5
"""Of a stack, as quant/kernels/forward_module.c reads them."""
BLOCK = 64
"""Positions whose keys lie together."""
HEAD_STEP = 64
"""A value's elements are stored in a multiple of so many."""


Matrices = PackedLinear | StackedLinear


class NormWeights(Protocol):
    """RMSNorm's, or with a bias LayerNorm's; float32 [hidden] each."""

    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One block of a decoder. `up` is gate and up stacked, or for GELU up alone."""

    attention_norm: NormWeights
    mlp_norm: NormWeights
    qkv: Matrices
    out: Matrices
    up: Matrices
    down: Matrices


@dataclass(frozen=True, slots=True)
class Shape:
    """What the matrices do not say."""

    heads: int
    kv_heads: int
    head_dim: int
    eps: float
    rope_scale: float
    """Positions are divided by it."""
    rope_gain: float = 1.0
    """Cosines and sines are multiplied by it."""


def is_packed(module: nn.Module) -> TypeGuard[Matrices]:
    """Whether the forward pass in C can multiply by it."""
    parts = module.parts if isinstance(module, StackedLinear) else [module]
    return bool(KERNELS) and all(
        isinstance(part, PackedLinear) and part.packed.device.type == "cpu" for part in parts
    )


def cache_shapes(
    layers: int, kv_heads: int, blocks: int, head_dim: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of a cache's keys, [layers, kv_heads, blocks, head_dim, 64], and of its values.

    Those are [layers, kv_heads, blocks, 64, head_dim], head_dim rounded up to a multiple of 64. One
    query meets the 64 keys of a block at once.
    """
    padded = -(-head_dim // HEAD_STEP) * HEAD_STEP
    shape = (layers, kv_heads, blocks)
    return (*shape, head_dim, BLOCK), (*shape, BLOCK, padded)


class InterruptedPassError(Exception):
    """A forward pass was ended by another thread; nothing that it wrote is of use."""


class ForwardPass:
    """Decoders of the Llama, Qwen2 and StarCoder2 families. Not for two threads at a time."""

    def __init__(
        self,
        shape: Shape,
        frequency: Tensor,
        layers: Sequence[Layer],
        norm: NormWeights,
        head: Matrices,
    ) -> None:
        """`frequency` float32 [head_dim / 2] is the rotary embedding's.

        Raises:
            ValueError: The weights do not fit each other or `shape`.
        """
        self.kernel = KERNELS[0]
        self._layers, self._vocabulary = len(layers), head.out
        self._shape, self._hidden = shape, len(norm.weight)
        self._kept: list[Tensor] = []
        self._given_up = array("i", [0])
        sizes = (self._hidden, shape.heads, shape.kv_heads, shape.head_dim, len(layers))
        if min(sizes) < 1 or shape.heads % shape.kv_heads or shape.head_dim % 2:
            raise ValueError(f"there is no decoder of the sizes {sizes}")
        words = array("Q", [*sizes, self._address(frequency, shape.head_dim // 2)])
        for layer in layers:
            words.extend(self._layer(layer))
        words.extend(self._norm(norm))
        words.extend(self._stack(head, self._hidden, head.out))
        self._model = _kernels.model(words, shape.eps, shape.rope_scale, shape.rope_gain)

    def interrupt(self) -> None:
        """End the pass under way, or else the next one, if it yields; from any thread."""
        self._given_up[0] = 1

    def __call__(
        self, x: Tensor, past: int, keys: Tensor, values: Tensor, last: int, *, yields: bool = False
    ) -> Tensor:
        """Append embedded rows x [n, hidden] float32, which it overwrites, to `past` positions.

        `keys` and `values`, which have room for them, are float16 of `cache_shapes`.
        Returns logits float32 [last, vocabulary].

        Raises:
            InterruptedPassError: it `yields` to `interrupt`, and that was called.
            ValueError: The rows or the cache are of another size, or there is no room.
        """
        shape, rows, blocks = self._shape, len(x), keys.shape[2]
        if past < 0 or not 0 < last <= rows <= blocks * BLOCK - past:
            raise ValueError(f"no pass of {rows} rows, {last} of them last, at {past} positions")
        x, logits = x.contiguous(), torch.empty(last, self._vocabulary)
        shapes = cache_shapes(self._layers, shape.kv_heads, blocks, shape.head_dim)
        whole = _kernels.forward(
            self._model,
            self.kernel,
            address(x, torch.float32, rows, self._hidden),
            logits.data_ptr(),
            rows,
            past,
            last,
            address(keys, torch.float16, *shapes[0]),
            address(values, torch.float16, *shapes[1]),
            blocks,
            self._given_up.buffer_info()[0] if yields else 0,
            torch.get_num_threads(),
        )
        if not whole:
            self._given_up[0] = 0
            raise InterruptedPassError
        return logits

    def _layer(self, layer: Layer) -> Iterator[int]:
        shape, hidden = self._shape, self._hidden
        queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        inner = _parts(layer.down)[0].columns
        if layer.up.out not in (inner, 2 * inner):
            raise ValueError(f"{layer.up.out} outputs of an MLP do not fit {inner} inputs")
        yield from self._norm(layer.attention_norm)
        yield from self._norm(layer.mlp_norm)
        yield from self._stack(layer.qkv, hidden, queries + 2 * keys)
        yield from self._stack(layer.out, queries, hidden)
        yield from self._stack(layer.up, hidden, layer.up.out)
        yield from self._stack(layer.down, inner, hidden)

    def _norm(self, norm: NormWeights) -> Iterator[int]:
        yield self._address(norm.weight, self._hidden)
        yield 0 if norm.bias is None else self._address(norm.bias, self._hidden)

    def _stack(self, module: Matrices, columns: int, out: int) -> Iterator[int]:
        parts = _parts(module)
        if {part.columns for part in parts} != {columns} or sum(p.out for p in parts) != out:
            raise ValueError(f"a matrix is not of {out} outputs and {columns} inputs")
        for part in parts:
            yield from self._matrix(part)
        yield from (0,) * (_MATRIX_WORDS * (_MOST_PARTS - len(parts)))

    def _matrix(self, matrix: PackedLinear) -> Iterator[int]:
        packed, bias = matrix.addresses()
        self._kept += [each for each in (matrix.packed, matrix.bias) if each is not None]
        yield from (matrix.kind, packed, bias, matrix.columns, matrix.out)

    def _address(self, tensor: Tensor, size: int) -> int:
        self._kept.append(tensor)
        return address(tensor, torch.float32, size)


def _parts(module: Matrices) -> list[PackedLinear]:
    """Return the matrices of a stack; one that is none is its only one."""
    parts = [*module.parts] if isinstance(module, StackedLinear) else [module]
    found = [part for part in parts if isinstance(part, PackedLinear)]
    if not 0 < len(found) == len(parts) <= _MOST_PARTS:
        raise ValueError(f"the kernels do not know a stack of {parts}")
    return found
