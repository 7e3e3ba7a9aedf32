"""8-bit weights and activations by torch's CPU kernels, for where ours could not be built.

Weights are rounded once, symmetrically, with one scale an output channel. Activations are
rounded on the fly with one scale a row: the kernel takes one scale for a whole tensor, so each
row is divided by its largest magnitude before it and multiplied back after. Row-wise scaling is
that of LLM.int8 (arXiv 2208.07339), without its outlier columns. One scale for all rows costs ten
times the KL divergence on Qwen2.5-Coder, whose outliers are a few rows, and makes a row's result
depend on its neighbours, so that a cached prefix would not equal a fresh one.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

WEIGHT_MAX = 63
"""AVX2 adds two products of an unsigned byte and a weight in 16 bits: 2 · 255 · 63 fits there,
2 · 255 · 127 would saturate without a word."""
_STEP, _ZERO = 1 / 127, 128
"""Activations between -1 and 1 as unsigned bytes."""
_TINY = 1e-8
"""Stands in for the scale of a row of zeros."""


_matmul = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
"""Rounds float32 rows with a given scale and zero point, multiplies, returns float32."""


class TorchInt8Linear(nn.Module):
    """x [rows, in] float32 → x · weightᵀ + bias [rows, out] float32."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Pack `weight` [out, in] float32; `bias` [out] stays float32."""
        super().__init__()
        self.packed = torch.ops.quantized.linear_prepack(_rounded(weight), None)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """One integer matmul between a division and a multiplication of the rows."""
        largest = x.abs().amax(dim=1, keepdim=True).clamp_min_(_TINY)
        y: Tensor = _matmul(x / largest, _STEP, _ZERO, self.packed).mul_(largest)
        return y if self.bias is None else y.add_(self.bias)

    def dequantized(self) -> Tensor:
        """The weights that are multiplied by, [out, in] float32: the reference path's operand."""
        weight: Tensor = torch.ops.quantized.linear_unpack(self.packed)[0]
        return weight.dequantize()


def _rounded(weight: Tensor) -> Tensor:
    """`weight` with one scale a row, as torch's quantized tensor."""
    scales = weight.abs().amax(dim=1).clamp_min_(_TINY) / WEIGHT_MAX
    numbers = (weight / scales[:, None]).round_().to(torch.int8)
    zeros = torch.zeros(len(scales), dtype=torch.long)
    with warnings.catch_warnings():
        # torch announces the end of this tensor type; its release is pinned in pyproject.toml
        warnings.filterwarnings("ignore", message=".*deprecated", category=UserWarning)
        # torch.quantize_per_channel would do the rounding too, on one thread
        return torch._make_per_channel_quantized_tensor(numbers, scales.double(), zeros, 0)


class TorchInt8Embedding(nn.Module):
    """Token ids [n] → rows [n, hidden] float32, kept as bytes with one scale a row."""

    def __init__(self, weight: Tensor) -> None:
        """Pack `weight` [vocab, hidden] float32."""
        super().__init__()
        self.scales = weight.abs().amax(dim=1, keepdim=True).clamp_min_(_TINY) / 127
        self.rows = (weight / self.scales).round_().to(torch.int8)

    def forward(self, tokens: Tensor) -> Tensor:
        """Look the rows up and scale them."""
        return self.rows[tokens] * self.scales[tokens]
