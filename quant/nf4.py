"""4 bits a weight on the quantiles of a normal distribution, by bitsandbytes.

NF4 is from QLoRA (arXiv 2305.14314): 64 weights in a row are divided by the largest magnitude among
them and rounded to the nearest of 16 levels, spaced so that normally distributed weights use all of
them equally. The paper's second quantization, of the scales, would save a twelfth of the memory for
one more kernel at each matmul; it is left out.

`packed` is one run of bytes: the scales, and behind them the numbers, two in a byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from quant.bnb import bitsandbytes, has_cpu_kernel

if TYPE_CHECKING:
    from torch import Tensor

BLOCK, _PANEL = 64, 32
"""Weights with one scale; output channels that lie together in the processor's layout."""


def nf4_linear(weight: Tensor, bias: Tensor | None) -> nn.Module:
    """`weight` [out, in] packed where it lies, as the fastest kernel there reads it."""
    out, columns = weight.shape
    whole = out % _PANEL == 0 and columns % BLOCK == 0
    if weight.device.type == "cpu" and whole and has_cpu_kernel():
        return Nf4CpuLinear(weight, bias)
    return Nf4Linear(weight, bias)


class _Nf4(nn.Module):
    """What both layouts have in common."""

    packed: Tensor
    bias: Tensor | None
    scale_dtype: torch.dtype

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Pack `weight` [out, in] float32; `bias` [out] stays float32."""
        super().__init__()
        bitsandbytes()
        self.out, self.columns = weight.shape
        scales, numbers = self.pack(weight.contiguous())
        if scales.dtype != self.scale_dtype:  # `scales` reads the bytes as such
            raise TypeError(f"bitsandbytes gave scales of {scales.dtype}")
        pieces = [scales.view(torch.uint8).view(-1), numbers.view(-1)]
        self.register_buffer("packed", torch.cat(pieces))
        self.register_buffer("bias", bias)

    @staticmethod
    def pack(weight: Tensor) -> tuple[Tensor, Tensor]:
        """Scales and numbers of `weight` [out, in] in the layout's order."""
        raise NotImplementedError

    @property
    def _scale_bytes(self) -> int:
        return -(-self.out * self.columns // BLOCK) * self.scale_dtype.itemsize

    @property
    def scales(self) -> Tensor:
        """The largest magnitude of each block, [out · in / 64]."""
        return self.packed[: self._scale_bytes].view(self.scale_dtype)

    @property
    def numbers(self) -> Tensor:
        """Which of the 16 levels, two in a byte: uint8 [out · in / 2]."""
        return self.packed[self._scale_bytes :]

    def _levels(self, numbers: Tensor) -> Tensor:
        return _code().to(numbers.device)[numbers.int()]


class Nf4Linear(_Nf4):
    """x [rows, in] → x · weightᵀ + bias [rows, out] in x's dtype, on CUDA and on any processor.

    On CUDA one kernel multiplies by the packed weights; a processor unpacks them at every use.
    """

    scale_dtype = torch.float32

    @staticmethod
    def pack(weight: Tensor) -> tuple[Tensor, Tensor]:
        """Both in the order of the weights; a byte has the first of two in its high half."""
        numbers, scales = torch.ops.bitsandbytes.quantize_4bit(weight, BLOCK, "nf4", torch.uint8)
        return scales, numbers

    def forward(self, x: Tensor) -> Tensor:
        """One call of bitsandbytes."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        shape, numbers = (self.out, self.columns), self.numbers.view(-1, 1)
        matmul = torch.ops.bitsandbytes.gemm_4bit
        y: Tensor = matmul(x, numbers, shape, self.scales, BLOCK, "nf4", bias=bias)
        return y

    def dequantized(self) -> Tensor:
        """The weights that are multiplied by, [out, in] float32, read from the bytes in torch."""
        count = self.out * self.columns
        halves = torch.stack([self.numbers >> 4, self.numbers & 15], dim=1).view(-1)[:count]
        blocks = functional.pad(self._levels(halves), (0, -count % BLOCK)).view(-1, BLOCK)
        return (blocks * self.scales[:, None]).view(-1)[:count].view(self.out, self.columns)


class Nf4CpuLinear(_Nf4):
    """x [rows, in] → x · weightᵀ + bias [rows, out] in x's dtype, on AVX512-BF16.

    The kernel is called a gemv but takes any number of rows, and at 128 and at 256 it is quicker
    than a matmul of weights held in bfloat16: unpacking first has nothing to win. `out` is a
    multiple of 32, `in` of 64.
    """

    scale_dtype = torch.bfloat16

    @staticmethod
    def pack(weight: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers in panels of 32 channels, scales transposed, as that kernel reads them."""
        functional_ = bitsandbytes().functional
        numbers, state = functional_.quantize_4bit(weight, blocksize=BLOCK, quant_type="nf4")
        numbers, state = functional_._convert_weight_packed_for_cpu(numbers, state)
        return state.absmax, numbers

    def forward(self, x: Tensor) -> Tensor:
        """One pass over the packed bytes; activations are rounded to bfloat16."""
        shape, scales = (self.out, self.columns), self.scales.view(-1, self.out)
        matmul = torch.ops.bitsandbytes.gemv_4bit
        y: Tensor = matmul(x, self.numbers, shape, scales, _code(), BLOCK)
        return y if self.bias is None else y.add_(self.bias)

    def dequantized(self) -> Tensor:
        """The weights that are multiplied by, [out, in] float32, read from the bytes in torch.

        Byte 2 c + i of a panel's pair of inputs has channel c's input i in its low half and
        channel 16 + c's in its high half.
        """
        pairs = self.numbers.view(-1, self.columns // 2, _PANEL // 2, 2)
        halves = torch.stack([pairs & 15, pairs >> 4], dim=2)
        numbers = halves.permute(0, 2, 3, 1, 4).reshape(self.out, -1, BLOCK)
        scales = self.scales.view(-1, self.out).t().float()
        return (self._levels(numbers) * scales[:, :, None]).view(self.out, self.columns)


def _code() -> Tensor:
    """The 16 levels, float32, from -1 to 1."""
    levels: Tensor = bitsandbytes().functional.get_4bit_type("nf4", device="cpu")
    return levels
