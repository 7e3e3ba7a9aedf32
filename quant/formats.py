"""The formats in which weights are held: each a way to pack a matrix and to multiply by it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from quant.floats import FloatEmbedding, FloatLinear, bfloat16_embedding, bfloat16_linear
from quant.int4 import Int4Linear
from quant.int6 import Int6Linear
from quant.int8 import Int8Linear
from quant.k_quants import K_QUANTS
from quant.llm_int8 import LlmInt8Linear
from quant.nf4 import nf4_linear
from quant.packed import KERNELS, PackedLinear, RoundedLinear, Rows
from quant.torch_int8 import TorchInt8Embedding, TorchInt8Linear

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gguf import GGMLQuantizationType
    from torch import Tensor, nn

    from quant.k_quants import KQuantLinear


@dataclass(frozen=True, slots=True)
class Format:
    """How the matrices of a model are held in memory."""

    linear: Callable[[Tensor, Tensor | None], nn.Module]
    """(weight [out, in] float32, bias [out] or None) → module, [rows, in] → [rows, out]."""
    embedding: Callable[[Tensor], nn.Module]
    """weight [vocab, hidden] float32 → module, token ids [n] → [n, hidden] float32."""
    bits_per_weight: float
    summary: str
    storable: bool = True
    """Whether its matrices are of `KINDS`."""
    devices: tuple[str, ...] = ("cpu",)
    """Where it may be used, as torch names devices; where it belongs comes first."""
    kept: Mapping[GGMLQuantizationType, type[KQuantLinear]] = field(default_factory=dict)
    """GGUF types whose blocks are held as the file has them. Where there are any, matrices of
    different types are not stacked, so that none takes the bits of another."""


_EXACT = 4e-3
"""Error of packing, relative to a row of weights, that tells a matrix that had no more bits before:
rounding scales to float16 makes 2e-4 to 8e-4 of it, a bit too few 2e-2 and more."""
_TINY = 1e-20
"""Stands in for the norm of a row of zeros."""
_SAMPLE = 32
"""Rows that are tried, from all parts of a matrix: one of several that were stacked may have more
bits than the others."""


def _native(weight: Tensor, bias: Tensor | None) -> RoundedLinear:
    """4 or 6 bits for a matrix that was on such a grid (Q4_0, Q5_0), 8 for others (Q8_0, floats).

    What the makers of a file gave more bits, such as the head, they had reasons to.
    """
    sample = weight[:: max(1, len(weight) // _SAMPLE)].contiguous()
    for kind in (Int4Linear, Int6Linear):
        if _error(kind.of(sample, None).dequantized(), sample) <= _EXACT:
            return kind.of(weight, bias)
    return Int8Linear.of(weight, bias)


def _error(packed: Tensor, weight: Tensor) -> float:
    """Root of the mean square of the rows' relative errors, so that small rows count as well."""
    norms = weight.norm(dim=1).clamp_min(_TINY)
    return float(((packed - weight).norm(dim=1) / norms).square().mean().sqrt())


def rows_of(linear: nn.Module) -> nn.Module | None:
    """An embedding that looks its rows up in `linear`, or None if that cannot give single rows."""
    if isinstance(linear, PackedLinear):
        return Rows(linear)
    return FloatEmbedding(linear.weight) if isinstance(linear, FloatLinear) else None


def _packed(
    linear: Callable[[Tensor, Tensor | None], RoundedLinear], bits: float, summary: str
) -> Format:
    return Format(linear, lambda weight: Rows(linear(weight, None)), bits, summary)


FORMATS: dict[str, Format] = {
    "float32": Format(
        FloatLinear,
        FloatEmbedding,
        32,
        "the reference: nothing is rounded",
        storable=False,
        devices=("cpu", "cuda"),
    ),
    "bfloat16": Format(
        bfloat16_linear,
        bfloat16_embedding,
        16,
        "16-bit floats, GPU or CPU",
        storable=False,
        devices=("cuda", "cpu"),
    ),
    "nf4": Format(
        nf4_linear,
        TorchInt8Embedding,
        4.5,
        "bitsandbytes NF4, GPU or CPU",
        storable=False,
        devices=("cuda", "cpu"),
    ),
    "llm-int8": Format(
        LlmInt8Linear,
        TorchInt8Embedding,
        8,
        "bitsandbytes LLM.int8, GPU",
        storable=False,
        devices=("cuda",),
    ),
    "int8": _packed(Int8Linear.of, 8.5, "8-bit weights and activations, CPU")
    if KERNELS
    else Format(
        TorchInt8Linear, TorchInt8Embedding, 8, "8 bits by torch's kernels, CPU", storable=False
    ),
    "int4": _packed(Int4Linear.of, 5, "4-bit weights, 8-bit activations, CPU"),
}
if KERNELS:
    FORMATS["native"] = replace(
        _packed(_native, 8.5, "the 4 or 6 bits that the file has, else 8, for each matrix, CPU"),
        kept=K_QUANTS,
    )

_ROUNDED: tuple[type[RoundedLinear], ...] = (Int4Linear, Int6Linear, Int8Linear)
KINDS: dict[str, type[PackedLinear]] = {
    kind.__name__: kind for kind in (*_ROUNDED, *K_QUANTS.values())
}
"""The matrices that a store can hold, by the names of their classes."""

PACKING = 3
"""Raised when the same weights are packed to other bytes than before, or the same bytes mean other
weights: what stores hold is then packed again."""
