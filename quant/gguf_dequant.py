"""Dequantization of GGUF's block formats into float32, in plain torch.

Each format stores a row as blocks of 32 or 256 weights with their own scales. The layouts are
those of llama.cpp's ``ggml-common.h``; the arithmetic is ``dequantize_row_*`` of ``ggml-quants.c``
in the same order of float32 operations, so the results are equal to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from quant.source import UnsupportedFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Kernel = Callable[[Tensor, Tensor], None]
    """Reads blocks, uint8 [n, bytes each]; writes weights, float32 [n, weights of a block]."""

_CHUNK = 1 << 23
"""Weights per pass: bounds the temporaries (8 MiB each). Threads meet after every operation, which
is slow on a busy machine, so the passes are long rather than small enough for the L2 cache."""


def dequantize(raw: Tensor, kind: GGMLQuantizationType) -> Tensor:
    """Weights of a tensor as GGUF stores it.

    Args:
        raw: uint8 [rows, bytes of a row], contiguous.
        kind: The number format of `raw`.

    Returns:
        A new float32 tensor [rows, weights of a row].

    Raises:
        UnsupportedFile: Neither this module nor the gguf package knows the format.
    """
    if dtype := _PLAIN.get(kind):
        return raw.view(dtype).to(torch.float32, copy=True)
    kernel = _KERNELS.get(kind)
    if kernel is None:
        return _by_gguf_package(raw, kind)
    weights, size = GGML_QUANT_SIZES[kind]
    blocks = raw.view(-1, size)
    out = torch.empty(len(blocks), weights)
    count = _CHUNK // weights
    for source, target in zip(torch.split(blocks, count), torch.split(out, count), strict=True):
        kernel(source, target)
    return out.view(len(raw), -1)


def _by_gguf_package(raw: Tensor, kind: GGMLQuantizationType) -> Tensor:
    """The rarer formats (IQ*, Q2_K, ...), about ten times slower."""
    try:
        return torch.from_numpy(gguf.dequantize(raw.numpy(), kind))
    except NotImplementedError as error:
        raise UnsupportedFile(f"the tensor type {kind.name} has no dequantizer") from error


def _half(raw: Tensor) -> Tensor:
    """Scales: uint8 [n, 2 k] → float32 [n, k]."""
    return raw.view(torch.float16).to(torch.float32)


def _nibbles(packed: Tensor) -> Tensor:
    """Uint8 [n, groups, k] → [n, groups, 2, k]: the low halves of the bytes, then the high ones."""
    split = torch.empty(*packed.shape[:2], 2, packed.shape[2], dtype=torch.uint8)
    torch.bitwise_and(packed, 15, out=split[:, :, 0])
    torch.bitwise_right_shift(packed, 4, out=split[:, :, 1])
    return split


def _five_bits(high: Tensor, low: Tensor) -> Tensor:
    """The numbers 0..31 of [n] blocks of 32: bit i of the 4 bytes `high` tops number i."""
    top = (high[:, :, None] >> torch.arange(8, dtype=torch.uint8)).bitwise_and_(1)
    return _nibbles(low[:, None]).view(-1, 32).bitwise_or_(top.view(-1, 32).bitwise_left_shift_(4))


def _q4_0(blocks: Tensor, out: Tensor) -> None:
    out.copy_(_nibbles(blocks[:, None, 2:]).view(-1, 32)).sub_(8).mul_(_half(blocks[:, :2]))


def _q4_1(blocks: Tensor, out: Tensor) -> None:
    scale, low = torch.split(_half(blocks[:, :4]), 1, dim=1)
    out.copy_(_nibbles(blocks[:, None, 4:]).view(-1, 32)).mul_(scale).add_(low)


def _q5_0(blocks: Tensor, out: Tensor) -> None:
    out.copy_(_five_bits(blocks[:, 2:6], blocks[:, 6:])).sub_(16).mul_(_half(blocks[:, :2]))


def _q5_1(blocks: Tensor, out: Tensor) -> None:
    scale, low = torch.split(_half(blocks[:, :4]), 1, dim=1)
    out.copy_(_five_bits(blocks[:, 4:8], blocks[:, 8:])).mul_(scale).add_(low)


def _q8_0(blocks: Tensor, out: Tensor) -> None:
    torch.mul(blocks[:, 2:].view(torch.int8), _half(blocks[:, :2]), out=out)


def _scales_and_minima(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Of Q4_K and Q5_K: float32 [n, 8, 1] each, one pair for each 32 weights.

    16 six-bit numbers lie in 12 bytes: the first four scales and minima in the low six bits of
    the first eight bytes, the other four in the nibbles of the last four and the free high bits.
    """
    scale, minimum = torch.split(_half(blocks[:, :4]), 1, dim=1)
    first, second, third = torch.split(blocks[:, 4:16], 4, dim=1)
    scales = torch.cat([first & 63, (third & 15) | ((first >> 2) & 48)], dim=1)
    minima = torch.cat([second & 63, (third >> 4) | ((second >> 2) & 48)], dim=1)
    return (scales * scale)[:, :, None], (minima * minimum)[:, :, None]


def _q4_k(blocks: Tensor, out: Tensor) -> None:
    scales, minima = _scales_and_minima(blocks)
    numbers = _nibbles(blocks[:, 16:].view(-1, 4, 32))
    out.copy_(numbers.view(-1, 256)).view(-1, 8, 32).mul_(scales).sub_(minima)


def _q5_k(blocks: Tensor, out: Tensor) -> None:
    scales, minima = _scales_and_minima(blocks)
    numbers = _nibbles(blocks[:, 48:].view(-1, 4, 32)).view(-1, 8, 32)
    for group in range(8):
        numbers[:, group] |= ((blocks[:, 16:48] >> group) & 1) << 4
    out.copy_(numbers.view(-1, 256)).view(-1, 8, 32).mul_(scales).sub_(minima)


def _q6_k(blocks: Tensor, out: Tensor) -> None:
    scales = _half(blocks[:, 208:]) * blocks[:, 192:208].view(torch.int8)
    high = blocks[:, 128:192].view(-1, 2, 32)
    numbers = _nibbles(blocks[:, :128].view(-1, 2, 64)).view(-1, 2, 4, 32)
    for group in range(4):
        numbers[:, :, group] |= ((high >> 2 * group) & 3) << 4
    out.copy_(numbers.view(-1, 256)).sub_(32).view(-1, 16, 16).mul_(scales[:, :, None])


_PLAIN = {
    GGMLQuantizationType.F32: torch.float32,
    GGMLQuantizationType.F16: torch.float16,
    GGMLQuantizationType.BF16: torch.bfloat16,
}
_KERNELS: dict[GGMLQuantizationType, Kernel] = {
    GGMLQuantizationType.Q4_0: _q4_0,
    GGMLQuantizationType.Q4_1: _q4_1,
    GGMLQuantizationType.Q5_0: _q5_0,
    GGMLQuantizationType.Q5_1: _q5_1,
    GGMLQuantizationType.Q8_0: _q8_0,
    GGMLQuantizationType.Q4_K: _q4_k,
    GGMLQuantizationType.Q5_K: _q5_k,
    GGMLQuantizationType.Q6_K: _q6_k,
}
