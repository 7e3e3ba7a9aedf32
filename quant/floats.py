"""Weights as floats: float32, which every other format is measured against, and bfloat16."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


class FloatLinear(nn.Module):
    """x [rows, in] → x · weightᵀ + bias [rows, out] in x's dtype, computed in the weight's."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = weight
        self.bias = None if bias is None else bias.to(weight.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """One matmul."""
        return functional.linear(x.to(self.weight.dtype), self.weight, self.bias).to(x.dtype)

    def dequantized(self) -> Tensor:
        """The weights that are multiplied by, [out, in] float32."""
        return self.weight.float()


class FloatEmbedding(nn.Module):
    """Token ids [n] → rows of `weight` [n, hidden] float32."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Look the rows up."""
        return self.weight[tokens].float()


def bfloat16_linear(weight: Tensor, bias: Tensor | None) -> FloatLinear:
    """`weight` [out, in] float32 rounded to 8 bits of precision, the range of float32 kept."""
    return FloatLinear(weight.to(torch.bfloat16), bias)


def bfloat16_embedding(weight: Tensor) -> FloatEmbedding:
    """`weight` [vocab, hidden] float32, rounded the same way."""
    return FloatEmbedding(weight.to(torch.bfloat16))
