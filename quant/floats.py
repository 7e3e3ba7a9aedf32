"""Weights as they are: the reference that every packed format is measured against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


class FloatLinear(nn.Module):
    """x [rows, in] → x · weightᵀ + bias [rows, out], in the weight's own precision."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = weight
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """One matmul."""
        return functional.linear(x, self.weight, self.bias)


class FloatEmbedding(nn.Module):
    """Token ids [n] → rows of `weight` [n, hidden]."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Look the rows up."""
        return self.weight[tokens]
