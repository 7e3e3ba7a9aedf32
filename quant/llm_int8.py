"""LLM.int8 by bitsandbytes, for CUDA: 8-bit rows times 8-bit columns, outliers apart.

arXiv 2208.07339: activations get a scale a row and weights one an output channel; inputs in which
any row has a magnitude above 6 are multiplied in half precision instead. Which inputs these are
depends on all rows of a call, so a row's result may differ with its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from quant.bnb import bitsandbytes

if TYPE_CHECKING:
    from torch import Tensor

OUTLIER = 6.0
"""Magnitude from which an activation counts as an outlier; the paper's."""


class LlmInt8Linear(nn.Module):
    """x [rows, in] → x · weightᵀ + bias [rows, out] in x's dtype.

    `packed` is one run of bytes: a float32 scale for each output channel, then the numbers.
    """

    packed: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Pack `weight` [out, in] where it lies; `bias` [out] stays float32."""
        super().__init__()
        bitsandbytes()
        self.out, self.columns = weight.shape
        numbers, scales, _ = torch.ops.bitsandbytes.int8_vectorwise_quant(weight.half())
        pieces = [scales.view(torch.uint8), numbers.view(torch.uint8).view(-1)]
        self.register_buffer("packed", torch.cat(pieces))
        self.register_buffer("bias", bias)

    @property
    def scales(self) -> Tensor:
        """The largest magnitude of each output channel: float32 [out]."""
        return self.packed[: 4 * self.out].view(torch.float32)

    @property
    def numbers(self) -> Tensor:
        """-127 to 127: int8 [out, in]."""
        return self.packed[4 * self.out :].view(torch.int8).view(self.out, self.columns)

    def forward(self, x: Tensor) -> Tensor:
        """Round the rows, multiply the bytes, add what the outliers make."""
        ops, half = torch.ops.bitsandbytes, x.half()
        rows, largest, outliers = ops.int8_vectorwise_quant(half, OUTLIER)
        bias = None if self.bias is None else self.bias.half()
        matmul = ops.int8_mixed_scaled_mm
        y, _ = matmul(half, rows, self.numbers, largest, self.scales, outliers, bias)
        result: Tensor = y.to(x.dtype)
        return result

    def dequantized(self) -> Tensor:
        """The weights that are multiplied by, [out, in] float32."""
        return self.numbers.float() * (self.scales / 127)[:, None]
