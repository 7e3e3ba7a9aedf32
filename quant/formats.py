"""The formats in which weights are held: each a way to pack a matrix and to multiply by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quant.floats import FloatEmbedding, FloatLinear
from quant.int4 import KERNELS, Int4Linear, pack, unpack
from quant.int8 import Int8Embedding, Int8Linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Format:
    """How the matrices of a model are held in memory."""

    linear: Callable[[Tensor, Tensor | None], nn.Module]
    """(weight [out, in] float32, bias [out] or None) → module, [rows, in] → [rows, out]."""
    embedding: Callable[[Tensor], nn.Module]
    """weight [vocab, hidden] float32 → module, token ids [n] → [n, hidden] float32."""
    bits_per_weight: float
    summary: str


_EXACT = 1e-3
"""Error of 4 bits, relative to the weights, that tells a matrix that had no more before: rounding
scales to float16 makes a third of it, taking 6 bits to 4 a hundred times as much."""


def _linear_4_or_8(weight: Tensor, bias: Tensor | None) -> nn.Module:
    """4 bits for a matrix that was on a 4-bit grid, 8 for one that had more (Q6_K, Q8_0, floats).

    What the makers of a file gave more bits, such as the head, they had reasons to.
    """
    sample = weight[:: max(1, len(weight) // 64)]
    off = unpack(pack(sample), *sample.shape).sub_(sample).norm()
    lossless = bool(off <= _EXACT * sample.norm())
    return Int4Linear(weight, bias) if lossless else Int8Linear(weight, bias)


FORMATS = {
    "float32": Format(FloatLinear, FloatEmbedding, 32, "the reference: nothing is rounded"),
    "int8": Format(Int8Linear, Int8Embedding, 8, "8-bit weights and activations, CPU"),
    "int4": Format(Int4Linear, Int8Embedding, 5, "4-bit weights, 8-bit activations, CPU"),
    "int4-int8": Format(
        _linear_4_or_8, Int8Embedding, 8, "4 bits where the file has no more, else 8, CPU"
    ),
}

DEFAULT_FORMAT = "int4-int8" if KERNELS else "int8"
"""What a CPU holds a model in: nearer to float32 than int8 and quicker, given our kernels; without
them 4 bits would be unpacked at every use."""
