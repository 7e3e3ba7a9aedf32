"""The formats in which weights are held: each a way to pack a matrix and to multiply by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quant.floats import FloatEmbedding, FloatLinear
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


FORMATS = {
    "float32": Format(FloatLinear, FloatEmbedding, 32, "the reference: nothing is rounded"),
    "int8": Format(Int8Linear, Int8Embedding, 8, "8-bit weights and activations, CPU"),
}
